"""Proof that the doors between the rooms are shut, and that the rules of this code base hold."""
