"""The rules of billing by noun: credit, invoices, payments, ledger, receivables and the facts told of them."""
