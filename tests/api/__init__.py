"""Proofs of the public HTTP API."""
