"""Every query of inventory, by noun; each takes the session of its caller's transaction and gives domain values."""
