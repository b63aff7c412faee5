"""After a no: what else could be drafted, in the order in which it is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from subagents import citations
from subagents.codefix.bases import TIP, Base, choose_base
from subagents.codefix.draft import Order, draft_hunks, draft_revert
from subagents.codefix.draft_model import Kept
from subagents.codefix.fixes import Draft
from subagents.codefix.kept import all_kept, keep
from subagents.codefix.refusal import DraftRefused
from subagents.codefix.store import DraftStore
from subagents.contract import Finding, ToolError
from subagents.gitstore.process import GitFailed

Alternative = tuple[str, Callable[[], Draft]]


def draft_next(store: DraftStore, kept: Kept, reason: str) -> Draft:
    """Note that a draft was rejected and draft the next alternative; raise DraftRefused where there is none."""
    with store.hold():
        keep(store, kept.model_copy(update={"rejected": reason or "no reason was given"}))
    rejected = [other.draft for other in all_kept(store) if other.rejected is not None]
    seen = frozenset((draft.base, draft.tree) for draft in rejected)
    draft = kept.draft
    order = _order(kept, instead_of=reason, not_again=seen)
    tried = []
    for name, make in alternatives(store, order, draft):
        try:
            return make()
        except (DraftRefused, GitFailed, ValueError) as error:
            tried.append(f"{name}: {error}")
    what = "; ".join(tried) if tried else "nothing else is known of what to undo"
    raise DraftRefused(f"there is no alternative to {draft.id} ({what})")


def draft_on(store: DraftStore, kept: Kept, asked: str, findings: Sequence[Finding]) -> Draft:
    """Draft the same undoing on another base (an id, `tip`, `deployed`); raise DraftRefused where that cannot be."""
    draft = kept.draft
    if draft.undoes is None:
        raise DraftRefused("it edits the text of its own base, so it cannot be put on another one")
    base = choose_base(store.reader, asked, findings, draft.undoes)
    if base.commit == draft.base:
        raise DraftRefused(f"it is drafted on {base.commit[:12]} already: {draft.base_is}")
    order, mainline = _order(kept), draft.mainline or 1
    places = guilty_places(draft.evidence, draft.undoes) if draft.kind == "hunks" else ()
    if places:
        return draft_hunks(store, order, draft.undoes, base, places, mainline)
    return draft_revert(store, order, draft.undoes, base, mainline)


def _order(kept: Kept, instead_of: str = "", not_again: frozenset[tuple[str, str]] = frozenset()) -> Order:
    draft = kept.draft
    return Order(
        source=draft.source,
        incident=kept.incident,
        why=kept.why,
        evidence=draft.evidence,
        finding_ids=draft.finding_ids,
        runbook=draft.runbook or "",
        instead_of=instead_of,
        not_again=not_again,
    )


def alternatives(store: DraftStore, order: Order, draft: Draft) -> Iterator[Alternative]:
    """Yield what could stand in a draft's place: the guilty hunks, the whole commit, the whole commit on the tip."""
    undoes = draft.undoes
    if undoes is None:
        return
    here = Base(draft.base, draft.base_is)
    mainline = draft.mainline or 1
    places = guilty_places(draft.evidence, undoes)
    if draft.kind == "revert" and places:
        yield (
            "only the hunks that the evidence names",
            lambda: draft_hunks(store, order, undoes, here, places, mainline),
        )
    if draft.kind == "hunks":
        yield "the whole commit", lambda: draft_revert(store, order, undoes, here, mainline)
    tip = choose_base(store.reader, TIP, (), undoes)
    if tip.commit != draft.base:
        yield f"on the {tip.words}", lambda: draft_revert(store, order, undoes, tip, mainline)
        if places:
            yield (
                f"only the hunks, on the {tip.words}",
                lambda: draft_hunks(store, order, undoes, tip, places, mainline),
            )


def guilty_places(evidence: tuple[str, ...], commit: str) -> tuple[str, ...]:
    """Return the places in a commit (`path:line`) that citations name."""
    places = []
    for ref in evidence:
        try:
            parsed = citations.parse(ref)
        except ToolError:
            continue
        if isinstance(parsed, citations.CommitRef) and parsed.path and parsed.line and parsed.sha == commit:
            places.append(f"{parsed.path}:{parsed.line}")
    return tuple(dict.fromkeys(places))
