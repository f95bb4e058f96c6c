"""Every query of orders, by noun; each takes a Session and gives domain values."""
