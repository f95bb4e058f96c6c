"""Proofs of the values that every room shares."""
