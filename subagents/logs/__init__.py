"""The logs specialist."""
