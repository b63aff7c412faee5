"""The isolated git store: reads anyone's repository without running what it configures or touching it."""
