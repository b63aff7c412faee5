"""Where the metrics specialist's evidence comes from."""
