"""Which commit a deploy ran: by its id, by a tag, or by an id within the version it names.

Ids and tags of several repositories are kept apart: the service's own repository is asked first, and what two
others know differently is nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from subagents.contract import Problem, ServiceInfo
from subagents.deploys.reach import same_service, service_key
from subagents.deploys.sources.records import Commit, Deploy
from subagents.deploys.sources.repo import RepoSource
from subagents.gitstore.environment import PREFIX
from subagents.gitstore.process import GitFailed

SHORTEST = 7
"""Digits that an abbreviated id has at least: four may be a build's number."""
_DESCRIBED = re.compile(r"-g(?P<sha>[0-9a-f]{7,40})\Z")
_WITHIN = re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{7,40}(?![0-9a-zA-Z])")


@dataclass
class Names:
    """What the deploys name, looked up once in every source of commits."""

    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    """Repository to {id as written: full id}."""
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    """Repository to {tag: full id}."""
    listed: tuple[str, ...] = ()
    """Ids that the files of commits hold."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Service, as the configuration names it, to its repository."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Repository to what its directory is called."""
    direct: frozenset[str] = frozenset()
    """Repositories whose commits deploys name by id."""
    problems: list[Problem] = field(default_factory=list)

    def of(self, deploy: Deploy) -> str | None:
        """Return the full id of the commit that a deploy ran; None where no source knows it, or two differ."""
        text, version = deploy.commit_text, deploy.version
        tries = [(self.ids, [text, *_ids_within(text)]), (self.tags, tag_names(text, deploy.service))]
        tries += [(self.tags, tag_names(version, deploy.service)), (self.ids, _ids_within(version))]
        for known, names in tries:
            for name in names:
                found = self._one(known, name, deploy)
                if found is not None:
                    return found
            if known is self.ids and (found := self._listed(names)) is not None:
                return found
        return None

    def beside(self, deploy: Deploy) -> dict[str, str]:
        """Return what the version of a deploy names where the deploy's own commit is not: repository to commit.

        So it is where a deploy's commit is one of settings that name an image, and the code is kept elsewhere. Of
        repositories whose commits deploys name by id nothing is said: what runs from there says so itself.
        """
        own = self.of(deploy)
        if own is None or not deploy.version or not deploy.commit_text:
            return {}
        found: dict[str, str] = {}
        for known, names in (
            (self.tags, tag_names(deploy.version, deploy.service)),
            (self.ids, _ids_within(deploy.version)),
        ):
            for source, ids in known.items():
                sha = next((ids[name] for name in names if name in ids), None)
                if sha is not None:
                    found.setdefault(source, sha)
        return (
            {} if own in found.values() else {source: sha for source, sha in found.items() if source not in self.direct}
        )

    def _one(self, known: Mapping[str, Mapping[str, str]], name: str, deploy: Deploy) -> str | None:
        found = {source: names[name] for source, names in known.items() if name in names}
        if len(set(found.values())) > 1:
            own = self._own(deploy.service, found)
            if own is None:
                self._tell(deploy, name, found)
            return own
        return next(iter(found.values()), None)

    def _own(self, service: str, found: Mapping[str, str]) -> str | None:
        told = [source for name, source in self.owners.items() if same_service(name, service) and source in found]
        told += [source for source in found if service_key(self.places.get(source, source)) == service_key(service)]
        return found[told[0]] if told else None

    def _tell(self, deploy: Deploy, name: str, found: Mapping[str, str]) -> None:
        problem = Problem(
            what=f"{name} of {deploy.service} names different commits in {', '.join(sorted(found))}",
            where=deploy.source,
            lost="what that deploy brought",
            todo=f"say in warroom.toml which repository {deploy.service} is built from",
        )
        if problem not in self.problems and len(self.problems) < 20:
            self.problems.append(problem)

    def _listed(self, names: Sequence[str]) -> str | None:
        for name in names:
            if name in self.listed:
                return name
            if len(name) >= SHORTEST and PREFIX.match(name.lower()):
                matches = [sha for sha in self.listed if sha.startswith(name.lower())]
                if len(matches) == 1:
                    return matches[0]
        return None


def tag_names(text: str, service: str) -> list[str]:
    """Return the tags that a version may go by: with the service before it, as it is, with and without `v`."""
    bare = text.removeprefix("refs/tags/").rpartition(":")[2].strip()
    if not bare:
        return []
    plain = bare.removeprefix("v")
    forms = dict.fromkeys((bare, f"v{plain}", plain))
    names = dict.fromkeys((service, service_key(service))) if service else {}
    own = [f"{name}{mark}{form}" for name in names for form in forms for mark in ("-", "/", "@", "_")]
    return list(dict.fromkeys([*own, text, *forms]))


def _ids_within(text: str) -> list[str]:
    """Return what may be an abbreviated id within a version, such as `1.2-14-gabc1234` or `main-abc1234`."""
    lowered = text.lower()[:300]
    described = _DESCRIBED.search(lowered)
    whole = [lowered] if len(lowered) >= SHORTEST and PREFIX.match(lowered) else []
    return [*([described["sha"]] if described else []), *whole,
            *(found for found in _WITHIN.findall(lowered) if not found.isdigit())]  # fmt: skip


def look_up(
    deploys: Iterable[Deploy],
    commits: Sequence[Commit],
    repos: Mapping[str, RepoSource],
    services: Sequence[ServiceInfo],
) -> Names:
    """Ask every repository, once, for all that the deploys may name."""
    names = Names(
        listed=tuple(dict.fromkeys(commit.sha for commit in commits)),
        owners={service.name: service.repo for service in services if service.repo},
        places={source: repo.name.rstrip("/").rpartition("/")[2] for source, repo in repos.items()},
    )
    asked: dict[str, None] = {}
    for deploy in deploys:
        text = deploy.commit_text
        known = [text] if len(text) >= SHORTEST and PREFIX.match(text.lower()) else []
        asked.update(dict.fromkeys([*known, *_ids_within(text), *_ids_within(deploy.version)]))
    wanted = {tag for deploy in deploys for text in (deploy.commit_text, deploy.version)
              for tag in tag_names(text, deploy.service)}  # fmt: skip
    for source, repo in repos.items():
        reader = repo.reader()
        if reader is None:
            continue
        try:
            names.ids[source] = {text: sha for text, sha in reader.resolve(list(asked)).items() if sha}
        except GitFailed as error:
            names.problems.append(
                Problem(what=f"ids cannot be looked up ({error})", where=repo.name, lost="what deploys brought")
            )
        if wanted:
            tags = {ref.name.removeprefix("refs/tags/"): ref.commit for ref in reader.store.tags()}
            names.tags[source] = {tag: tags[tag] for tag in wanted if tag in tags}
    texts = {deploy.commit_text for deploy in deploys}
    names.direct = frozenset(source for source, ids in names.ids.items() if texts & ids.keys())
    return names
