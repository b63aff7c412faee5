"""Posting results: durable before they leave, one in a request, looked for there before one is posted again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from orchestrator.engines.managed.answering import OpenCalls
from orchestrator.engines.managed.delivered import RESULT, text_of
from orchestrator.engines.managed.sending import NotTaken, Sender

Posted = Literal["posted", "closed", "refused"]
IN_ITS_PLACE: Final = (
    "The result could not be handed over in its form. It is kept on the operator's machine. Ask for less, or otherwise."
)


@dataclass(frozen=True)
class Answers:
    """Hands results to one session."""

    sender: Sender

    async def post(self, call_id: str, text: str, *, is_error: bool) -> Posted:
        """Hand a result over. `closed`: nobody takes it any more. `refused`: neither it nor words in its place.

        Raises EngineError where the session cannot be reached for good.
        """
        for said, wrong in ((text, is_error), (IN_ITS_PLACE, True)):
            try:
                await self.sender.send(_result(call_id, said, wrong), self._finder(call_id))
                return "posted"
            except NotTaken:
                if not await self._is_open(call_id):
                    return "closed"
        return "refused"

    def _finder(self, call_id: str) -> Any:
        async def found() -> str | None:
            async for raw in self.sender.latest(RESULT):
                if text_of(raw, "custom_tool_use_id") == call_id:
                    return text_of(raw, "id")
            return None

        return found

    async def _is_open(self, call_id: str) -> bool:
        attempts = refusals = 0
        while True:
            calls = OpenCalls()
            try:
                async for raw in self.sender.history():
                    calls.learn(raw)
                return call_id in calls.ids
            except Exception as error:
                attempts += 1
                refusals = await self.sender.recover(error, attempts, refusals)


def _result(call_id: str, text: str, is_error: bool) -> dict[str, Any]:
    return {
        "type": RESULT,
        "custom_tool_use_id": call_id,
        "content": [{"type": "text", "text": text}],
        "is_error": is_error,
    }
