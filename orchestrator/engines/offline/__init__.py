"""The deterministic investigator: no model, no network."""
