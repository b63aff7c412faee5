"""The runbook library and its search. Floor 1 of the house."""
