"""Proof that the doors between the rooms are shut, and that the house rules hold."""
