"""Series as files hold them: labels, a name, and points as they are written; and what each is called in the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from subagents.metrics.sources.naming import FAILED, SERVICE_NAMES, Labels, first_of


@dataclass(frozen=True)
class Course:
    """One series of a file; times and values as they are written, as many of one as of the other."""

    labels: Labels
    name: str
    times: list[object]
    values: list[object]

    def add(self, when: object, value: object) -> None:
        """Add a point."""
        self.times.append(when)
        self.values.append(value)

    def owner(self, service: str) -> tuple[str, str]:
        """Return whose it is and its name; `service` where no label says whose."""
        owner = first_of(self.labels, SERVICE_NAMES)
        return self.labels[owner] if owner else service, self.name


def merged(courses: Iterable[Course]) -> list[Course]:
    """Return the courses, those of one name and the same labels put together: files may hold them point by point."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], Course] = {}
    for course in courses:
        key = (course.name, frozenset(course.labels.items()))
        held = found.get(key)
        if held is None:
            found[key] = Course(course.labels, course.name, list(course.times), list(course.values))
        else:
            held.times.extend(course.times)
            held.values.extend(course.values)
    return list(found.values())


def named(courses: Sequence[Course], service: str) -> list[tuple[str, str]]:
    """Return service and name of each; labels that tell series of one name apart become part of the name.

    So does one that says that requests failed, though all have it: by the name alone they would be traffic.
    """
    owners = [course.owner(service) for course in courses]
    values: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    sizes = Counter(owners)
    for owner, course in zip(owners, courses, strict=True):
        for key, value in course.labels.items():
            values[owner][key].add(value)
    counts = Counter((owner, key) for owner, course in zip(owners, courses, strict=True) for key in course.labels)
    found = []
    for owner, course in zip(owners, courses, strict=True):
        labels = sorted(course.labels.items())
        telling = (
            f"{key}={value}"
            for key, value in labels
            if len(values[owner][key]) > 1 or counts[owner, key] < sizes[owner] or FAILED.search(f"{key}={value}")
        )
        inner = ",".join(telling)
        found.append((owner[0], f"{owner[1]}{{{inner}}}" if inner else owner[1]))
    return found
