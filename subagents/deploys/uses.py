"""Who uses what a change touches: names that its hunks define, are inside of, or set, and the lines that hold them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from subagents.contract import ToolError
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.comments import word_set
from subagents.deploys.model import CallersParams, CallersResult, Use, UsedSymbol
from subagents.deploys.paths import path_class
from subagents.deploys.reach import ServiceMap
from subagents.deploys.sources.patch import FileDiff, diffs_of
from subagents.deploys.sources.records import Commit
from subagents.gitstore.process import GitFailed
from subagents.quantities import counted

SYMBOLS_LIMIT = 12
HITS_LIMIT = 2_000
"""Lines that the search may give before they are sorted by symbol."""
SHORTEST = 4
"""Letters of a name that is searched for by itself; shorter ones are everywhere."""
_DEFINED = re.compile(
    r"\b(?:def|class|func(?:\s*\([^)]*\))?|function|fn|interface|struct|trait|enum|type|module|sub|macro_rules!)\s+"
    r"(?P<name>[A-Za-z_]\w*)"
)
_METHOD = re.compile(r"\b(?P<name>[A-Za-z_]\w*)\s*\([^;]*$")
_SET = re.compile(r"""^\s*(?:export\s+)?["']?(?P<name>[A-Za-z_][\w.\-]*)["']?\s*(?::=|[:=])\s*\S""")
_WORDS = word_set("if for while switch return catch with elif else assert raise throw new await yield sizeof")


def changed_names(diffs: Sequence[FileDiff]) -> list[tuple[str, str]]:
    """Return (name, path) of what hunks define, are inside of or set: changed lines first, then what is around them."""
    own: dict[tuple[str, str], None] = {}
    around: dict[tuple[str, str], None] = {}
    for diff in diffs[:100]:
        if path_class(diff.path) in ("docs", "style", "binary", "generated", "lock"):
            continue
        for hunk in diff.hunks[:100]:
            inside = _DEFINED.search(hunk.header) or _METHOD.search(hunk.header)
            for line in hunk.lines[:400]:
                if line.tag == " ":
                    inside = _DEFINED.search(line.text) or inside
                    continue
                own.update(dict.fromkeys((name, diff.path) for name in _names(line.text, diff.path)))
                if inside:
                    around[inside["name"], diff.path] = None
    kept = [pair for pair in {**own, **around} if len(pair[0]) >= SHORTEST and pair[0] not in _WORDS]
    return kept[:SYMBOLS_LIMIT]


def _names(text: str, path: str) -> list[str]:
    defined = [match["name"] for match in _DEFINED.finditer(text)]
    assigned = _SET.match(text)
    settings = path_class(path) in ("config", "infra", "manifest") or (assigned and assigned["name"].isupper())
    return [*defined, *([assigned["name"]] if assigned and settings else [])]


def find_callers(
    catalogue: ChangeCatalogue, services: ServiceMap, calls: frozenset[tuple[str, str]], params: CallersParams
) -> CallersResult:
    """Return the uses of what a commit changes, as of that commit, and the services that call those it touches."""
    commit = catalogue.commit(params.commit.strip().lower(), params.source or None)
    catalogue.fill_patches([commit])
    diffs = diffs_of(commit)
    names = [(params.symbol.strip(), "")] if params.symbol.strip() else changed_names(diffs)
    owners = {name for touched in commit.files[:200] for name in services.owners(touched.path)}
    callers = sorted({one for one, other in calls if other in owners and one not in owners})
    reason = commit.no_patch if commit.patch is None else "" if names else "its hunks name nothing that is used by name"
    symbols: tuple[UsedSymbol, ...] = ()
    if names:
        symbols, reason = _used(catalogue, services, commit, names, params.limit)
    return CallersResult(
        commit=commit.sha, symbols=symbols, services=tuple(sorted(owners)), called_by=tuple(callers), reason=reason
    )


def _used(
    catalogue: ChangeCatalogue, services: ServiceMap, commit: Commit, names: list[tuple[str, str]], limit: int
) -> tuple[tuple[UsedSymbol, ...], str]:
    repo = catalogue.repos.get(commit.source)
    reader = repo.reader() if repo else None
    if reader is None:
        bare = tuple(UsedSymbol(name=name, path=path) for name, path in names)
        return bare, "no repository holds the files around it: attach it with --repo"
    try:
        hits = reader.search_any(commit.sha, list(dict.fromkeys(name for name, _ in names)), HITS_LIMIT)
    except (GitFailed, ValueError) as error:
        raise ToolError(f"{commit.source}: {error}") from error
    found = []
    for name, path in names:
        whole = re.compile(
            rf"(?<![\w.-]){re.escape(name)}(?![\w-])" if "." in name else rf"(?<!\w){re.escape(name)}(?!\w)"
        )
        uses = [
            Use(
                path=hit.path,
                line=hit.line,
                text=hit.text.strip()[:300],
                services=tuple(sorted(services.owners(hit.path))),
            )
            for hit in hits
            if whole.search(hit.text) and not _defines(hit.text, name)
        ]
        uses.sort(key=lambda use: (path_class(use.path) == "test", use.path == path, use.path, use.line))
        found.append(UsedSymbol(name=name, path=path, uses=tuple(uses[:limit]), more=max(0, len(uses) - limit)))
    cut = f"only the first {HITS_LIMIT} lines were looked at" if len(hits) >= HITS_LIMIT else ""
    return tuple(found), cut


def _defines(text: str, name: str) -> bool:
    return any(match["name"] == name for match in _DEFINED.finditer(text))


def callers_text(result: CallersResult) -> str:
    """Return the uses as text."""
    lines = [f"{result.commit}: touches {', '.join(result.services) or 'no known service'}"]
    if result.called_by:
        lines.append(f"called by {', '.join(result.called_by)}")
    for symbol in result.symbols:
        lines.append(f"{symbol.name} ({symbol.path or 'asked for'}): {counted(len(symbol.uses) + symbol.more, 'use')}")
        lines += [f"  {use.path}:{use.line} {', '.join(use.services)}: {use.text}" for use in symbol.uses]
        if symbol.more:
            lines.append(f"  {symbol.more} more")
    return "\n".join([*lines, *([f"note: {result.reason}"] if result.reason else [])])
