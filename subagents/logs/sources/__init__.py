"""Where the logs specialist's evidence comes from."""
