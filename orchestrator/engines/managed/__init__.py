"""The managed engine: Claude Managed Agents drive the investigation, the hands stay here.

The agents as configuration (this half is used by `warroom agents sync` and by compose):

    definitions.py   what each agent should be: `definitions(roster)`, from the same agents as every engine's
    remote.py        what an agent is there, in the same words; the differences between the two
    register.py      ids and versions that were made, kept in the state home (`managed.json`)
    look.py          what is there (lists, then what was recorded); reads only
    plan.py          what would change: one step for each agent and the environment; pure
    sync.py          makes it so: specialists first, then the coordinator with its roster; nothing twice
    archive.py       puts away for good
    environment.py   the one environment, made once, or the user's own
    access.py        endpoint + register -> `Access`: what the engine needs to begin; faults in one line each

Shared by all engines with a model, one floor up: `credentials.py` (Endpoint), `client.py` (make_client, patient),
`reporting.py` (report_finding, conclude), `schemas.py`, `fencing.py`.
"""
