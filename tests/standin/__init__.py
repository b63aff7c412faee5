"""A strict stand-in for Claude Managed Agents: HTTP and SSE on loopback, stateful, scripted, faulty on demand.

Written from the SDK's types and the project's reference; it refuses what the API refuses.
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
