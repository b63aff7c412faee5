"""What it means: board, verdict, claims, report."""
