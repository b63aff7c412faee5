"""What was recorded tells the story it should: leak, decoys, a burst of somebody else, a wrong number."""

from __future__ import annotations

import csv
import gzip
import json
import re
from datetime import datetime
from functools import cache
from typing import Any

from orchestrator.demo.bundled import DATA

SERVICES = ("storefront", "paydesk", "postroom")


@cache
def lines(service: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / f"{service}.log.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@cache
def series(service: str, metric: str) -> dict[str, float]:
    with (DATA / "metrics.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (row["service"], row["metric"]) == (service, metric)]
    return {row["ts"]: float(row["value"]) for row in rows}


def deploys() -> dict[str, str]:
    return {deploy["id"]: deploy["timestamp"] for deploy in json.loads((DATA / "deploys.json").read_text())}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def onset() -> str:
    return next(ts for ts, value in series("storefront", "http_5xx_pct").items() if value > 20)


def test_enough_was_recorded_and_it_is_small() -> None:
    assert sum(len(lines(service)) for service in SERVICES) >= 50_000
    assert all(record["service"] == service for service in SERVICES for record in lines(service))
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 6_000_000


def test_nothing_of_the_recording_machine_is_in_it() -> None:
    for service in SERVICES:
        for record in lines(service):
            stack = record.get("stack", "")
            assert set(re.findall(r'File "(/[^/"]+/[^/"]+)/', stack)) <= {
                "/srv/storefront",
                "/srv/postroom",
                "/usr/local",
            }


def test_log_lines_are_in_time_order() -> None:
    for service in SERVICES:
        stamps = [record["ts"] for record in lines(service)]
        assert stamps == sorted(stamps)


def test_the_pool_fills_from_the_culprits_deploy_and_fails_minutes_later() -> None:
    deployed = deploys()["storefront-v1.4.0"]
    in_use = series("storefront", "db_pool_in_use")
    assert max(value for ts, value in in_use.items() if ts < deployed) <= 5
    assert min(value for ts, value in in_use.items() if ts > onset()) == 16
    timeouts = [record["ts"] for record in lines("storefront") if "PoolTimeout" in record.get("stack", "")]
    assert 5 * 60 < (moment(timeouts[0]) - moment(deployed)).total_seconds() < 20 * 60
    assert len(timeouts) > 1000


def test_the_decoys_are_nearer_to_the_onset() -> None:
    taken = deploys()
    flip = json.loads((DATA / "flags.json").read_text())[0]["timestamp"]
    assert taken["storefront-v1.4.0"] < flip < taken["paydesk-v0.8.1"] < onset()
    assert max(taken.values()) == taken["paydesk-v0.8.1"]


def test_an_unrelated_burst_lies_in_the_window() -> None:
    failures = [record["ts"] for record in lines("postroom") if record["level"] == "ERROR"]
    assert len(failures) >= 30
    assert deploys()["storefront-v1.4.0"] < failures[0] < failures[-1] < onset()
    assert max(series("paydesk", "http_5xx_pct").values()) < 60


def test_the_alert_is_wrong_in_one_number() -> None:
    alert = json.loads((DATA / "alert.json").read_text())
    assert alert["version"] == "4"
    claimed = float(alert["commonAnnotations"]["value"])
    assert claimed > 120 > 100 >= max(series("storefront", "http_5xx_pct").values())
    fired = moment(alert["alerts"][0]["startsAt"])
    assert 30 <= (fired - moment(onset())).total_seconds() <= 180
