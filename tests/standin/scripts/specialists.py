"""Four specialists that report what their tools gave: no constant of any case."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from tests.standin.actor import Actor
from tests.standin.script import Brain, Call
from tests.standin.scripts.mending import Spent, ask, report
from tests.standin.scripts.reading import FINDING_ID, Moved, candidates, citations, lines, moved, ranked, rows, stamp

MARK = "RESULT "
_SIGNATURE = re.compile(r"^signature (?P<what>.+?) in (?P<service>\S+) x\d+", re.MULTILINE)
_WINDOW = re.compile(r"^window (?P<start>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) to", re.MULTILINE)
_DRAFT = re.compile(r"\b(d-[0-9a-f]{6,})\b")
Work = Callable[[Actor, dict[str, str], dict[str, Any]], Awaitable[dict[str, Any]]]


def specialist(work: Work) -> Brain:
    """Return a brain that does the work for each task it hears, and reports what it learnt."""

    async def brain(actor: Actor) -> None:
        while True:
            task = await actor.hear()
            try:
                found = await work(actor, rows(task.text), result_of(task.text))
                await actor.say(f"I am done: {len(found.get('findings', []))} reported.")
            except Spent:
                found = {"spent": True}
            await actor.report(f"{actor.name} is done.\n{MARK}{json.dumps(found)}")

    return brain


def result_of(text: str) -> dict[str, Any]:
    """Return what a message carries for scripts; empty where it carries nothing."""
    carried = [line[len(MARK) :] for line in text.splitlines() if line.startswith(MARK)]
    found: dict[str, Any] = json.loads(carried[-1]) if carried else {}
    return found


async def finding(actor: Actor, **body: Any) -> str | None:
    """Report one finding; returns its id."""
    told = await report(actor, "report_finding", body, {"weight": 0.3})
    match = FINDING_ID.search(told.text) if told is not None else None
    return match.group() if match else None


async def logs(actor: Actor, brief: dict[str, str], known: dict[str, Any]) -> dict[str, Any]:
    """Look at the logs as a whole, then at what changed."""
    times = {"started_at": brief.get("impact since"), "fired_at": brief.get("fired at")}
    given = {name: value for name, value in times.items() if value}
    told = await ask(actor, Call("logs_coverage"), Call("logs_first_look", given))
    look = next((one.text for one in told if one.call.name == "logs_first_look"), "")
    body = "\n".join(lines(look))
    window = _WINDOW.search(body)
    onset_line = next((line for line in body.splitlines() if line.startswith("onset ")), "")
    onset = stamp(onset_line, body) if onset_line else None
    refs = citations(look)
    start = {"start": window["start"].replace(" ", "T") + "Z"} if window else {}
    more = await ask(actor, Call("logs_patterns", start), Call("logs_stacks", start))
    refs += [ref for one in more for ref in citations(one.text)[:2]]
    refs = list(dict.fromkeys(ref for ref in refs if ref.startswith("log:")))
    out: dict[str, Any] = {"onset": onset, "services": [], "signatures": [], "refs": refs[:4], "findings": []}
    for match in _SIGNATURE.finditer(body):
        ref = next((ref for ref in refs if f":{match['service']}" in ref), None) or (refs[0] if refs else None)
        out["signatures"].append(match["what"])
        out["services"].append(match["service"])
        made = await finding(
            actor,
            claim=f"The logs of {match['service']} show a known kind of failure: {match['what']}.",
            topic="errors",
            about={"kind": "service", "key": match["service"]},
            stance="for",
            weight=0.4,
            citations=[ref] if ref else [],
            services=[match["service"]],
            terms=match["what"].split()[:3],
        )
        out["findings"].append(made)
    return out


async def metrics(actor: Actor, brief: dict[str, str], known: dict[str, Any]) -> dict[str, Any]:
    """Find what moved, in which order, and where it began."""
    named = {"service": "service", "metric": "metric", "fired": "fired at", "since": "impact since", "about": "title"}
    given = {name: brief[row] for name, row in named.items() if brief.get(row)}
    given = {name: value for name, value in given.items() if name == "about" or " " not in value}
    told = await ask(actor, Call("metrics_coverage"), Call("metrics_rank", given), Call("metrics_onsets"))
    by_name = {one.call.name: one.text for one in told}
    rank, onsets = by_name.get("metrics_rank", ""), by_name.get("metrics_onsets", "")
    symptom = next(iter(moved(rank)), None) or next(iter(moved(onsets)), None)
    out: dict[str, Any] = {"services": ranked(rank), "symptom": None, "findings": [], "refs": []}
    if symptom is None:
        return out
    out["symptom"] = {
        "service": symptom.service,
        "metric": symptom.metric,
        "onset": symptom.at,
        "move": symptom.move,
        "facts": list(symptom.facts),
        "citation": symptom.citation,
        "state": symptom.state,
    }
    first = await finding(
        actor,
        claim=f"{symptom.metric} of {symptom.service} {symptom.move} and leaves its baseline.",
        topic="symptom",
        stance="observes",
        weight=0.6,
        facts=list(symptom.facts),
        citations=[symptom.citation],
        services=[symptom.service],
        at=symptom.at,
    )
    out["findings"].append(first)
    others = [one for one in moved(onsets)[:3] if one.citation != symptom.citation]
    out["refs"] += [one.citation for one in others]
    out["findings"] += [await _moved_as_well(actor, one) for one in others]
    return out


async def _moved_as_well(actor: Actor, one: Moved) -> str | None:
    return await finding(
        actor,
        claim=f"{one.metric} of {one.service} {one.move} as well.",
        topic="order",
        about={"kind": "service", "key": one.service},
        stance="for",
        weight=0.2,
        facts=[fact for fact in one.facts if fact["quantity"] == "onset"],
        citations=[one.citation],
        services=[one.service],
        at=one.at,
    )


async def deploys(actor: Actor, brief: dict[str, str], known: dict[str, Any]) -> dict[str, Any]:
    """Hold every change against the symptom that the others found."""
    given = {
        "onset": known.get("onset") or "",
        "services": known.get("services") or [],
        "finding_ids": known.get("findings") or [],
        "text": " ".join([brief.get("title", ""), *known.get("signatures", [])]).strip(),
    }
    told = await ask(actor, Call("deploys_coverage"), Call("deploys_suspects", given))
    found = next((candidates(one.text) for one in told if one.call.name == "deploys_suspects"), [])
    out: dict[str, Any] = {"candidates": [], "findings": []}
    for at, one in enumerate(found[:4]):
        if at == 0 and one.kind == "commit":
            await ask(actor, Call("deploys_touches", {"commit": one.full}), Call("deploys_diff", {"commit": one.full}))
        out["candidates"].append(
            {
                "kind": one.kind,
                "key": one.full,
                "label": one.label,
                "author": one.author,
                "score": one.score,
                "source": one.source,
                "deploy": one.first("deploy"),
                "refs": one.refs[:6],
                "what": one.part("kind"),
                "what_refs": [part["ref"] for part in one.parts if part["name"] == "kind" and part["ref"]],
                "fit": one.part("fit"),
                "reasons": [part["reason"] for part in one.parts[:3]],
            }
        )
        made = await finding(
            actor,
            claim="This change explains the symptom best."
            if at == 0
            else "This change explains the symptom less well.",
            topic="change",
            about={"kind": one.kind, "key": one.full, "label": one.label},
            stance="for" if one.score >= 0.5 else "against",
            weight=round(max(0.1, min(one.score if one.score >= 0.5 else 1 - one.score, 0.9)), 2),
            citations=one.refs[:4],
            terms=one.paths[:4],
        )
        out["findings"].append(made)
    return out


async def codefix(actor: Actor, brief: dict[str, str], known: dict[str, Any]) -> dict[str, Any]:
    """See whether the change can be undone, draft that, and run the tests."""
    commit = known.get("commit")
    out: dict[str, Any] = {"draft": None, "findings": []}
    if not commit:
        return out
    ids = [one for one in known.get("findings", []) if one][:10]
    await ask(actor, Call("code_revert_check", {"commit": commit, "finding_ids": ids}))
    order = {"commit": commit, "finding_ids": ids, "incident": brief.get("incident", ""), "why": known.get("why", "")}
    told = await ask(actor, Call("code_draft_revert", order))
    text = told[0].text if told else ""
    match = _DRAFT.search(text)
    if match is None:
        return out
    out["draft"] = match[1]
    made = await finding(
        actor,
        claim="The change can be undone; a draft of that is ready for review.",
        topic="fix",
        about={"kind": "commit", "key": commit},
        stance="for",
        weight=0.2,
        citations=[ref for ref in citations(text) if ref.startswith("commit:")][:2],
    )
    out["findings"].append(made)
    return out


WORK: dict[str, Work] = {"logs": logs, "metrics": metrics, "deploys": deploys, "codefix": codefix}
