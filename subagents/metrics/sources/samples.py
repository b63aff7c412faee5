"""Metrics as lines of text, one sample or one measurement to a line: which form they have, and what a line says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from subagents.metrics.sources.naming import Labels

PROBED = 60
"""Lines that are looked at to find the form."""
LEAST_SHARE = 0.9
"""Share of them that must have it: what is beside it is told by its line."""
_NUMBER = r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|[Nn]a[Nn]|[Ii]nf(?:inity)?)"
_BRACES = r"\{(?:[^\"{}]|\"(?:[^\"\\]|\\.)*\")*\}"
_SAMPLE = re.compile(
    rf"(?P<name>[A-Za-z_:][^\s{{}};,=]*)?(?P<tags>(?:;[^\s;=]+=[^\s;]+)*)(?:\s*+(?P<labels>{_BRACES}))?+"
    rf"\s++(?P<value>{_NUMBER})(?:\s+(?P<time>-?\d+(?:\.\d+)?))?\s*(?:#\s*\{{.*)?"
)
_LABEL = re.compile(r"\"((?:[^\"\\]|\\.)*)\"(?!\s*=)|(?<![\w.:-])([\w.:-]++)\s*=\s*\"((?:[^\"\\]|\\.)*)\"")
_ESCAPED = re.compile(r"\\(.)")
_POINT = re.compile(
    rf"(?:put\s+)?(?P<name>[A-Za-z_][^\s={{]*)\s+(?P<time>\d{{10,13}})\s+(?P<value>{_NUMBER})(?P<tags>(?:\s+\S+=\S+)+)\s*"
)
_PART = r"(?:[^,=\s\\]|\\.)+"
_FIELD = rf"{_PART}=(?:\"(?:[^\"\\]|\\.)*\"|[^,\s\"][^,\s]*)"
_MEASURED = re.compile(
    rf"(?P<name>(?:[^,\s\\]|\\.)+)(?P<tags>(?:,{_PART}={_PART})*) "
    rf"(?P<fields>{_FIELD}(?:,{_FIELD})*)(?: (?P<time>\d{{10,19}}))?"
)
_FIELDS = re.compile(rf"({_PART})=(\"(?:[^\"\\]|\\.)*\"|[^,\s]+)")
_TAGS = re.compile(rf"({_PART})=({_PART})")
_RAW = re.compile(r"(?P<name>[^|]+),(?P<from>\d+),(?P<to>\d+),(?P<step>\d+)\|(?P<values>[^|]*)")
_COUNTED = re.compile(r"[^\s:|]+:[+-]?[\d.]+\|(c|g|ms|s|h|d)(\|\S*)?")


_BELOW = re.compile(r"(?:(?P<series>\S.*?) =>)? ?(?:(?P<value>\S+) @\[(?P<time>[\d.]+)\])?")
"""As promtool writes series: `name{labels} =>`, and below it `1.5 @[1772366400]` to each moment."""
_MARKED = re.compile(r"(?m)^# (TYPE|HELP) \w")


@dataclass(frozen=True)
class Sample:
    """One value of a line; `time` empty where the line has none."""

    head: str
    """What names the series, as it is written: equal for lines of one series."""
    name: str
    labels: Labels
    time: str
    value: str


Parsed = Sequence[Sample] | None
"""Samples of a line; None where it has not the form."""


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: {"n": "\n"}.get(found[1], found[1]), text) if "\\" in text else text


def exposed(line: str) -> Parsed:
    """A line as Prometheus exposes it or dumps it, OpenMetrics' too; or Graphite's `name;tag=value 1.5 1772366400`."""
    found = _SAMPLE.fullmatch(line)
    if found is None or not (found["name"] or found["labels"]):
        return None
    name = found["name"] or ""
    labels: Labels = {}
    for bare, key, value in _LABEL.findall(found["labels"] or ""):
        name, labels = (name or _plain(bare), labels) if bare else (name, {**labels, key: _plain(value)})
    labels |= dict(tag.split("=", 1) for tag in found["tags"].split(";") if tag)
    name = labels.pop("__name__", "") or name
    return [Sample(line[: found.start("value")], name, labels, found["time"] or "", found["value"])]


def put(line: str) -> Parsed:
    """A line as OpenTSDB takes it: `put name 1772366400 1.5 host=web1`."""
    found = _POINT.fullmatch(line)
    if found is None:
        return None
    labels = dict(tag.split("=", 1) for tag in found["tags"].split())
    return [Sample(found["name"] + found["tags"], found["name"], labels, found["time"], found["value"])]


def measured(line: str) -> Parsed:
    """A line of InfluxDB's line protocol; texts among its fields are no series."""
    found = _MEASURED.fullmatch(line)
    if found is None:
        return None
    labels = {_plain(key): _plain(value) for key, value in _TAGS.findall(found["tags"])}
    samples = []
    for field, value in _FIELDS.findall(found["fields"]):
        number = {"t": "1", "true": "1", "f": "0", "false": "0"}.get(value.lower(), value.rstrip("iu"))
        if re.fullmatch(_NUMBER, number):
            name = f"{_plain(found['name'])}_{_plain(field)}"
            samples.append(Sample(f"{found['name']}{found['tags']} {field}", name, labels, found["time"] or "", number))
    return samples


def rendered(line: str) -> Parsed:
    """A line of Graphite's raw format: `name,from,to,step|1.5,None,2.5`."""
    found = _RAW.fullmatch(line)
    if found is None:
        return None
    start, step = int(found["from"]), int(found["step"])
    values = ["NaN" if value.strip() in ("None", "") else value.strip() for value in found["values"].split(",")]
    name = found["name"]
    return [Sample(name, name, {}, str(start + step * place), value) for place, value in enumerate(values)]


def counted(line: str) -> Parsed:
    """A line of StatsD, which has no time."""
    return [Sample(line, line.partition(":")[0], {}, "", "NaN")] if _COUNTED.fullmatch(line) else None


FORMS: dict[str, Callable[[str], Parsed]] = {
    "Graphite's raw format": rendered,
    "samples of Prometheus or Graphite": exposed,
    "points of OpenTSDB": put,
    "InfluxDB's line protocol": measured,
    "StatsD's counts": counted,
}


def form_of(text: str) -> str:
    """Return the form that nearly all of the first lines have, empty where there is none: `FORMS` reads it."""
    lines = [line for _, line in islice(telling(enumerate(text.splitlines())), PROBED)]
    for name, parse in FORMS.items():
        fitting = [samples for line in lines if (samples := parse(line)) is not None]
        if lines and len(fitting) >= LEAST_SHARE * len(lines) and _is_sure(parse, text, fitting):
            return name
    return ""


def _is_sure(parse: Callable[[str], Parsed], text: str, fitting: list[Sequence[Sample]]) -> bool:
    """Say whether lines are metrics: most have a time, or are written as nothing else is."""
    timed = sum(bool(samples and samples[0].time) for samples in fitting)
    marked = _MARKED.search(text) is not None or all("{" in s[0].head for s in fitting if s)
    return 2 * timed > len(fitting) or parse is counted or (parse is exposed and marked)


def telling(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines that hold something, without remarks; values below their series as one line each."""
    series = ""
    for number, line in lines:
        bare = line.strip("\ufeff \r\n\t\0")
        if not bare or bare.startswith("#"):
            continue
        found = _BELOW.fullmatch(bare)
        if found is None:
            yield number, bare
            continue
        series = found["series"] or series
        if found["value"]:
            yield number, f"{series} {found['value']} {found['time']}"
