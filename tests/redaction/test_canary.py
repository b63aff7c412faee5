"""A whole session over an incident in which a secret is everywhere: it is found in nothing that warroom keeps or says.

Searched byte by byte: the state directory (journal with its WAL, blobs, index, log file), exports, reports, the audit,
standard output and error. Exempt is what is the evidence itself: `inputs/`, exact copies of what was piped in, and the
drafts' private git stores, which hold the repository's own objects; neither is ever exported, reported or sent. So is
the diff of `fix show`, which is read from that store: a person approves exact bytes, and sees them.
"""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from orchestrator.journal.reader import JournalReader
from orchestrator.journal.redaction import Span
from tests.cli.command import Ran, settle, warroom
from tests.cli.incidents import BAD_DEPLOY, ONSET, RING, commit, entry, git, write_deploys, write_incident
from tests.redaction import corpus

pytestmark = pytest.mark.xdist_group("canary")  # one worker: the session that they look at is made once

EVIDENCE = ("inputs", "fix.git")

RNG = random.Random(77)
HELD = corpus.pick(RNG, corpus.ALNUM, 22) + "/+" + corpus.pick(RNG, corpus.ALNUM, 10)
"""In the environment, so that warroom holds it itself: it may stand anywhere, with no name beside it."""
FOREIGN = corpus.TOKENS["github"](RNG)
NAMED = corpus.pick(RNG, corpus.ALNUM, 18)
"""Not held: a provider's token, and what only stands where a name announces it."""


def forms(secret: str) -> dict[str, bytes]:
    """Return a secret as it is, as base64 (whatever stands before it), as hex and percent-encoded."""
    raw = secret.encode()
    found = {"raw": raw, "hex": raw.hex().encode(), "url": quote(secret, safe="").encode()}
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw)
        found[f"base64+{before}"] = whole[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6]
    return found


OF_TESTS = "swordfish-" + corpus.pick(RNG, corpus.ALNUM, 6)
"""A password of the tests, from warroom.toml."""

CANARIES = {
    "of the tests": OF_TESTS.encode(),
    **{f"held {name}": form for name, form in forms(HELD).items()},
    **{f"foreign {name}": form for name, form in forms(FOREIGN).items()},
    "named raw": NAMED.encode(),
}

EVERYWHERE = (
    f"plain {HELD}, encoded {base64.b64encode(HELD.encode()).decode()}, hex {HELD.encode().hex()},"
    f" url {quote(HELD, safe='')}"
    f" and {FOREIGN} with password={NAMED} there"
)


def plant(folder: Path) -> None:
    """Put the canaries into logs, alert, deploys, runbook, code, diffs and commit messages."""
    write_incident(folder)
    logs = folder / "orders.jsonl"
    more = [entry(ONSET + timedelta(seconds=n), "ERROR", f"voucher_ring refused {n}: {EVERYWHERE}") for n in range(60)]
    logs.write_text(logs.read_text() + "\n".join(more) + "\n")
    alert = json.loads((folder / "alert.json").read_text())
    (folder / "alert.json").write_text(json.dumps({**alert, "summary": f"{alert['summary']} {EVERYWHERE}"}))
    repo = folder / "repo"
    git(repo, "reset", "-q", "--hard", "HEAD~3")
    ring = f"# {EVERYWHERE}\n" + RING.format(slots=2)
    subject = f"Trim voucher ring {HELD}\n\n{EVERYWHERE}"
    made = {"culprit": commit(repo, subject, {"orders/voucher_ring.py": ring}, BAD_DEPLOY - timedelta(minutes=12))}
    made["docs"] = git(repo, "rev-parse", "HEAD~1")
    made["later"] = commit(repo, "Round corners", {"web/site.css": "p {}\n"}, BAD_DEPLOY - timedelta(minutes=3))
    write_deploys(folder / "deploys.json", made)


@dataclass
class Kept:
    """A finished session, and all that was said."""

    home: Path
    session: str
    said: dict[str, Ran]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    place = tmp_path_factory.mktemp("canary")
    home, folder = place / "home", place / "incident"
    plant(folder)
    config = home / ".config" / "warroom"
    (config / "runbooks").mkdir(parents=True)
    (config / "runbooks" / "vouchers.md").write_text(f"# No voucher slot left\n\nvoucher_ring: {EVERYWHERE}\n")
    (config / "warroom.toml").write_text(
        f'runbooks = ["runbooks"]\n[services.orders]\nrepo = "{folder / "repo"}"\nrunbooks = ["runbooks"]\n'
        f"[services.orders.tests]\n"
        f'command = ["sh", "-c", "echo $DB_PASSWORD \'{EVERYWHERE}\'; cat orders/voucher_ring.py; exit 1"]\n'
        f'env = {{ DB_PASSWORD = "{OF_TESTS}", SHOP_TOKEN = "{HELD}" }}\n'
    )
    said = {"run": settle(warroom(home, "run", str(folder), "--headless", SHOP_API_TOKEN=HELD))}
    session = said["run"].json()["session"]
    for name, arguments in {
        "report": ("report", session),
        "json": ("report", session, "--format", "json"),
        "show": ("sessions", "show", session),
        "export": ("sessions", "export", session),
        "audit": ("audit", session),
        "fixes": ("fix", "list", session),
    }.items():
        said[name] = warroom(home, *arguments, SHOP_API_TOKEN=HELD)
    lines = "\n".join((folder / "orders.jsonl").read_text().splitlines()[-200:])
    said["piped"] = settle(warroom(home, "run", "-", "--json", stdin=lines, SHOP_API_TOKEN=HELD))
    return Kept(home, session, said)


