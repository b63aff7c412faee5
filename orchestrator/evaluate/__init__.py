"""Runs labelled cases and scores the verdicts: what `warroom eval` does."""
