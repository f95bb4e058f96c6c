"""Notifications owns what is told to whom: deliveries, their texts, and the letters that could not be delivered.

Its invariants: an event reaches a mailbox once, the mails of one order to one mailbox leave in the order they were asked for, a
customer never reads "accepted" before "received", and nobody reads both "accepted" and "rejected" of one order. It refuses a kind
of mail that it has no text for, and a verdict that contradicts the one already told. A message that cannot be written or
delivered ends as a dead letter with a sentence; it never holds up anybody else's mail.
"""
