"""Proofs of orders."""
