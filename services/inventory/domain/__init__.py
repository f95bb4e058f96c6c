"""The decisions of inventory as pure functions: who serves an order, what goods cost, who waits and for what."""
