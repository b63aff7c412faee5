"""The deploys specialist."""
