"""A session of an investigation: events, journal, engines, hands, verdict. Floor 3 of the house."""
