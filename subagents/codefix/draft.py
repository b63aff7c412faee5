"""Makes drafts: a commit on a base, in a store of our own, with all that a reviewer needs to know of it.

The order is the promise: objects, commit, review, record, and the ref last. Until the ref is there no draft is, and a
draft that is refused leaves none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from subagents.codefix.bases import Base
from subagents.codefix.branch import branch_names
from subagents.codefix.draft_model import Kept
from subagents.codefix.edits import Replacement, edited, new_file, require_replacements
from subagents.codefix.fixes import Draft, DraftKind
from subagents.codefix.hunks import Hunk, chosen_hunks, leans_on, parse_hunks, taken_back
from subagents.codefix.kept import keep
from subagents.codefix.message import Words, compose, plain, title_of_part, title_of_undoing
from subagents.codefix.paths import Entry, check_place, require_edit_path
from subagents.codefix.refusal import DraftRefused
from subagents.codefix.review import review
from subagents.codefix.store import REGULAR, Change, DraftStore
from subagents.codefix.undoing import Guilty, find_guilty, tree_without
from subagents.gitstore.environment import IDENTITY
from subagents.gitstore.process import Bounds
from subagents.quantities import counted, verb

_BLOB_LIMIT = 8 << 20


@dataclass(frozen=True)
class Order:
    """For whom and why a draft is made; what it names ends up in the commit's message."""

    source: str
    incident: str
    why: str = ""
    evidence: tuple[str, ...] = ()
    finding_ids: tuple[str, ...] = ()
    runbook: str = ""
    instead_of: str = ""
    """What a person said of the draft that this one replaces."""
    not_again: frozenset[tuple[str, str]] = frozenset()
    """(base, tree) of drafts that a person rejected."""


@dataclass(frozen=True)
class _Plan:
    """A draft on its way: everything but the tree."""

    kind: DraftKind
    base: Base
    title: str
    what: str
    slug: str
    guilty: Guilty | None = None
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())


def draft_revert(store: DraftStore, order: Order, commit: str, base: Base, mainline: int = 1) -> Draft:
    """Draft the undoing of a whole commit on a base; raises DraftRefused, GitFailed or ValueError."""
    guilty = find_guilty(store.reader, commit, base.commit, mainline)
    with store.hold():
        store.bring_base(base.commit)
        tree = tree_without(store, guilty, base.commit)
        subject = guilty.logged.subject
        remarks, warnings = _remarks_on(guilty)
        plan = _Plan(
            kind="revert",
            base=base,
            title=title_of_undoing(subject),
            what=f"Undoes {guilty.sha} on {base.commit[:12]} ({base.words}).{_authored(guilty)}",
            slug=f"revert {subject}",
            guilty=guilty,
            remarks=remarks,
            warnings=warnings,
        )
        return _finish(store, order, plan, tree)


def _authored(guilty: Guilty) -> str:
    when = guilty.logged.committed_at.strftime("%Y-%m-%d")
    return f" It was committed on {when} by {plain(guilty.logged.author, 60)}."


