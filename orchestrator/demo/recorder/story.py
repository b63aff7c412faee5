"""What happens when: the deploys, the flag, the relay's bad minutes, the load. The rest is what the services do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SEED = 1407
BEGIN = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LENGTH = timedelta(minutes=76)
SAMPLE_S = 10.0
"""Seconds between two samples of the metrics."""


@dataclass(frozen=True)
class Deployed:
    """A service goes over to a version."""

    at: float
    """Seconds after BEGIN."""
    service: str
    version: str
    actor: str

    @property
    def tag(self) -> str:
        """The tag of that version in the repository."""
        return f"{self.service}-v{self.version}"


RUNNING = (
    Deployed(-86_400.0 * 5 + 2000, "storefront", "1.2.0", "tomasz"),
    Deployed(-86_400.0 * 12 + 900, "paydesk", "0.8.0", "mirja"),
    Deployed(-86_400.0 * 9 + 4000, "postroom", "0.4.0", "ines"),
)
"""What runs when the recording begins."""

DEPLOYS = (
    Deployed(8 * 60 + 12, "postroom", "0.4.1", "mirja"),
    Deployed(19 * 60 + 41, "storefront", "1.3.0", "tomasz"),
    Deployed(44 * 60 + 26, "storefront", "1.4.0", "ravi"),
    Deployed(54 * 60 + 50, "paydesk", "0.8.1", "mirja"),
)


@dataclass(frozen=True)
class Flipped:
    """A flag of the storefront is switched on."""

    at: float
    flag: str
    actor: str


FLAGS = (Flipped(50 * 60 + 5, "suggestions", "tomasz"),)

RELAY_REFUSES = (50 * 60 + 40.0, 53 * 60 + 10.0)
"""When the mail relay has a trouble of its own."""

SESSIONS_PER_S = 1.3
"""Visitors that arrive, browsers and apps together."""
CRAWLER_PER_S = 4.0
DECLINED_CARDS = 0.028
"""Share of the cards that the provider declines."""
PROVIDER_RESETS = 0.004
"""Share of authorisations that the provider drops."""

ALERT_FROM_PCT = 5.0
ALERT_FOR_S = 60.0
ALERT_WINDOW_S = 60.0
AFTER_ALERT_S = 9 * 60.0
"""How long after the alert the recording goes on."""
