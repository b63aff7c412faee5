"""Small labelled trees, written by us."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SHAS = tuple(f"{digit}" * 40 for digit in "abcdef")


def at(minutes: float) -> str:
    return (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_outage(folder: Path, **more: Any) -> Path:
    """A folder case: a service whose errors rise after the second of two deploys."""
    folder.mkdir(parents=True)
    commits = [
        {"sha": SHAS[0], "timestamp": at(5), "message": "tidy the readme", "files_changed": ["README"], "diff": None},
        {
            "sha": SHAS[1],
            "timestamp": at(20),
            "message": "lower the pool of the ledger to one connection",
            "files_changed": ["ledger/pool.py"],
            "diff": "@@ ledger/pool.py @@\n-    POOL_SIZE = 20\n+    POOL_SIZE = 1\n",
        },
    ]
    deploys = [
        {"timestamp": at(6), "service": "ledger", "commit_sha": SHAS[0], "version": "v1"},
        {"timestamp": at(21), "service": "ledger", "commit_sha": SHAS[1], "version": "v2"},
    ]
    rows = ["ts,service,metric,value"]
    for minute in range(40):
        rows.append(f"{at(minute)},ledger,http_5xx_ratio,{0.3 if minute >= 24 else 0.002}")
        rows.append(f"{at(minute)},porch,http_5xx_ratio,{0.004 if minute >= 24 else 0.003}")
    case = {
        "id": folder.name,
        "alert": {
            "service": "ledger",
            "metric": "http_5xx_ratio",
            "summary": "ledger answers 5xx: pool exhausted",
            "incident_start": at(24),
            "alert_at": at(27),
        },
        "window": {"start": at(0), "end": at(40)},
        "candidate_services": ["ledger", "porch"],
        "files": {"metrics": "metrics.csv.gz", "commits": "commits.json.gz", "deploys": "deploys.json"},
        **more,
    }
    (folder / "case.json").write_text(json.dumps(case))
    (folder / "commits.json.gz").write_bytes(gzip.compress(json.dumps(commits).encode(), mtime=0))
    (folder / "deploys.json").write_text(json.dumps(deploys))
    (folder / "metrics.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode() + b"\n", mtime=0))
    return folder


def write_complaint(path: Path, **more: Any) -> Path:
    """A single-file case: a symptom and the commits before it, newest first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    commits = [
        {
            "sha": SHAS[2],
            "landed_at": at(50),
            "subject": "docs",
            "body": "",
            "files": [{"path": "d", "add": 1, "del": 0}],
        },
        {
            "sha": SHAS[3],
            "landed_at": at(40),
            "subject": "round invoice totals down",
            "body": "",
            "files": [{"path": "invoice/totals.py", "add": 4, "del": 2}],
        },
        {
            "sha": SHAS[4],
            "landed_at": at(30),
            "subject": "vendor the fonts",
            "body": "",
            "files": [{"path": "fonts/a.ttf", "add": 900, "del": 0}],
        },
    ]
    case = {"id": path.name.partition(".")[0], "reported_at": at(55), "symptom": "invoice totals are off by a cent"}
    path.write_bytes(gzip.compress(json.dumps({**case, "commits": commits, **more}).encode(), mtime=0))
    return path


def write_reading(path: Path, jump: int = 120, length: int = 200) -> Path:
    """A single series that jumps once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{at(n).replace('T', ' ').rstrip('Z')},{50 + n % 3 if n < jump else 95 + n % 3}" for n in range(length)]
    path.write_text("ts,value\n" + "\n".join(rows) + "\n")
    return path


def write_tree(root: Path, labels: bool = True) -> Path:
    """Three families that are read, one that is not."""
    write_outage(root / "outages" / "out-1", family="outages", source="somewhere", answer_may_be_none=True)
    write_complaint(root / "complaints" / "com-1.json.gz", family="complaints")
    write_reading(root / "readings" / "read-1.csv")
    (root / "gadgets" / "thing").mkdir(parents=True)
    (root / "gadgets" / "thing" / "blob.bin").write_bytes(b"\0\1")
    if labels:
        write_labels(
            root,
            outages=[{"id": "out-1", "culprit_commit": SHAS[1], "root_cause_service": "ledger", "decoys": [SHAS[0]]}],
            complaints=[{"id": "com-1", "culprit_commit": SHAS[3]}],
            readings=[{"id": "read-1", "anomaly_windows": [[at(110), at(130)]]}],
        )
    return root


def write_labels(root: Path, **families: list[dict[str, Any]]) -> None:
    (root / "labels").mkdir(parents=True, exist_ok=True)
    for family, rows in families.items():
        (root / "labels" / f"{family}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
