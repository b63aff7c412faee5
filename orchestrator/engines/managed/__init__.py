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

One session, from its beginning to its end:

    engine.py        one run of the engine: a client, a session, its conduct
    beginning.py     first look, intent on record, created once; found again by its nonce where that is in doubt
    brief.py         the first message · nonces.py: how what we send is known again there
    conduct.py       what comes by the streams, what the person says, the budget, and how a run ends (endings.py)
    dispatch.py      calls: each as it comes, side by side, answered once (answers.py, rendering.py, sending.py)
    reports.py       report_finding and conclude · unconcluded.py: the board's verdict where the model gave none
    outbox.py        messages, in order, each once (person.py) · interrupts.py: stopping there, remembered
    budgets.py       an agent's and the session's own limits · capping.py: the server's cap follows a raise

Shared by all engines with a model, one floor up: `credentials.py` (Endpoint), `client.py` (make_client, patient),
`reporting.py` (report_finding, conclude), `schemas.py`, `fencing.py`.
"""
