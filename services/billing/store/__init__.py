"""Every query of billing by noun; each takes a session and gives domain values.

Whoever changes a customer's money takes the customer's credit account row first (`credit.take` or `credit.take_or_open`), so
that invoices, payments and commitments of one customer queue and never wait for each other in a circle.
"""
