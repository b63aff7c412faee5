"""Simple rules that answer the same cases, so that a figure can be read against what costs nothing."""
