"""Change orders: proposed, consented to, applied, and the new version reviewed again."""
