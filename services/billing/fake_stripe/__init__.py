"""A stand-in for Stripe on one machine: the part of its API that billing uses, with its states, refusals, fees and signed events.

No card is charged and no money moves. It keeps what it knows in a file, so that a killed process forgets nothing.
"""
