"""What is painted: nouns that hold cursor, filter and follow mode, and nothing that the journal knows."""
