"""Says once, where warroom is set up, whether its compiled part is missing."""

from subagents.logs.native import absence

if said := absence():
    print(said)
