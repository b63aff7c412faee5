"""Signs in what says how things are run: references by name, images, schedules, sizes of machines, other settings."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

from subagents.deploys.comments import word_set
from subagents.deploys.gates import needs
from subagents.deploys.hunkview import HunkView, Pair, words
from subagents.deploys.paths import path_class
from subagents.deploys.signs import Sign, quote

_SETTING = re.compile(r"""^\s*(?:-\s+)?["']?([A-Za-z_][\w.\-/]*)["']?\s*(?::=|[:=]|\s(?=\S))\s*(\S.*?)[,;]?\s*$""")
TOLD_TO_PEOPLE = word_set("""
    description desc title summary label labels annotation annotations comment comments note notes author authors
    maintainer maintainers owner owners team tags tag_name display displayname name_template message text help
    documentation doc docs example examples placeholder alert runbook contact email homepage licence license
    appversion __version__ version chart legend caption subtitle heading tooltip icon color colour copyright
""")
"""Settings that tell people something: nothing runs otherwise for them."""
_ENV_NAME = re.compile(r"""^-?\s*name:\s*["']?([A-Z][A-Z0-9]*_[A-Z0-9_]+)["']?$""")
_IMAGE_KEY = re.compile(r"(?i)(?:^|[._-])(?:image|tag|digest|imagetag|image_tag)$")
_CRON = re.compile(
    r"""(?:^|[\s"'=(])((?:[\d*/,\-]+|\?)(?:\s+(?:[\d*/,\-]+|\?|[A-Za-z]{3}(?:-[A-Za-z]{3})?)){4,5})(?:$|[\s"',)])"""
)
_MACHINE = re.compile(
    r"(?i)\b\w*(?:instance|machine|node|vm|sku|tier|plan|compute)\w*[\s.\"']*[:=]|\w*_(?:class|type|size)\s*[:=]"
)
_LADDER = ("nano", "micro", "small", "medium", "large", "xlarge")
_RUNG = re.compile(r"(?i)(?:^|[.\-_])(?:(\d*)(xlarge)|(nano|micro|small|medium|large))(?=$|[\s\"'.\-_])")
_TEXTS = re.compile(r"(^|/)(locales?|i18n|l10n|translations|lang|messages|dashboards?)/", re.IGNORECASE)


def _runs(view: HunkView) -> bool:
    return path_class(view.path) in ("config", "infra") and not _TEXTS.search(view.path)


def _bare(value: str) -> str:
    """Return a value without its quotes, blanks and the marks around what is filled in."""
    return re.sub(r"[\"'`\s,${}]+", "", value)


def _settings(view: HunkView) -> Iterator[tuple[Pair, str, str, str]]:
    """Yield (pair, key, old value, new value) of settings that keep their name."""
    for pair in view.pairs if _runs(view) else ():
        old, new = _SETTING.match(pair.old), _SETTING.match(pair.new)
        if old and new and old[1] == new[1] and _bare(old[2]) != _bare(new[2]):
            yield pair, old[1], old[2], new[2]


def _images(view: HunkView) -> Iterator[Sign]:
    for pair, key, _, _ in _settings(view):
        if _IMAGE_KEY.search(key):
            yield Sign("changed_image", f"another image: {quote(pair.new)}", view.path, pair.line or view.place)
            return


@needs(_ENV_NAME)
def _env_names(view: HunkView) -> Iterator[Sign]:
    for pair in view.pairs if _runs(view) else ():
        old, new = _ENV_NAME.match(pair.old), _ENV_NAME.match(pair.new)
        if old and new and old[1] != new[1]:
            what = f"a key is renamed: {quote(pair.old)} -> {quote(pair.new)}"
            yield Sign("renamed_key", what, view.path, pair.line or view.place)
            return


@needs(_CRON)
def _schedules(view: HunkView) -> Iterator[Sign]:
    for pair in view.pairs:
        old, new = _CRON.search(pair.old), _CRON.search(pair.new)
        if old and new and old[1].split() != new[1].split():
            often = new[1].count("*") > old[1].count("*") or new[1].count("/") > old[1].count("/")
            what = f"{'runs more often' if often else 'runs at other times'}: {quote(pair.new)}"
            yield Sign("changed_schedule", what, view.path, pair.line or view.place, 1.3 if often else 1.0)
            return


def _rung(value: str) -> float | None:
    """Return how large a machine is called, on the ladder of sizes that the clouds share; None where it is not said."""
    match = _RUNG.search(value)
    if match is None:
        return None
    if match[2]:
        return _LADDER.index("xlarge") + math.sqrt(max(0, int(match[1] or 1) - 1))
    return float(_LADDER.index(match[3].lower()))


@needs(_MACHINE)
def _machines(view: HunkView) -> Iterator[Sign]:
    for pair, _, old, new in _settings(view):
        before, after = _rung(old), _rung(new)
        if not _MACHINE.search(pair.new) or before is None or after is None or before == after:
            continue
        if after < before:
            what = f"a smaller machine: {quote(pair.new)}"
            yield Sign(
                "lowered_limit", what, view.path, pair.line or view.place, min(1.4, 0.6 + 0.2 * (before - after))
            )
        else:
            yield Sign("raised_limit", f"a larger machine: {quote(pair.new)}", view.path, pair.line or view.place, 0.5)
        return


def _changed(view: HunkView) -> Iterator[Sign]:
    """Any other setting with another word as its value."""
    for pair, key, old, new in _settings(view):
        if words(key) & TOLD_TO_PEOPLE or _IMAGE_KEY.search(key) or _prose(old) or _prose(new):
            continue
        if re.fullmatch(r"[\d.]+\w{0,3}", _bare(old)) and re.fullmatch(r"[\d.]+\w{0,3}", _bare(new)):
            continue  # numbers are judged by their size
        yield Sign("changed_setting", f"a setting changes: {quote(pair.new)}", view.path, pair.line or view.place)
        return


def _prose(value: str) -> bool:
    """Say whether a value reads like a sentence."""
    return len(value.split()) > 3 and not re.search(r"[{}=/$]|--", value)


_REACHABLE = re.compile(
    r"(?i)\b(?:ingress|egress|security_?groups?|cidr_?\w*|firewall\w*|network_?polic\w+|allow|deny|acl\w*|whitelist|allowlist|denylist|source_ranges|podselector|policytypes)\b"
)


@needs(_REACHABLE)
def _reachability(view: HunkView) -> Iterator[Sign]:
    """Who may reach whom is said otherwise."""
    if not _runs(view):
        return
    line = next((x for x in [*view.removed, *view.added] if _REACHABLE.search(x)), "")
    if line:
        yield Sign("changed_trust", f"who may reach whom changes: {quote(line)}", view.path, view.place, 1.2)


WIRING: tuple[Callable[[HunkView], Iterator[Sign]], ...] = (
    _images,
    _env_names,
    _schedules,
    _machines,
    _reachability,
    _changed,
)
