"""The way to a yes: armed by one key for ten seconds, confirmed by another, bound to what is shown. Pure."""

from __future__ import annotations

from collections.abc import Callable

from subagents.contract import Clock

ARMED_S = 10.0
"""How long an armed approval can be confirmed."""
QUIET_S = 0.5
"""How long keys of approval count for nothing after the screen appeared or changed by itself."""


class ApprovalGate:
    """Says whether a confirming key means yes, and to which digest; nothing else ever does."""

    def __init__(self, clock: Clock, key_age: Callable[[], float] = lambda: 0.0) -> None:
        self._clock, self._key_age = clock, key_age
        """The seconds since the key was typed that is being worked on: it may have waited behind others"""
        self._armed_at: float | None = None
        self._digest = ""
        self.for_session = False
        """Whether what is armed is a yes for the rest of the session."""
        self._quiet_until = 0.0
        self.disturb()

    def disturb(self) -> None:
        """What is under the person's fingers changed by itself: disarm, and wait a moment."""
        self._armed_at = None
        self._quiet_until = self._clock.monotonic() + QUIET_S

    def disarm(self) -> None:
        """Take the arming back."""
        self._armed_at = None

    @property
    def quiet(self) -> bool:
        """Whether a key of approval counts for nothing that is worked on now: by when it was typed."""
        return self._clock.monotonic() - self._key_age() < self._quiet_until

    @property
    def armed_s(self) -> float:
        """Seconds for which it still is armed; 0: it is not."""
        if self._armed_at is None:
            return 0.0
        return max(0.0, self._armed_at + ARMED_S - self._clock.monotonic())

    def arm(self, digest: str, *, for_session: bool = False) -> bool:
        """Arm for the digest of what is shown; say whether it is armed now."""
        if self.quiet or not digest:
            return False
        self._armed_at, self._digest = self._clock.monotonic(), digest
        self.for_session = for_session
        return True

    def confirm(self, digest: str) -> str | None:
        """Return the digest that the person says yes to; None: this is no yes. It can be confirmed once."""
        if self.quiet or not self.armed_s:
            return None
        self._armed_at = None
        return digest if digest == self._digest else None
