"""What may happen, and carrying it out: the one path for every tool call.

- `run.Hands`: `call(agent, thread, use)` from request to acknowledged result; `cancel(thread)`, `stop()`, `close()`
- `policy.Policy`: `decide(agent, tool, arguments)` -> allow, ask or deny, by rule
- `approvals.Approvals`: what waits for a person, the digest that it binds to, `decide()`
- `workers.Workers`, `worker`: the processes for CPU-heavy tools; `rosters.RosterRecipe`: what they are built from
- `capabilities.CAPABILITIES`: who holds which tools, declared
"""
