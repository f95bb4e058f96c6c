"""Benchmarks: what an order costs beside its frame, and how latency, memory and restarts grow, on this machine."""
