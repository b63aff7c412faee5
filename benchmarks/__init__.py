"""Benchmarks: each runs side by side with what a user would pick instead, and prints ratios."""