def _remarks_on(guilty: Guilty) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the message, and what the warnings, say of the commit itself."""
    remarks, warnings = [], []
    if guilty.mainline is not None:
        text = (
            f"It is a merge: parent {guilty.mainline} ({(guilty.parent or '')[:12]}) is kept as the main line. "
            "Merging that branch again later needs this revert reverted first."
        )
        remarks.append(text)
        warnings.append(text)
    if (
        guilty.logged.email == IDENTITY["GIT_AUTHOR_EMAIL"]
        and "Drafted by warroom for incident" in guilty.logged.message
    ):
        remarks.append("What is undone is itself a fix that warroom drafted and that was delivered.")
    return tuple(remarks), tuple(warnings)


def draft_hunks(
    store: DraftStore, order: Order, commit: str, base: Base, places: Sequence[str], mainline: int = 1
) -> Draft:
    """Draft the undoing of some hunks of a commit (`path:line`, or `path`), where they stand alone and still are."""
    guilty = find_guilty(store.reader, commit, base.commit, mainline)
    hunks, others = _hunks_of(store, guilty)
    chosen = chosen_hunks(hunks, places)
    rest = [hunk for hunk in hunks if hunk not in chosen]
    if why := leans_on(chosen, rest):
        raise DraftRefused(f"the hunks do not stand alone: {why}. Undo the whole commit instead")
    with store.hold():
        store.bring_base(base.commit)
        changes = list(_taken_back(store, guilty, base, chosen))
        tree = store.write_tree(base.commit, changes)
        names = ", ".join(plain(hunk.name, 100) for hunk in chosen[:6]) + (" …" if len(chosen) > 6 else "")
        plan = _Plan(
            kind="hunks",
            base=base,
            title=title_of_part(guilty.logged.subject),
            what=f"Undoes {len(chosen)} of {len(hunks)} hunks of {guilty.sha} ({names}) on {base.commit[:12]} "
            f"({base.words}); the rest of it stays.{_authored(guilty)}",
            slug=f"undo part {guilty.logged.subject}",
            guilty=guilty,
            remarks=_remarks_on(guilty)[0],
            warnings=(*_remarks_on(guilty)[1], *_what_stays(guilty, len(rest), others)),
        )
        return _finish(store, order, plan, tree)


def _what_stays(guilty: Guilty, hunks: int, others: int) -> tuple[str, ...]:
    counts = [counted(hunks, "other hunk")] * bool(hunks) + [f"{counted(others, 'file')} without hunks"] * bool(others)
    return (f"{' and '.join(counts)} of {guilty.sha[:12]} {verb(hunks + others, 'stay')}",) if counts else ()


def _hunks_of(store: DraftStore, guilty: Guilty) -> tuple[list[Hunk], int]:
    """Return every hunk in the commit's plain files, and how many files it changes otherwise (new, binary, links)."""
    if guilty.parent is None:
        raise DraftRefused(f"{guilty.sha[:12]} is a first commit: it has no hunks to take back")
    reader = store.reader.store
    both = ["--no-renames", "--full-index", "--no-ext-diff", "--no-textconv", guilty.parent, guilty.sha]
    raw = reader.need(["diff-tree", "-r", "-z", "--raw", *both], bounds=Bounds(60.0, 16 << 20))
    tokens = raw.decode("utf-8", "surrogateescape").split("\0")
    heads = [(head[1:].split(" "), path) for head, path in zip(tokens[::2], tokens[1::2], strict=False)]
    asked = ["diff-tree", "-r", "-p", "-U3", "--no-color", "--inter-hunk-context=0", "--diff-algorithm=myers", *both]
    data = reader.need(asked, bounds=Bounds(60.0, 16 << 20))
    parts = (b"\n" + data).split(b"\ndiff --git ")[1:]
    hunks: list[Hunk] = []
    others = 0
    for (old, new, _, _, status), path in heads:
        part, parts = parts[:1], parts[2 if status.startswith("T") else 1 :]
        found: list[Hunk] = []
        if status == "M" and part and {old, new} <= REGULAR:
            found = parse_hunks(path, part[0] if part[0].endswith(b"\n") else part[0] + b"\n")
        hunks += found
        others += not found
    return hunks, others


def _taken_back(store: DraftStore, guilty: Guilty, base: Base, chosen: Sequence[Hunk]) -> list[Change]:
    changes = []
    listing = _Listing(store, base.commit)
    for path in dict.fromkeys(hunk.path for hunk in chosen):
        then, entry = store.reader.file_at(guilty.sha, path, _BLOB_LIMIT), listing.find(path)
        if then is None or entry is None or entry.mode not in REGULAR:
            raise DraftRefused(
                f"{plain(path, 200)} is no plain file of {base.commit[:12]}, so its hunks cannot be taken back"
            )
        now = store.need(["cat-file", "blob", entry.blob], bounds=Bounds(30.0, _BLOB_LIMIT))
        data = taken_back(now, [hunk for hunk in chosen if hunk.path == path], unchanged=then.oid == entry.blob)
        changes.append(Change(path, entry.mode, store.write_blob(data)))
    return changes


class _Listing:
    """The files of a commit, as `ls-tree` gives them; read in full only where a new file needs that."""

    def __init__(self, store: DraftStore, commit: str) -> None:
        self._data = b"\0" + store.need(["ls-tree", "-r", "-z", commit], bounds=Bounds(60.0, 256 << 20))

    def find(self, path: str) -> Entry | None:
        """Return the file at exactly this path."""
        wanted = b"\t" + path.encode("utf-8", "surrogateescape") + b"\0"
        at = self._data.find(wanted)
        while at >= 0:
            head = self._data[self._data.rfind(b"\0", 0, at) + 1 : at]
            if b"\t" not in head:  # else the rest of a longer name
                return _entry(head)
            at = self._data.find(wanted, at + 1)
        return None

    def all(self) -> dict[str, Entry]:
        """Return every file by its path."""
        records = (record.partition(b"\t") for record in self._data.split(b"\0") if record)
        return {path.decode("utf-8", "surrogateescape"): _entry(head) for head, _, path in records}


