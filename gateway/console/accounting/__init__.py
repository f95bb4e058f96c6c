"""Pages of accounting: payments, receivables, orders that wait for money, marketplaces, the ledger."""
