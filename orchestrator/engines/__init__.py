"""Who decides the next step."""
