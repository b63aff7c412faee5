"""What is about to be sent to a server: on record before it leaves, so that what is in doubt is looked for there."""

from __future__ import annotations

from typing import Literal

from subagents.contract import Frozen


class RemoteRequest(Frozen):
    """A session to be made there, a message, an interrupt: intended first, then what became of it."""

    type: Literal["warroom.remote_request"] = "warroom.remote_request"
    what: Literal["session", "message", "interrupt"]
    nonce: str
    """What it is known by there: in a session's metadata, on a message's last line."""
    state: Literal["intended", "sent", "refused"] = "intended"
    title: str = ""
    text: str = ""
    """What is sent, as it is sent: redacted. Empty once it is known to have arrived."""
    id: str = ""
    """The server's id of what was sent, where it is known."""
    thread_id: str = ""
    """For an interrupt of one thread: the server's id of it."""
