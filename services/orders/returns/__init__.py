"""Returns: asked for, decided, followed through the warehouse to their credit notes, and ended."""
