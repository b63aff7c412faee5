"""A strict stand-in for Claude Managed Agents: HTTP and SSE on loopback, stateful, scripted, faulty on demand.

Written from the SDK's types and the project's reference; it refuses what the API refuses.

    async def lead(actor: Actor) -> None:              # one brain per agent name, `*` for any other
        task = await actor.hear()                      # nothing waits: the turn ends here
        thread = await actor.delegate("logs", task.text)
        report = await actor.hear()
        told = await actor.call("conclude", {"headline": report.text})
        await actor.gate("hold")                       # until the test says server.open("hold")
        await actor.say(told.text)

    with Standin({"lead": lead, "logs": logs}) as server:
        client = AsyncAnthropic(base_url=server.base_url, api_key=server.key, max_retries=0)
        server.faults.stream(Step(3, "cut_after"), path="*/events/stream")   # the 3rd frame of the next connection
        server.faults.lose_answer(path="*/events")                           # applied, then the connection breaks
        server.until(lambda state: state.only().blocked())                   # or: await server.reached(...)
        server.state.events(), server.state.posted(call_id), server.requests

`python -m tests.standin --script investigation` serves the same to a person's terminal.
"""

from tests.standin.actor import Actor
from tests.standin.app import Recorded
from tests.standin.faults import Fault, Step, StreamFault
from tests.standin.options import Options
from tests.standin.script import Brain, Call, Heard, Script, Tokens, Told
from tests.standin.server import Standin, State

__all__ = [
    "Actor",
    "Brain",
    "Call",
    "Fault",
    "Heard",
    "Options",
    "Recorded",
    "Script",
    "Standin",
    "State",
    "Step",
    "StreamFault",
    "Tokens",
    "Told",
]
