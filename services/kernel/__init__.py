"""Values that every room shares: money, quantities, ids, time and refusals, from the standard library alone.

Owns no state. Refuses a float where money is meant, a mixed currency, a naive instant and an id without a kind.
"""
