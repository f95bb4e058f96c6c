"""Notifications owns mail to people: deliveries, their templates, and the dead letters that could not be delivered.

Its invariants: an event reaches a mailbox once; the mails of one order to one mailbox leave in the order of the requests; a
customer never reads "accepted" before "received"; nobody reads both "accepted" and "rejected" about one order. It refuses a kind
of mail that has no template, and a verdict that contradicts the one already sent. A mail that cannot be written or delivered
becomes a dead letter that says why; it never blocks other readers' mail.
"""
