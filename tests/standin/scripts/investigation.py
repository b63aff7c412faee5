"""A coordinator that delegates, waits for reports and concludes from them: no constant of any case."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.standin.actor import Actor
from tests.standin.script import Call, Script
from tests.standin.scripts.mending import ask, report
from tests.standin.scripts.reading import citations, rows
from tests.standin.scripts.specialists import MARK, WORK, result_of, specialist

LIKELY = 0.5


async def coordinator(actor: Actor) -> None:
    """Lead one investigation; what the person says later is answered."""
    memory = actor.memory
    first = await actor.hear()
    memory.setdefault("brief", first.text)
    if memory.get("concluded"):
        await actor.say("The verdict stands. I have noted what you said.")
        return
    await actor.say("I read the brief. Logs and metrics first, side by side.", think=True)
    await _wave(actor, [("logs", {}), ("metrics", {})])
    await _wave(actor, [("deploys", _symptom(memory))])
    top = _top(memory)
    if top is not None and top["kind"] == "commit" and top["score"] >= LIKELY:
        order = {"commit": top["key"], "why": "It explains the symptom best.", "findings": _ids(memory)}
        await _wave(actor, [("codefix", order)])
    runbook = await _runbook(actor)
    verdict = conclusion(memory, runbook)
    told = await report(actor, "conclude", verdict, _modest(memory))
    memory["concluded"] = True
    await actor.say("The verdict is on record." if told is not None else "I have no way to conclude.")


async def _wave(actor: Actor, tasks: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Delegate tasks that do not need each other, and wait until each has reported or was interrupted."""
    memory, awaited = actor.memory, dict[str, str]()
    brief = memory["brief"]
    sends = []
    for role, known in tasks:
        name = next((name for name in actor.callable if role in name.lower()), None)
        if name is None or role in memory:
            continue
        memory.setdefault("threads", {})
        text = f"Task: look at what you hold; report each claim.\n{brief}\n{MARK}{json.dumps(known)}"
        sends.append((memory["threads"].get(role, name), text))
        awaited[name] = role
    if not sends:
        return
    await actor.act("I hand out the work.", sends=sends)
    while awaited:
        heard = await actor.hear()
        if heard.sender in awaited:
            role = awaited.pop(heard.sender)
            memory[role] = result_of(heard.text)
            memory["threads"][role] = heard.thread
        elif heard.sender == "user":
            await _steered(actor, heard.text)
            awaited = {name: role for name, role in awaited.items() if actor.working(name)}


async def _steered(actor: Actor, text: str) -> None:
    """Pass on what the person said to whom it names."""
    named = [name for name in actor.callable if name.lower() in text.lower()]
    threads = {thread: name for thread, name in actor.children() if name in named}
    sends = [(thread, f"The person on call said: {text}\n{actor.memory['brief']}") for thread in threads]
    await actor.act("Understood." if not sends else "Understood, I pass it on.", sends=sends)


def _symptom(memory: dict[str, Any]) -> dict[str, Any]:
    symptom = (memory.get("metrics") or {}).get("symptom") or {}
    logs = memory.get("logs") or {}
    services = [symptom.get("service"), *logs.get("services", [])]
    return {
        "onset": symptom.get("onset") or logs.get("onset"),
        "services": [service for service in dict.fromkeys(services) if service],
        "signatures": logs.get("signatures", []),
        "findings": _ids(memory),
    }


def _ids(memory: dict[str, Any]) -> list[str]:
    found = [made for role in WORK for made in (memory.get(role) or {}).get("findings", [])]
    return [made for made in found if made]


def _top(memory: dict[str, Any]) -> dict[str, Any] | None:
    found = (memory.get("deploys") or {}).get("candidates", [])
    return found[0] if found else None


async def _runbook(actor: Actor) -> str | None:
    """Return the citation of the runbook step that fits best."""
    memory = actor.memory
    words = " ".join((memory.get("logs") or {}).get("signatures", [])) or rows(memory["brief"]).get("title", "")
    told = await ask(actor, Call("runbooks_search", {"query": words[:400], "signals": ["deploy"]}))
    found = [ref for one in told for ref in citations(one.text) if ref.startswith("runbook:")]
    return found[0] if found else None


def _modest(memory: dict[str, Any]) -> dict[str, Any]:
    """Return what to fall back to, by field, where the first wording does not hold."""
    service = rows(memory["brief"]).get("service") or "The service"
    return {"headline": f"{service} is failing; see the evidence.", "confidence": {"value": 0.5}}