def found_in(data: bytes) -> list[str]:
    return [name for name, form in CANARIES.items() if form in data]


def state_files(home: Path) -> Iterator[Path]:
    for path in sorted((home / "state").rglob("*")):
        if path.is_file() and not set(EVIDENCE) & set(path.relative_to(home).parts):
            yield path


def test_the_canaries_were_met(kept: Kept) -> None:
    """Teeth: the session did read what they stand in, and its drafts came from that code."""
    kinds = {"warroom.finding": 0, "warroom.fix_drafted": 0, "warroom.redacted": 0, "warroom.tool_finished": 0}
    with JournalReader(kept.home / "state" / "sessions" / kept.session) as reader:
        for event in reader.events():
            kinds[event.type] = kinds.get(event.type, 0) + 1
    assert kinds["warroom.redacted"] > 0
    assert kinds["warroom.tool_finished"] > 0
    assert "<redacted:own:" in kept.said["export"].out
    assert "<redacted:github" in kept.said["export"].out
    assert "<redacted:password:" in kept.said["export"].out
    assert OF_TESTS not in kept.said["export"].out
    assert kinds["warroom.fix_drafted"] > 0, kinds


@pytest.mark.needs("bwrap")
def test_what_the_tests_printed_was_kept_without_them(kept: Kept) -> None:
    with JournalReader(kept.home / "state" / "sessions" / kept.session) as reader:
        (checked,) = reader.events(types=("warroom.fix_checked",))
    told = checked.body.model_dump_json()
    assert "<redacted:own:" in told
    assert "voucher_ring" in told
    assert found_in(told.encode()) == []


def test_nothing_that_is_kept_holds_one(kept: Kept) -> None:
    files = list(state_files(kept.home))
    assert {"warroom.db", "journal.db"} & {path.name for path in files} or len(files) > 5, files
    leaks = {str(path): leaked for path in files if (leaked := found_in(path.read_bytes()))}
    assert leaks == {}
    names = [str(path) for path in (kept.home / "state").rglob("*")]
    assert [name for name in names if found_in(name.encode())] == []


def test_nothing_that_is_said_holds_one(kept: Kept) -> None:
    leaks = {name: leaked for name, ran in kept.said.items() if (leaked := found_in(f"{ran.out}{ran.err}".encode()))}
    assert leaks == {}


def test_exact_copies_of_what_was_piped_in_are_the_evidence_and_stay_private(kept: Kept) -> None:
    copies = [path for path in (kept.home / "state").rglob("*") if "inputs" in path.parts and path.is_file()]
    assert any(HELD.encode() in path.read_bytes() for path in copies)
    assert {path.parent.stat().st_mode & 0o077 for path in copies} == {0}


def test_the_count_of_redactions_is_shown(kept: Kept) -> None:
    assert int(re.findall(r"^redacted +([0-9,]+) secrets", kept.said["show"].out, re.M)[0].replace(",", "")) > 5
    assert re.search(r"^- Secrets replaced before anything was kept: \d", kept.said["report"].out, re.M)
    assert kept.said["json"].json()["redactions"] > 5


def test_a_crash_report_uses_the_scanner_where_it_is_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from orchestrator.journal import secret_scanner
    from tui.commands.faults import log_fault

    class FakeScanner:
        ready = False

        def __call__(self, data: bytes) -> Iterator[Span]:
            assert self.ready, "a crash waits for no scanner"
            at = data.index(b"xyzzy")
            yield Span(at, at + 5, "spell")

    scanner = FakeScanner()
    monkeypatch.setattr(secret_scanner, "_started", [scanner])
    monkeypatch.setenv("WARROOM_HOME", str(tmp_path / "state"))
    where = log_fault(RuntimeError("said xyzzy"))
    scanner.ready = True
    assert where == log_fault(RuntimeError("said xyzzy again"))
    assert where is not None
    text = Path(where).read_text()
    assert "said xyzzy\n" in text
    assert "said <redacted:spell:" in text
    assert "xyzzy again" not in text


def test_a_crash_report_holds_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tui.commands.faults import log_fault

    monkeypatch.setenv("WARROOM_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("SHOP_API_TOKEN", HELD)
    try:
        raise RuntimeError(f"it broke: {EVERYWHERE}")
    except RuntimeError as error:
        where = log_fault(error)
    assert where is not None
    text = Path(where).read_bytes()
    assert b"it broke" in text
    assert found_in(text) == []
