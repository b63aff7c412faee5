"""Collects sources, alerts and manifests from what was given, file by file."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pydantic import JsonValue

from orchestrator.intake.alerts import ParsedAlert, parse_alert
from orchestrator.intake.copies import copies
from orchestrator.intake.folder import Walk, inside, is_repository
from orchestrator.intake.journal_text import JOURNAL_FORMS
from orchestrator.intake.manifest import Manifest, read_manifest
from orchestrator.intake.model import IntakeOptions
from orchestrator.intake.naming import shown, source_id
from orchestrator.intake.recognise import Recognised, bare_name, recognise
from orchestrator.intake.recorded import read_recorded
from orchestrator.intake.spool import Spool
from subagents.contract import Problem, SourceKind, SourceSpec
from subagents.logs.sources.file_names import service_of_file

_UNUSED_NAMED = 40
_DOCUMENTS = ("alert", "manifest", "case")


@dataclass(frozen=True)
class Candidate:
    """One file to look at."""

    path: Path
    relative: str
    """Below the folder that was given, or the file's own name; the source's id comes from it."""
    origin: str
    """As people are shown it."""
    explicit: bool = False
    kind: SourceKind | None = None
    """What a manifest says that it is."""
    name: str = ""
    """The name that says what it is, where its path does not (a spooled stream)."""


@dataclass
class Gathered:
    """All that came in so far. Adding a file never raises for what the file is."""

    spool: Spool
    options: IntakeOptions
    specs: list[SourceSpec] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    alerts: list[ParsedAlert] = field(default_factory=list)
    manifests: list[Manifest] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)
    _why_unused: Counter[str] = field(default_factory=Counter)

    def add_folder(self, root: Path, origin: str, prefix: str) -> None:
        """Take in a folder: its manifest first, then all that is recognised."""
        found = Walk(root, self.options.limits).run()
        self.problems.extend(found.problems)
        self.unused.extend(shown(f"{origin}/{name}") for name in found.refused)
        names = dict.fromkeys(found.files)
        first = [n for n in names if n.lower() in ("case.json", "incident.json", "case.json.gz", "incident.json.gz")]
        for name in first:
            self.add_file(Candidate(root / name, prefix + name, f"{origin}/{name}"))
            names.pop(name)
        for manifest in self.manifests[-len(first) :] if first else []:
            self._add_named(manifest, root, origin, prefix, names)
        for folder in found.runbooks:
            self._add_runbooks(folder, root, origin, prefix, names)
        if root.name.lower() == "runbooks" and any("/" not in n and n.lower().endswith(".md") for n in names):
            self._add_runbooks("", root, origin, prefix, names)
        for folder in found.repos:
            self.add_repo(
                root / folder if folder else root, prefix + folder or "repo", f"{origin}/{folder}".rstrip("/")
            )
        for name in names:
            self.add_file(Candidate(root / name, prefix + name, f"{origin}/{name}"))

    def add_file(self, candidate: Candidate) -> None:
        """Take in one file: as a source, as the alert or the manifest, or as not used and why."""
        origin = shown(candidate.origin)
        if len(self.specs) >= self.options.limits.sources:
            self._leave(origin, f"more than {self.options.limits.sources} sources", "give a smaller folder")
            return
        name = candidate.name or candidate.path.name
        what = recognise(candidate.path, name, origin, self.options.limits, candidate.explicit)
        if candidate.kind is not None and (what.role in (None, *_DOCUMENTS) or what.role != candidate.kind):
            what = self._as_named(candidate, what)
        self.problems.extend(what.problems)
        if what.role is None:
            self._leave(origin, what.reason, what.todo)
        elif what.role in _DOCUMENTS:
            self._add_document(candidate, what)
        else:
            self._add_source(candidate, what, cast(SourceKind, what.role))

    def add_repo(self, path: Path, relative: str, origin: str) -> None:
        """Take in a git repository."""
        self._spec("repo", self.spool.addressable(path), relative, shown(origin), {})

    def add_spec(self, kind: SourceKind, path: Path, relative: str, origin: str, options: dict[str, str]) -> None:
        """Take in a source that needs no recognising."""
        self._spec(kind, self.spool.addressable(path), relative, shown(origin), options)

    def finish(self) -> None:
        """Give logs their services, and say in one line each what was left out beyond the first ones."""
        self._leave_copies()
        self._name_services()
        for reason, count in self._why_unused.items():
            if count > _UNUSED_NAMED:
                more = count - _UNUSED_NAMED
                self.problems.append(Problem(what=f"not used: {more} more files: {reason}", count=more))

    def _leave_copies(self) -> None:
        logs = [spec for spec in self.specs if spec.kind == "logs" and "recorded" not in spec.options]
        twice = list(copies(logs))
        for copy, first in twice:
            self._leave(copy.origin, f"it says the same as {first.origin}, which is read: events count once")
        left = {copy.id for copy, _ in twice}
        self.specs = [spec for spec in self.specs if spec.id not in left]

    def _as_named(self, candidate: Candidate, what: Recognised) -> Recognised:
        """The manifest says what a file is: that counts, unless the file cannot be read at all."""
        if what.role is None and what.reason and not what.reason.startswith(("nothing", "a table", "a note", "docum")):
            return what
        return Recognised(candidate.kind, encoding=what.encoding, problems=what.problems)

    def _leave(self, origin: str, reason: str, todo: str = "") -> None:
        self.unused.append(origin)
        self._why_unused[reason] += 1
        if self._why_unused[reason] <= _UNUSED_NAMED:
            self.problems.append(Problem(what=f"not used: {reason}", where=origin, todo=todo))

    def _add_document(self, candidate: Candidate, what: Recognised) -> None:
        where = shown(candidate.origin)
        if what.role == "alert":
            self.alerts.append(parse_alert(what.document, where))
            return
        manifest = read_manifest(what.document, where)
        self.manifests.append(manifest)
        self.problems.extend(manifest.problems)
        commits = what.document.get("commits") if isinstance(what.document, dict) else None
        if isinstance(commits, list) and commits:
            head = what.document.get("head_sha") if isinstance(what.document, dict) else None
            options = {"head": head} if isinstance(head, str) and head else {}
            path = self.spool.records(f"{candidate.path.name}-commits.json", commits)
            self._spec("commits", path, f"{candidate.relative}/commits", where, options)

    def _add_source(self, candidate: Candidate, what: Recognised, kind: SourceKind) -> None:
        path, origin, options = candidate.path, shown(candidate.origin), dict(what.options)
        try:
            if kind == "evidence":
                self._add_recorded(candidate, what.document)
                return
            form = options.pop("form", "")
            if form in JOURNAL_FORMS:
                path, problem = self.spool.entries(path, origin, form)
                self.problems.extend([problem] if problem else [])
            elif form == "array" and isinstance(what.document, list):
                path = self.spool.lines(f"{candidate.path.name}.jsonl", what.document)
            elif what.encoding not in (None, "utf-8-sig"):  # readers skip the mark of UTF-8 themselves
                path, problem = self.spool.utf8(path, origin, what.encoding)
                self.problems.extend([problem] if problem else [])
        except OSError as error:
            self._leave(origin, f"cannot be copied into the session ({error.strerror or error})", "make room")
            return
        if options.pop("series", "") == "single":
            options["metric"] = bare_name(candidate.path.name).rpartition(".")[0] or "value"
        self._spec(kind, self.spool.addressable(path), candidate.relative, origin, options)

    def _add_recorded(self, candidate: Candidate, document: JsonValue) -> None:
        """Take in recorded outputs of tools: what they logged or listed as logs, what they measured as metrics."""
        origin, stem = shown(candidate.origin), bare_name(candidate.path.name).rpartition(".")[0] or "evidence"
        outputs = read_recorded(document)
        if not outputs:
            self._leave(origin, "no recorded outputs: an object of tool name -> output is expected")
        points: list[JsonValue] = []
        for output in outputs:
            where = shown(f"{origin}: {output.tool}")
            points += output.points
            options = {"recorded": output.tool[:200]}
            if output.left_out:
                self._leave(where, output.left_out)
            elif output.text is not None:
                path = self.spool.text(f"{output.tool[:80]}.txt", output.text)
                self._spec("logs", path, f"{stem}/{output.tool[:80]}", where, options)
            elif output.records:
                path = self.spool.lines(f"{output.tool[:80]}.jsonl", output.records)
                self._spec("logs", path, f"{stem}/{output.tool[:80]}", where, options)
        if points:
            path = self.spool.records(f"{stem}-metrics.json", points)
            self._spec("metrics", path, f"{stem}/metrics", origin, {})

    def _spec(self, kind: SourceKind, path: Path, relative: str, origin: str, options: dict[str, str]) -> None:
        number = source_id(relative, self._ids)
        self._ids.add(number)
        where = os.path.abspath(path)
        self.specs.append(SourceSpec(id=number, kind=kind, path=where, origin=origin, options=options))

    def _add_named(self, manifest: Manifest, root: Path, origin: str, prefix: str, names: dict[str, None]) -> None:
        """Take in what a manifest names; `names` loses what is taken."""
        for named in manifest.files:
            relative = os.path.normpath(named.path)
            where = shown(f"{origin}/{named.path}")
            if os.path.isabs(named.path) or relative.startswith("..") or ".." in Path(named.path).parts:
                self.problems.append(
                    Problem(what="the manifest names a path outside its folder: refused", where=where, lost="that file")
                )
            elif not os.path.lexists(root / relative):
                self.problems.append(Problem(what="the manifest names it, and it is not there", where=where))
            elif not inside(root, root / relative):
                names.pop(relative, None)
                self.problems.append(
                    Problem(what="the manifest names a link that leads out of its folder: refused", where=where)
                )
            elif (root / relative).is_dir():
                if named.kind == "runbooks":
                    self._add_runbooks(relative, root, origin, prefix, names)
                elif named.kind != "repo" and not is_repository(root / relative):
                    self.problems.append(Problem(what="a folder where the manifest should name a file", where=where))
            elif relative in names:
                names.pop(relative)
                self.add_file(Candidate(root / relative, prefix + relative, f"{origin}/{relative}", kind=named.kind))

    def _add_runbooks(self, folder: str, root: Path, origin: str, prefix: str, names: dict[str, None]) -> None:
        start = f"{folder}/" if folder else ""
        pages = [name for name in names if name.startswith(start) and name.lower().endswith(".md")]
        for name in pages:
            names.pop(name)
        if pages:
            place = f"{origin}/{folder}".rstrip("/")
            self.add_spec("runbooks", root / folder, (prefix + folder).strip("/") or "runbooks", place, {})

    def _name_services(self) -> None:
        """A log named after a known service, or one of several named logs in a folder, is that service's."""
        known = {*self.options.services, *(name for manifest in self.manifests for name in manifest.services)}
        logs = [s for s in self.specs if s.kind == "logs" and "recorded" not in s.options]
        named = {s.id: service_of_file(s.id.rpartition("/")[2]) for s in logs}
        per_folder = Counter(s.origin.rpartition("/")[0] for s in self.specs if named.get(s.id))
        for index, spec in enumerate(self.specs):
            service = named.get(spec.id)
            alone = per_folder[spec.origin.rpartition("/")[0]] < 2
            if service and "service" not in spec.options and (service in known or not alone):
                self.specs[index] = spec.model_copy(update={"options": {**spec.options, "service": service}})
