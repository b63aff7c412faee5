"""Readers of metric files and traces: everything becomes frames of series and one call graph."""
