"""A believable wholesaler of pumps, fittings and electrical parts, and one narrated day of it."""
