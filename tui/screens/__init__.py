"""What fills the terminal: sessions, war room, help; evidence, review and report where they are there."""
