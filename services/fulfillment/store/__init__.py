"""Every query of fulfillment: takes a session, gives domain values."""
