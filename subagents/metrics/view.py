"""A measured series as the typed, cited view that tools return."""

from __future__ import annotations

from subagents import quantities as q
from subagents.contract import Evidence, Fact, ToolError
from subagents.metrics.cite import at, cite, facts_of, iso
from subagents.metrics.exhaustion import Exhausted
from subagents.metrics.levels import level_facts, levels_of
from subagents.metrics.limits import CPU
from subagents.metrics.model import ExhaustedView, FlowView, RankReport, ReasonView, SeriesView, ServiceRank
from subagents.metrics.ranking import Ranked
from subagents.metrics.scene import Measured, Scene, measure_all, window_of
from subagents.metrics.series import SeriesKey, Store
from subagents.metrics.sources.stamps import moment
from subagents.metrics.symptom import Asked


def view_of(measured: Measured, start: float, end: float) -> tuple[SeriesView, Evidence]:
    """Return the view of a series over a window and the evidence that it cites."""
    proof = cite(measured.frame, measured.row, start, end)
    if proof is None:
        raise ToolError(f"{measured.key.service} {measured.key.name} has no point in that window")
    found, key = measured.found, measured.key
    view = SeriesView(
        source=key.source,
        service=key.service,
        name=key.name,
        role=found.traits.role,
        unit=found.traits.unit + ("/s" if found.traits.counter else ""),
        bad=found.traits.bad,
        user_facing=found.traits.user_facing,
        citation=proof.ref,
        points=found.points,
        baseline=found.baseline,
        latest=found.latest,
        onset=at(found.onset),
        rising=found.rising,
        hurts=found.bad,
        peak=found.peak,
        peak_at=at(found.peak_at),
        factor=found.factor,
        size=round(found.score, 3),
        seconds=found.seconds,
        last=at(found.last),
        state=found.state,
        spread=found.spread,
        beyond=found.beyond,
        sudden=found.sudden,
        step=measured.frame.step,
        facts=facts_of(found, proof.ref),
    )
    return view, proof


def rank_view(store: Store, scene: Scene, asked: Asked, limit: int) -> tuple[RankReport, list[Evidence]]:
    """Return a scene's ranking and the evidence it cites."""
    proofs: list[Evidence] = []
    services = tuple(_ranked(store, scene, item, proofs) for item in scene.ranked[:limit])
    symptom = None
    if scene.choice is not None:
        measured = measure_all(store, scene.start, scene.end, [scene.choice.signal.key])
        if measured:
            symptom, proof = view_of(measured[0], scene.start, scene.end)
            proofs.insert(0, proof)
    named = _named(store, scene, asked, proofs)
    report = RankReport(
        window=window_of(scene.start, scene.end),
        split=moment(scene.split),
        services=services,
        symptom=symptom,
        why_symptom=scene.choice.why if scene.choice else "",
        asked=named,
        lead=_lead(services),
        surge=scene.surge,
        flow=_flow(store, scene, proofs),
        onset_found=scene.onset_found,
        sees=scene.sees,
        standing=_view(store, scene, scene.standing, proofs),
        exhausted=tuple(view for one in scene.exhausted if (view := _exhausted(store, scene, one, proofs)) is not None),
    )
    return report, proofs


def _named(store: Store, scene: Scene, asked: Asked, proofs: list[Evidence]) -> SeriesView | None:
    """Return the one series of the name and service that were asked for, unless it is the symptom."""
    same = (asked.service, asked.metric)
    keys = [key for _, _, key in store.series() if (key.service, key.name) == same and asked.metric]
    chosen = scene.choice.signal.key if scene.choice is not None else None
    return _view(store, scene, keys[0] if len(keys) == 1 and keys[0] != chosen else None, proofs)


def _view(store: Store, scene: Scene, key: SeriesKey | None, proofs: list[Evidence]) -> SeriesView | None:
    """Return one series as it is cited; None where there is none."""
    measured = measure_all(store, scene.start, scene.end, [key]) if key is not None else []
    if not measured:
        return None
    view, proof = view_of(measured[0], scene.start, scene.end)
    proofs.append(proof)
    return view


def _exhausted(store: Store, scene: Scene, one: Exhausted, proofs: list[Evidence]) -> ExhaustedView | None:
    view = _view(store, scene, one.signal.key, proofs)
    limit = _view(store, scene, one.limit.key if one.limit is not None else None, proofs)
    ended = _view(store, scene, one.ended.key if one.ended is not None else None, proofs)
    if view is None:
        return None
    at = view.onset if one.kind == CPU and view.onset is not None else moment(one.at)
    reached = Fact(quantity=q.REACHED, value=iso(one.at), citation=(ended or view).citation)
    told = (view.peak, q.PEAK) if view.peak is not None else (view.latest, q.LATEST)
    facts = tuple(fact for fact in view.facts if fact.quantity in (q.BASELINE, q.ONSET, told[1]))
    facts += () if one.kind == CPU else (reached,)
    facts += tuple(fact for fact in (limit.facts if limit is not None else ()) if fact.quantity == q.BASELINE)
    return ExhaustedView(
        kind=one.kind,
        view=view,
        at=at,
        began=min(at, moment(one.began)),
        limit=limit,
        ended=ended,
        unproven=one.unproven,
        facts=facts,
    )


def _flow(store: Store, scene: Scene, proofs: list[Evidence]) -> FlowView | None:
    place = store.find(scene.flow) if scene.flow is not None else None
    proof = cite(*place, scene.start, scene.end) if place is not None else None
    if place is None or proof is None:
        return None
    frame, row = place
    columns, since = frame.slice(scene.start, scene.end), window_of(scene.split, scene.end + frame.step)
    levels = levels_of(frame.keys[row].name, frame.times[columns], frame.values[row, columns], since)
    if levels is None:
        return None
    proofs.append(proof)
    key = frame.keys[row]
    return FlowView(service=key.service, name=key.name, citation=proof.ref, facts=level_facts(levels, proof.ref, since))


def _lead(services: tuple[ServiceRank, ...]) -> float | None:
    if len(services) < 2 or services[1].score <= 0:
        return None
    return round(services[0].score / services[1].score, 3)


def _ranked(store: Store, scene: Scene, item: Ranked, proofs: list[Evidence]) -> ServiceRank:
    reasons = []
    for reason in item.reasons:
        key = reason.signal.key if reason.signal is not None else reason.key
        place = store.find(key) if key is not None else None
        proof = cite(*place, scene.start, scene.end) if place is not None else None
        proofs += [proof] if proof is not None else []
        reasons.append(
            ReasonView(
                kind=reason.kind,
                strength=round(reason.strength, 3),
                text=reason.text,
                citation=proof.ref if proof is not None else None,
            )
        )
    since = moment(item.since) if item.since is not None else None
    return ServiceRank(service=item.service, score=round(item.score, 4), since=since, reasons=tuple(reasons))