def _entry(head: bytes) -> Entry:
    mode, _, oid = head.decode("ascii").split(" ")
    return Entry(mode, oid)


def require_edits(replacements: Sequence[Replacement]) -> None:
    """Raise ValueError for replacements that no base could take: their number, size, text or paths."""
    require_replacements(replacements)
    for item in replacements:
        require_edit_path(item.path)


def draft_edit(store: DraftStore, order: Order, base: Base, title: str, replacements: Sequence[Replacement]) -> Draft:
    """Draft exact replacements on the base's stored files, and new files; raises DraftRefused or ValueError."""
    require_edits(replacements)
    title = plain(title, 72)
    if not title:
        raise ValueError("an edit needs a title that says what it does")
    with store.hold():
        store.bring_base(base.commit)
        changes = _edits(store, _Listing(store, base.commit), replacements)
        names = ", ".join(plain(change.path, 100) for change in changes[:6]) + (" …" if len(changes) > 6 else "")
        plan = _Plan(
            kind="edit",
            base=base,
            title=title,
            what=f"Changes {names} on {base.commit[:12]} ({base.words}).",
            slug=title,
        )
        return _finish(store, order, plan, store.write_tree(base.commit, changes))


def _edits(store: DraftStore, listing: _Listing, replacements: Sequence[Replacement]) -> list[Change]:
    by_path: dict[str, list[Replacement]] = {}
    for item in replacements:
        by_path.setdefault(item.path, []).append(item)
    here = {path: entry for path in by_path if (entry := listing.find(path)) is not None}
    tree = here if len(here) == len(by_path) else listing.all()
    planned: list[tuple[str, str, bytes]] = []
    for path, items in by_path.items():
        entry = check_place(path, tree, by_path)
        if entry is None:
            if len(items) != 1 or items[0].old:
                raise ValueError(f"{path[:80]}: the base has no such file; to make it, give one text and no old text")
            planned.append((path, "100644", new_file(path, items[0].new)))
        else:
            data = store.need(["cat-file", "blob", entry.blob], bounds=Bounds(30.0, _BLOB_LIMIT))
            planned.append((path, entry.mode, edited(data, items)))
    return [Change(path, mode, store.write_blob(data)) for path, mode, data in planned]


def _finish(store: DraftStore, order: Order, plan: _Plan, tree: str) -> Draft:
    """Commit a tree, review it, and give it its branch."""
    base = plan.base.commit
    if (base, tree) in order.not_again:
        raise DraftRefused("it is the same change that was rejected")
    message = _message(order, plan)
    commit = store.write_commit(tree, base, message)
    seen = review(store, base, commit)
    if not seen.files:
        raise DraftRefused(f"it changes nothing on {base[:12]}")
    draft = Draft(
        id=f"d-{commit[:10]}",
        kind=plan.kind,
        source=order.source,
        store=str(store.git_dir),
        commit=commit,
        tree=tree,
        base=base,
        base_is=plan.base.words,
        branch="",
        title=plan.title,
        message=message,
        undoes=plan.guilty.sha if plan.guilty else None,
        mainline=plan.guilty.mainline if plan.guilty else None,
        files=seen.files,
        diff=seen.diff,
        diff_digest=seen.digest,
        warnings=(*plan.warnings, *seen.warnings),
        evidence=order.evidence,
        finding_ids=order.finding_ids,
        runbook=order.runbook or None,
    )
    return _published(store, order, plan, draft)


def _message(order: Order, plan: _Plan) -> str:
    remarks = plan.remarks
    if order.instead_of:
        remarks = (*remarks, f"It replaces a draft that was rejected: {plain(order.instead_of, 300)}")
    return compose(
        Words(
            title=plan.title,
            what=plan.what,
            why=order.why,
            remarks=remarks,
            incident=order.incident,
            evidence=order.evidence,
            runbook=order.runbook,
        )
    )


def _published(store: DraftStore, order: Order, plan: _Plan, draft: Draft) -> Draft:
    """Record a draft and create its branch; the same draft has the same branch again."""
    held = {commit: name for name, commit in store.branches().items()}
    names = [held[draft.commit]] if draft.commit in held else branch_names(order.incident, plan.slug)
    for name in names:
        if name in held.values() and held.get(draft.commit) != name:
            continue
        named = draft.model_copy(update={"branch": name})
        keep(store, Kept(draft=named, incident=order.incident, why=order.why))
        if store.create_ref(name, draft.commit):
            return named
    raise DraftRefused("there are too many drafts of this name in this session")
