"""Cards: what billing asks a payment provider to do, written down before it is asked and until the answer is known."""
