"""What may happen: the one path for every tool call."""
