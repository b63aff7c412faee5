"""What happened: the event vocabulary, the durable journal, its index, the text cleaner."""
