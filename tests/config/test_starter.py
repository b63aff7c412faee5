"""`warroom init`: the text is valid, and names what is there."""

from __future__ import annotations

import tomllib
from pathlib import Path

from orchestrator.config import check, starter_toml


def build(root: Path, *files: str) -> Path:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def validated(root: Path) -> dict[str, object]:
    root.mkdir(exist_ok=True)
    text = starter_toml(root)
    (root / "warroom.toml").write_text(text)
    assert check(root / "warroom.toml", {"HOME": str(root)}) == []
    uncommented = "\n".join(line.removeprefix("# ") for line in text.splitlines() if " = " in line or "[" in line)
    assert tomllib.loads(uncommented)["engine"] == {"choice": "offline"}
    services = tomllib.loads(text).get("services", {})
    assert isinstance(services, dict)
    return services


def test_a_monorepo(tmp_path: Path) -> None:
    root = build(
        tmp_path / "shop",
        ".git/HEAD",
        "services/cart/pyproject.toml",
        "services/we b/package.json",
        "services/docs/package.json",
        "services/empty/README.md",
        "apps/admin/Dockerfile",
        "runbooks/a.md",
    )
    services = validated(root)
    assert services == {
        "cart": {"repo": ".", "paths": ["services/cart"]},
        "we b": {"repo": ".", "paths": ["services/we b"]},
        "admin": {"repo": ".", "paths": ["apps/admin"]},
    }
    text = starter_toml(root)
    assert 'runbooks = ["runbooks"]' in text
    assert '# command = ["npm", "test"]' in text


def test_services_at_the_top(tmp_path: Path) -> None:
    assert list(validated(build(tmp_path / "r", "cart/go.mod", "web/Cargo.toml", "tests/go.mod"))) == ["cart", "web"]


def test_one_service(tmp_path: Path) -> None:
    assert validated(build(tmp_path / "my shop", "pyproject.toml", "src/my_shop/pyproject.toml")) == {"my-shop": {}}
    assert validated(tmp_path / "empty") == {"empty": {}}


def test_names_that_would_break_out(tmp_path: Path) -> None:
    root = build(tmp_path / "r", 'services/a"]\nevil = 1/go.mod', 'services/q"uote/go.mod', "services/\u00fc/go.mod")
    assert list(validated(root)) == ['q"uote', "\u00fc"]
