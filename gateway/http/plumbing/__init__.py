"""What every operation shares: callers, bodies, keys, pages, problems, the document, metrics."""
