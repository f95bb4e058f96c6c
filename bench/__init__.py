"""Benchmarks: what a load costs, as ratios to baselines taken in the same run."""
