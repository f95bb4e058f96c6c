"""Billing: owns credit accounts, invoices, payments, operations of the payment provider, and the ledger.

Keeps these true: an order counts once towards its customer's exposure as it moves from committed to receivable; each
shipment that left is on one invoice for ever, or waits for it, whoever invoices it; invoices are numbered without gaps, and those of an
order sum to it to the cent; nothing is paid beyond its
total, and cash is left over only while nothing is open; an invoice falls due by its order's terms, and a discount for paying
early is taken whole by cash that came in time, or not at all; every posting is one transfer of a positive amount, so that the books
balance by construction, and posts once; whatever the provider is asked is written down first and done once, and refunded is never
more than captured, captured never more than authorized.
What of an order's deposit invoices is neither deducted nor credited is held for it, and the tax in it is owed once.
A posted invoice is corrected by credit notes alone, which never sum to more than it in any part, and what nobody will pay is written off.
Refuses an order beyond its customer's credit limit (an answer, not an error), billing more than was ordered, applying more
than was paid or is owed, crediting a unit twice, and a bank reference used for two different amounts.
"""
