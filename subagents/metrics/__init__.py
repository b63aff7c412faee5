"""The metrics specialist."""
