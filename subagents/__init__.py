"""The specialists: missions, tools, analysis and sources. Floor 2 of the house."""
