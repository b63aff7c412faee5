"""A second corpus, in other words and layouts than the rules were written on: scored, never tuned to.

Kinds are as in the wild; carriers are the formats that lines come in. No literal here is a secret.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from tests.redaction.corpus import ALNUM, URLSAFE, Planted, b64, jwt, pem, pick
from tests.redaction.heldout_kinds import NAMED, SELF_EVIDENT, base, password

Carrier = Callable[[str], str]


def _json(text: str) -> str:
    return json.dumps({"@timestamp": "2026-03-01T10:11:12Z", "level": "warn", "message": text})


CARRIERS: dict[str, Carrier] = {
    "java": lambda t: f"2026-03-01 10:11:12,345 ERROR [http-nio-8080-exec-7] c.e.shop.PayClient - {t}",
    "logfmt": lambda t: (
        'ts=2026-03-01T10:11:12Z lvl=warn svc=cart msg="' + t.replace("\\", "\\\\").replace('"', '\\"') + '"'
    ),
    "json": _json,
    "json in json": lambda t: json.dumps({"log": _json(t) + "\n", "stream": "stderr"}),
    "cri": lambda t: f"2026-03-01T10:11:12.123456789Z stderr F {t}",
    "syslog": lambda t: f"Mar  1 10:11:12 web-3 cart[2211]: {t}",
    "diff +": lambda t: f"@@ -10,3 +10,4 @@ settings\n+{t}\n context",
    "diff -": lambda t: f"-{t}\n+    # moved to the vault",
    "stack": lambda t: f"Caused by: java.lang.IllegalStateException: {t}\n\tat com.acme.Boot.main(Boot.java:41)",
    "python": lambda t: f'  File "/srv/app/boot.py", line 12, in connect\nRuntimeError: {t}',
    "commit": lambda t: f"fix(ci): do not print this any more\n\n    {t}\n\nSigned-off-by: Ada <ada@example.com>",
    "history": lambda t: f"  412  {t}",
    "markdown": lambda t: f"Steps to reproduce:\n1. `{t}`\n2. watch it fail",
}
"""What a line stands in, whatever it says."""


def _pem_records(rng: random.Random) -> Planted:
    """Draw a private key of which each line is a log record of its own."""
    block = pem(rng, rng.choice(["RSA ", "EC ", "", "OPENSSH "]))
    prefix = rng.choice(
        [
            "2026-03-01T10:11:12.{n:03d}Z stdout F ",
            "Mar  1 10:11:12 web-3 boot[99]: ",
            "[10:11:12.{n:03d}] DEBUG key | ",
            "+    ",
            "  ",
            '{{"level":"debug","msg":"',
        ]
    )
    end = '"}' if prefix.startswith("{{") else ""
    lines = block.split("\n")
    line = "\n".join(prefix.format(n=n) + text + end for n, text in enumerate(lines))
    return Planted("pem by lines", line, max(lines[1:-1], key=len))


def _yaml_block(rng: random.Random) -> Planted:
    secret = rng.choice([password(rng), pick(rng, URLSAFE, 40)])
    name = rng.choice(["password", "token", "clientSecret", "db_password", "api-key"])
    mark = rng.choice(["|", ">", "|-", ">-"])
    head = rng.choice(["stringData:\n  ", "config:\n  ", ""])
    pad = "  " if head else ""
    return Planted("yaml block", f"{head}{name}: {mark}\n{pad}  {secret}\n{pad}other: 1", secret)


def _kube_secret(rng: random.Random) -> Planted:
    secret = base(rng, rng.choice([password(rng), pick(rng, ALNUM, 24)]))
    name = rng.choice(["password", "db-url", "LICENSE", "admin", "redis.conf", "key"])
    line = rng.choice(
        [
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop-db\ntype: Opaque\ndata:\n  user: YXBw\n  {n}: {s}\n",
            '{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"shop"}},"data":{{"{n}":"{s}"}},"type":"Opaque"}}',
            "+apiVersion: v1\n+kind: Secret\n+data:\n+  {n}: {s}\n+metadata:\n+  name: x",
        ]
    ).format(n=name, s=secret)
    return Planted("kubernetes secret", line, secret)


def _jwt_lines(rng: random.Random) -> Planted:
    token = jwt(rng)
    head, body, tail = token.split(".")
    line = rng.choice(
        ["id token:\n{h}.\n{b}.\n{t}\n", "{h}.{b}\n.{t}", "Authorization: Bearer {h}.{b}.\\\n{t}"]
    ).format(h=head, b=body, t=tail)
    return Planted("jwt over lines", line, tail)


def _ssh_key(rng: random.Random) -> Planted:
    body = "\n".join(b64(rng, 52)[:70] for _ in range(5))
    first = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW"
    block = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{first}\n{body}\n-----END OPENSSH PRIVATE KEY-----"
    line = rng.choice([block, "\n".join(f"+  {text}" for text in block.split("\n")), json.dumps({"id_ed25519": block})])
    return Planted("ssh key", line, body.split("\n")[2])


def _netrc(rng: random.Random) -> Planted:
    secret = password(rng)
    form = rng.choice(["machine git.acme.io\n  login ci\n  password {}\n", "machine git.acme.io login ci password {}"])
    return Planted("netrc", form.format(secret), secret)


def _pypirc(rng: random.Random) -> Planted:
    secret = password(rng)
    return Planted("pypirc", f"[acme]\nrepository = https://pypi.acme.io\nusername = ci\npassword = {secret}\n", secret)


SHAPED: tuple[Callable[[random.Random], Planted], ...] = (
    _pem_records,
    _yaml_block,
    _kube_secret,
    _jwt_lines,
    _ssh_key,
    _netrc,
    _pypirc,
)

TOKEN_WORDS = (
    "using {} for the upload",
    "rejected credential {} (401)",
    "client = Client({})",
    "x={}",
    "{}",
    "https://api.acme.io/v2/items?t={}&page=3",
    "git clone https://x-token:{}@git.acme.io/a.git",
)


def secrets(seed: int, per_kind: int = 4) -> list[Planted]:
    """Draw `per_kind` secrets of every kind, each in a carrier drawn with it."""
    rng = random.Random(seed)
    planted: list[Planted] = []
    for kind, maker in SELF_EVIDENT.items():
        for _ in range(per_kind):
            planted.append(_carried(rng, kind, maker(rng), rng.choice(TOKEN_WORDS)))
    for kind, (maker, phrasings) in NAMED.items():
        chosen = rng.sample(phrasings, min(per_kind, len(phrasings)))
        planted += [_carried(rng, kind, maker(rng), phrase) for phrase in chosen]
    for make in SHAPED:
        planted += [make(rng) for _ in range(per_kind)]
    return planted


def _carried(rng: random.Random, kind: str, secret: str, phrase: str) -> Planted:
    name = rng.choice(sorted(CARRIERS))
    line = CARRIERS[name](phrase.format(secret))
    # As it is spelled in that carrier: escapes of a private key's line ends are doubled there.
    spelled = secret.split("\\n")[2] if "\\n" in secret else secret
    return Planted(f"{kind} ({name})", line, spelled)
