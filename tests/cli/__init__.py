"""Proofs of the supervisor and of the commands."""
