"""A stand-in for AvaTax that calculates as its `transactions/create` does: for tests, and to try out an external tax engine without an account.

Its rates are made up.
"""
