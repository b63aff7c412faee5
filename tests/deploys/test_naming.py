"""What a deploy names is found by id, by tag or within its version, each repository by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from subagents.contract import ServiceInfo
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.naming import Names
from subagents.deploys.sources.records import Deploy
from tests.deploys.builders import commit, sha, source
from tests.deploys.histories import line, make, spec


def asked(service: str, text: str = "", version: str = "") -> Deploy:
    return Deploy(source="deploys", id="1", at=None, service=service, version=version, commit_text=text)


@dataclass
class Two:
    """Two repositories: `orders` and `mail`, each with commits a and b and a tag v1."""

    place: Path
    orders: dict[str, str]
    mail: dict[str, str]

    def names(self, *deploys: Deploy, services: tuple[ServiceInfo, ...] = ()) -> Names:
        rows = [{"service": d.service, "commit": d.commit_text, "version": d.version} for d in deploys]
        specs = [spec(self.place / "orders", "one"), spec(self.place / "mail", "two")]
        specs.append(source(self.place / "deploys.json", "deploys", rows))
        return ChangeCatalogue(specs, services).names()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Two:
    place = tmp_path_factory.mktemp("two")
    orders = make(place / "orders", line("a", "b"), {
        "refs/heads/main": "b", "refs/tags/v1": "a", "refs/tags/v2.0": "b", "refs/tags/orders-v3": "b",
        "refs/tags/v3": "a", "refs/tags/pay/1.4": "a",
    })  # fmt: skip
    mail = make(place / "mail", line("a", "b", path="mail/{}.py"), {"refs/heads/main": "b", "refs/tags/v1": "b"})
    return Two(place, orders, mail)


def test_ids_tags_and_versions_in_the_spellings_that_systems_use(two: Two) -> None:
    a, b = two.orders["a"], two.orders["b"]
    spellings = [
        (asked("orders", b), b),
        (asked("orders", b[:8].upper()), b),
        (asked("orders", "refs/tags/v2.0"), b),
        (asked("orders", version="2.0"), b),
        (asked("orders", version="v3"), b),
        (asked("pay", version="1.4"), a),
        (asked("shop", version="v3"), a),
        (asked("orders", version=f"v2.0-14-g{a[:9]}"), a),
        (asked("orders", version=f"registry.example/shop/orders:main-{b[:7]}"), b),
        (asked("orders", "f" * 40, "v2.0"), b),
        (asked("orders", b[:5]), None),
        (asked("orders", "main"), None),
        (asked("orders", "--all"), None),
        (asked("orders", "12345678", "20260301"), None),
        (asked("orders", "f" * 40), None),
        (asked("orders"), None),
    ]
    names = two.names(*(deploy for deploy, _ in spellings))
    assert [names.of(deploy) for deploy, _ in spellings] == [expected for _, expected in spellings]
    assert names.problems == []


def test_a_tag_of_two_repositories_is_the_services_own_or_nobodys(two: Two) -> None:
    deploys = [asked("orders-service", version="v1"), asked("mail", version="v1"), asked("web", version="v1")]
    names = two.names(*deploys)
    assert [names.of(deploy) for deploy in deploys] == [two.orders["a"], two.mail["b"], None]
    (problem,) = names.problems
    assert problem.line() == (
        "deploys: v1 of web names different commits in one, two; lost: what that deploy brought; "
        "say in warroom.toml which repository web is built from"
    )
    told = two.names(*deploys, services=(ServiceInfo(name="web", repo="two"),))
    assert told.of(deploys[2]) == two.mail["b"]


def test_files_of_commits_know_ids_by_seven_digits(tmp_path: Path) -> None:
    rows = [commit(0xABCDEF << 136, 0, "a", ["a"]), commit((0xABCDEF << 136) + 1, 0, "b", ["b"])]
    specs = [source(tmp_path / "commits.json", "commits", rows)]
    names = ChangeCatalogue(specs).names()
    first = sha(0xABCDEF << 136)
    assert names.of(asked("x", first)) == first
    assert names.of(asked("x", first[:12])) is None, "two begin so"
    assert names.of(asked("x", "abcdef")) is None
