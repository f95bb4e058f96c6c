"""The public face of the orders process: HTTP API, console and channel adapters. It translates and decides nothing.

Owns no table and no rule: what it reads and does are functions of services.orders and calls to the other services. It refuses what is
malformed, who is not admitted by the role matrix, and a repeated key with another request.
"""
