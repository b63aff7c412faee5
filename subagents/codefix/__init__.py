"""The codefix specialist."""