def conclusion(memory: dict[str, Any], runbook: str | None) -> dict[str, Any]:
    """Return the verdict that the reports add up to."""
    metrics, logs = memory.get("metrics") or {}, memory.get("logs") or {}
    symptom, top = metrics.get("symptom"), _top(memory)
    service = (symptom or {}).get("service") or rows(memory["brief"]).get("service")
    sure = top is not None and top["score"] >= LIKELY
    verdict: dict[str, Any] = {
        "kind": "culprit" if sure else "inconclusive",
        "headline": f"{service or 'The system'} is failing; " + ("one change explains it." if sure else "why is open."),
        "service": service,
        "state": {"state": _state(symptom), "citations": [symptom["citation"]] if symptom else []},
        "confidence": {"value": round(top["score"], 2) if top is not None else 0.2},
        "affected": [service] if service else [],
        "services": metrics.get("services", [])[:5],
    }
    if symptom:
        verdict["symptom"] = {
            "text": f"{symptom['metric']} of {symptom['service']} {symptom['move']}.",
            "service": symptom["service"],
            "metric": symptom["metric"],
            **({"onset": symptom["onset"]} if symptom["onset"] else {}),
            "facts": symptom["facts"],
            "citations": [symptom["citation"]],
        }
    if sure and top is not None:
        verdict.update(_blame(top, service, symptom, logs))
        verdict["actions"] = _actions(memory, service, runbook)
    others = (memory.get("deploys") or {}).get("candidates", [])
    verdict["suspects"] = [{"commit": c["key"], "score": c["score"]} for c in others if c["kind"] == "commit"]
    verdict["ruled_out"] = [
        {
            "suspect": {"kind": c["kind"], "key": c["key"], "label": c["label"]},
            "test": "Its time, its reach and what it does, against the symptom.",
            "result": "unlikely",
            "reason": "Another change explains the symptom better.",
            "citations": c["refs"][:3],
        }
        for c in others[1:]
        if c["score"] < LIKELY
    ]
    return verdict


def _state(symptom: dict[str, Any] | None) -> str:
    state = (symptom or {}).get("state", "unknown")
    return state if state in ("ongoing", "recovering", "recovered") else "unknown"


def _blame(
    top: dict[str, Any], service: str | None, symptom: dict[str, Any] | None, logs: dict[str, Any]
) -> dict[str, Any]:
    refs = top["what_refs"] or top["refs"][:2]
    suspect = {"kind": top["kind"], "key": top["key"], "label": top["label"]}
    mechanism = f"What the change does: {top['what']}." if top["what"] else "The change fits in time and in place."
    chain = [{"text": "The change takes effect.", "role": "cause", "citations": top["refs"][:2]}]
    if logs.get("refs"):
        chain.append({"text": "The logs show the failure.", "role": "mechanism", "citations": logs["refs"][:2]})
    if symptom:
        step: dict[str, Any] = {"text": "The symptom begins.", "role": "symptom", "citations": [symptom["citation"]]}
        chain.append({**step, "at": symptom["onset"]} if symptom["onset"] else step)
    culprit = {
        "commit": top["key"] if top["kind"] == "commit" else None,
        "source": top["source"],
        "author": top["author"],
        "subject": top["label"],
        "deploy": top["deploy"],
        "service": service,
    }
    trigger = "deploy" if top["deploy"] else top["kind"]
    return {
        "cause": {"mechanism": mechanism, "trigger": trigger, "suspect": suspect, "citations": refs},
        "chain": chain,
        "culprit": {name: value for name, value in culprit.items() if value},
    }


def _actions(memory: dict[str, Any], service: str | None, runbook: str | None) -> list[dict[str, Any]]:
    contain: dict[str, Any] = {"kind": "contain", "text": f"Roll {service or 'it'} back to what ran before the change."}
    if runbook:
        contain["runbook"] = runbook
    actions = [contain]
    if (memory.get("codefix") or {}).get("draft"):
        actions.append({"kind": "fix", "text": "Review the draft that undoes the change."})
    return actions


class _Cast(dict[str, Any]):
    """Finds a brain for a name that contains a role; whoever may delegate leads."""

    def get(self, name: str, default: Any = None) -> Any:
        role = next((role for role in WORK if role in name.lower()), None)
        return specialist(WORK[role]) if role else coordinator


SCRIPT: Script = _Cast()
