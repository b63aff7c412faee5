"""Small incidents, written by the tests: a service, its telemetry, its repository."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

T0 = datetime(2026, 2, 3, 9, 0, tzinfo=UTC)
BAD_DEPLOY = T0 + timedelta(minutes=40)
ONSET = T0 + timedelta(minutes=42)
END = T0 + timedelta(minutes=70)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def write_logs(path: Path, *, broken: bool = False) -> None:
    """Requests every few seconds; from the onset, a stack trace of a new kind. `broken`: half of it is no JSON."""
    lines = []
    moment, number = T0, 0
    while moment < END:
        number += 1
        lines.append(entry(moment, "INFO", f"GET /orders/{number} 200 in {30 + number % 9} ms"))
        if number % 40 == 0:
            lines.append(entry(moment, "WARNING", f"slow disk flush took {number % 7} ms"))
        if moment >= ONSET and number % 2 == 0:
            lines.append(entry(moment, "ERROR", f"ticket {number}: no voucher slot left after 500 ms in voucher_ring"))
        if broken and number % 5 == 0:
            lines.append('{"ts": "2026-02-03T09:0')
        moment += timedelta(seconds=4)
    path.write_text("\n".join(lines) + "\n")


def entry(moment: datetime, level: str, message: str) -> str:
    return json.dumps({"ts": stamp(moment), "service": "orders", "level": level, "message": message})


def write_metrics(path: Path, *, flat: bool = False) -> None:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["ts", "service", "metric", "value"])
        moment, step = T0, 0
        while moment < END:
            step += 1
            bad = moment >= ONSET and not flat
            wobble = (step * 7919) % 11
            out.writerow([stamp(moment), "orders", "latency_p95_ms", (480 if bad else 45) + wobble])
            out.writerow([stamp(moment), "orders", "error_rate_pct", (21.0 if bad else 0.2) + wobble / 50])
            out.writerow([stamp(moment), "web", "latency_p95_ms", (60 if bad else 50) + wobble])
            out.writerow([stamp(moment), "web", "cpu_pct", 20 + wobble])
            moment += timedelta(seconds=30)


def write_alert(path: Path) -> None:
    path.write_text(
        json.dumps(
            {
                "title": "orders answers slowly and fails",
                "service": "orders",
                "summary": "p95 latency of orders over 300 ms",
                "fired_at": stamp(ONSET + timedelta(minutes=3)),
            }
        )
    )


def git(repo: Path, *arguments: str, at: datetime = T0) -> str:
    closed = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Kim",
        "GIT_AUTHOR_EMAIL": "kim@example.org",
        "GIT_COMMITTER_NAME": "Kim",
        "GIT_COMMITTER_EMAIL": "kim@example.org",
        "GIT_AUTHOR_DATE": stamp(at),
        "GIT_COMMITTER_DATE": stamp(at),
    }
    ran = subprocess.run(
        ["git", "-C", str(repo), *arguments], env=closed, capture_output=True, text=True, check=True, timeout=30
    )
    return ran.stdout.strip()


def commit(repo: Path, subject: str, files: dict[str, str], at: datetime) -> str:
    for name, text in files.items():
        place = repo / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", subject, at=at)
    return git(repo, "rev-parse", "HEAD")


RING = """class VoucherRing:
    slots = {slots}

    def take(self, ticket):
        if self.free(self.slots) == 0:
            raise RuntimeError(f"ticket {{ticket}}: no voucher slot left after 500 ms in voucher_ring")
        return ticket
"""


def write_repo(repo: Path) -> dict[str, str]:
    """A repository whose third-newest commit cut a ring of slots; return commits by role."""
    repo.mkdir(parents=True)
    git(repo, "init", "-q", "-b", "main")
    made = {
        "first": commit(
            repo,
            "Begin orders",
            {"orders/voucher_ring.py": RING.format(slots=64), "orders/app.py": "ROUTES = ['/orders']\n"},
            T0 - timedelta(days=9),
        ),
        "docs": commit(repo, "Explain vouchers", {"README.md": "Vouchers, explained.\n"}, T0 - timedelta(days=3)),
        "culprit": commit(
            repo,
            "Trim voucher ring",
            {"orders/voucher_ring.py": RING.format(slots=2)},
            BAD_DEPLOY - timedelta(minutes=12),
        ),
        "banner": commit(
            repo, "Change the banner", {"web/banner.html": "<p>Spring!</p>\n"}, BAD_DEPLOY - timedelta(minutes=9)
        ),
        "later": commit(
            repo, "Round corners", {"web/site.css": "p { border-radius: 4px }\n"}, BAD_DEPLOY - timedelta(minutes=3)
        ),
    }
    return made


def write_deploys(path: Path, commits: dict[str, str]) -> None:
    deploys = [
        {
            "id": "rel-41",
            "service": "orders",
            "version": "41",
            "commit": commits["docs"],
            "timestamp": stamp(T0 - timedelta(days=2)),
        },
        {
            "id": "rel-42",
            "service": "orders",
            "version": "42",
            "commit": commits["culprit"],
            "timestamp": stamp(BAD_DEPLOY),
        },
        {
            "id": "rel-9",
            "service": "web",
            "version": "9",
            "commit": commits["later"],
            "timestamp": stamp(BAD_DEPLOY + timedelta(minutes=1)),
        },
    ]
    path.write_text(json.dumps(deploys))


def write_incident(folder: Path) -> dict[str, str]:
    """A whole incident folder with its repository in `repo/`; return commits by role."""
    folder.mkdir(parents=True)
    write_logs(folder / "orders.jsonl")
    write_metrics(folder / "metrics.csv")
    write_alert(folder / "alert.json")
    commits = write_repo(folder / "repo")
    write_deploys(folder / "deploys.json", commits)
    return commits
