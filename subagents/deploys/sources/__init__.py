"""Where the deploys specialist's evidence comes from."""
