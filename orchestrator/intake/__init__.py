"""What comes in: alert payloads, files, folders, commands."""
