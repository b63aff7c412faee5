"""The alerting rule of the shop, evaluated on its samples, and the payload that it sends.

The rule has a fault of the kind that people live with: it counts every failed request, the crawler's too, but divides
by the requests of people alone.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import Any

from orchestrator.demo.recorder import story


class Alarm:
    """Fires once failures have been above the threshold for a while."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float, float]] = deque()
        self._above_since: float | None = None
        self.fired_at: float | None = None
        self.value = 0.0

    def see(self, seconds: float, failed: float, asked_by_people: float) -> None:
        """Take one sample: what failed and what people asked for since the last one."""
        self._seen.append((seconds, failed, asked_by_people))
        while self._seen[0][0] <= seconds - story.ALERT_WINDOW_S:
            self._seen.popleft()
        value = 100.0 * sum(seen[1] for seen in self._seen) / max(1.0, sum(seen[2] for seen in self._seen))
        if value < story.ALERT_FROM_PCT:
            self._above_since = None
            return
        self._above_since = seconds if self._above_since is None else self._above_since
        if self.fired_at is None and seconds - self._above_since >= story.ALERT_FOR_S:
            self.fired_at, self.value = seconds, round(value, 1)

    def quiet_for(self, seconds: float) -> bool:
        """Say whether the recording still has something to wait for."""
        return self.fired_at is None or seconds < self.fired_at + story.AFTER_ALERT_S

    def payload(self) -> dict[str, Any]:
        """Return what Alertmanager posts (webhook version 4); raises RuntimeError where it never fired."""
        if self.fired_at is None:
            raise RuntimeError("the alert never fired: nothing was recorded that is worth a demo")
        fired = story.BEGIN + timedelta(seconds=round(self.fired_at))
        labels = {
            "alertname": "StorefrontErrors",
            "service": "storefront",
            "severity": "critical",
            "metric": "http_5xx_pct",
        }
        annotations = {
            "summary": f"storefront answers {self.value:.0f} % of requests with 5xx",
            "description": "Customers are told to try again. Above 5 % for a minute.",
            "value": f"{self.value:.1f}",
            "threshold": f"{story.ALERT_FROM_PCT:g}",
        }
        alert = {
            "status": "firing",
            "labels": labels,
            "annotations": annotations,
            "startsAt": fired.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.tealane.example/graph",
            "fingerprint": "5d1f0c2e9ab3774e",
        }
        return {
            "version": "4",
            "groupKey": '{}:{alertname="StorefrontErrors"}',
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "on-call",
            "groupLabels": {"alertname": "StorefrontErrors"},
            "commonLabels": labels,
            "commonAnnotations": annotations,
            "externalURL": "http://alertmanager.tealane.example",
            "alerts": [alert],
        }
