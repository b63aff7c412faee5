"""Contradictions between sources: found where they are, and nowhere else."""
