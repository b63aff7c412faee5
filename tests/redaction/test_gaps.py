"""Places where secrets turn up that no header, prefix or plain `password=` gives away."""

from __future__ import annotations

import base64
import json
import random
import re

import pytest

from orchestrator.journal.redaction import Redactor
from tests.redaction import corpus

KEY = b"k" * 32
PLACEHOLDER = re.compile(r"<redacted:([a-z0-9_]+):([0-9a-f]{6})>")
RNG = random.Random(31)
DRAWN = corpus.pick(RNG, corpus.ALNUM, 32) + "q7Q"
HEX = corpus.pick(RNG, corpus.HEX, 64)
WORD = corpus.pick(RNG, corpus.ALNUM + "!%*-", 14).strip("-%") + "a5"


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor((), KEY)


GAPS = (
    # names that mostly name harmless things
    ("GET /maps/api?key={}&q=berlin", DRAWN),
    ("loaded key={} for eu-1", DRAWN),
    ('{{"key":"{}"}}', DRAWN),
    ("X-Some-Vendor-Key: {}", DRAWN),
    ("APP_KEY=base64:{}", base64.b64encode(RNG.randbytes(32)).decode()),
    ("unlock pin=<{}>".replace("<{}>", "{}"), "482913"),
    ('{{"pin":"{}"}}', "48291"),
    ("otp={} ok", "482913"),
    ("aes_key={}", HEX),
    ("WALLET_KEY=0x{}", HEX),
    ("jwt-key-base64: {}", HEX),
    ("privateKeyHex={}", HEX),
    # commands
    ("> AUTH {}", WORD),
    ("AUTH app-user {}", WORD),
    ('1339518083.1 [0 10.0.0.1:60866] "AUTH" "{}"', WORD),
    ("mysql -uroot -p{} shop", WORD),
    ("mariadb-dump -h db -p{} --all-databases", WORD),
    ("backup --password {} --to s3://b", WORD),
    ("ldapmodify -D cn=x -w {} -f a.ldif", WORD),
    ("sqlcmd -S db -U sa -P {} -Q q", WORD),
    ("mongosh -u root -p {} admin", WORD),
    ("openssl rsa -in k.pem -passin pass:{} -out o", WORD),
    ("curl -su bot:{} https://x", WORD),
    ("curl --user bot:{} https://x", WORD),
    ("env PGPASSWORD={} pg_dump shop", WORD),
    ("ENV DB_PASSWORD {}", WORD),
    ("CREATE USER a IDENTIFIED WITH mysql_native_password BY '{}'", WORD),
    ("SET PASSWORD FOR 'a'@'%' = '{}'", WORD),
    # nested
    ('{{"token": {{"value": "{}", "ttl": 3}}}}', DRAWN),
    ('{{"password":{{"ttl":3,"current":"{}"}}}}', WORD),
    ('api_keys: ["{}", "x"]', DRAWN),
    ('variable "db_password" {{\n  type = string\n  default = "{}"\n}}', WORD),
    ("spec:\n  password: |\n    {}\n  other: x", WORD),
    ("token: >-\n  {}\nother: x", DRAWN),
    ("+    password: |\n+      {}\n+    other: x", WORD),
    (
        "2026-01-01T00:00:00Z out F   secret: |\n2026-01-01T00:00:00Z out F     {}\n2026-01-01T00:00:00Z out F   x: y",
        DRAWN,
    ),
    ("kind: Secret\napiVersion: v1\ndata:\n  anything: {}\n", base64.b64encode(WORD.encode()).decode()),
    ("data:\n  anything: {}\n  more: eA==\nkind: Secret\n", base64.b64encode(WORD.encode()).decode()),
    ('{{"kind":"Secret","data":{{"tls.crt":"eA==","x":"{}"}}}}', base64.b64encode(WORD.encode()).decode()),
    # escaped deeper and deeper
    (json.dumps(json.dumps({"password": "<>"})).replace("<>", "{}").replace("{\\", "{{\\").replace('}"', '}}"'), WORD),
    ('\\\\\\"token\\\\\\":\\\\\\"{}\\\\\\"', DRAWN),
    ('\\\\\\\\\\\\\\"token\\\\\\\\\\\\\\":\\\\\\\\\\\\\\"{}\\\\\\\\\\\\\\"', DRAWN),
    # connection strings
    ("jdbc:oracle:thin:app/{}@//db:1521/X?password={}".replace("app/{}@", "app@"), WORD),
    ("Driver={{x}};Server=s;Uid=u;Pwd={};", WORD),
    ("AccountName=a;SharedAccessKey={}", base64.b64encode(RNG.randbytes(32)).decode()),
    ("mongodb+srv://u:{}@c.example.net/d", DRAWN),
    ("amqp://guest:{}@mq:5672/%2F", DRAWN),
    ("redis://:{}@cache:6379", DRAWN),
    ("https://a.blob.core.windows.net/c/b?sv=2022-11-02&se=2026&sr=b&sig={}", "a%2Bb" + DRAWN + "%3D"),
    ("https://b.s3.amazonaws.com/k?X-Amz-Expires=9&X-Amz-Signature={}", HEX),
    ("otpauth://totp/A:b?secret={}&issuer=A", "JBSWY3DPEHPK3PXPJBSW"),
    # files
    ("//registry.npmjs.org/:_authToken={}", "9f1c2d3e-1111-4222-8333-444455556666"),
    ('{{"auths":{{"r.example.com":{{"auth":"{}"}}}}}}', base64.b64encode(b"ci:" + DRAWN.encode()).decode()),
    ("ada:$apr1$abcdefgh${}", corpus.pick(RNG, corpus.ALNUM, 22)),
    ("ada:$2y$05${}", corpus.pick(RNG, corpus.ALNUM, 53)),
    ("root:$6$abcdefgh${}:19000:0:", corpus.pick(RNG, corpus.ALNUM, 86)),
    ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ${}", corpus.pick(RNG, corpus.ALNUM, 43)),
)


@pytest.mark.parametrize(("line", "secret"), GAPS)
@pytest.mark.parametrize("around", ["{}", "2026-01-01 10:00:00 INFO app - {} | end"])
def test_found_where_it_stands(redactor: Redactor, line: str, secret: str, around: str) -> None:
    whole = line.format(secret)
    if "\n" not in whole:
        whole = around.replace("{}", whole)
    result = redactor.redact(whole)
    assert secret not in result.text, result.text
    assert secret[2:10] not in result.text, result.text
    assert redactor.redact(result.text).text == result.text


KEY_LINES = corpus.pem(random.Random(40), "EC ").split("\n")


@pytest.mark.parametrize("prefix", ["2026-01-01T00:00:0{n}Z app: ", "+", "+    ", "[{n}] key: ", '{{"n":{n},"msg":"'])
@pytest.mark.parametrize("part", [slice(None), slice(None, -1)])
def test_a_key_logged_line_by_line(redactor: Redactor, prefix: str, part: slice) -> None:
    end = '"}' if prefix.startswith("{{") else ""
    lines = [prefix.format(n=n) + line + end for n, line in enumerate(KEY_LINES)][part]
    text = redactor.redact("before\n" + "\n".join(lines) + "\nafter it").text
    assert not [line for line in KEY_LINES[1:-1] if line in text]
    assert text.startswith("before\n")
    assert text.endswith("\nafter it")


def test_a_key_over_several_records_of_one_result(redactor: Redactor) -> None:
    value = {"text": "x", "data": {"lines": [{"n": n, "text": line} for n, line in enumerate(KEY_LINES)], "total": 9}}
    redacted, counts = redactor.redact_json(value)
    assert not [line for line in KEY_LINES[1:-1] if line in json.dumps(redacted)]
    assert counts["private_key"] == len(KEY_LINES)
    assert redacted["data"]["total"] == 9


def test_a_line_of_a_key_is_known_again_where_it_is_quoted_alone() -> None:
    redactor = Redactor((), KEY)
    line = KEY_LINES[3]
    assert redactor.redact(f"quoted: {line}").text == f"quoted: {line}"
    value = {"excerpt": f"app: {line}", "lines": [f"app: {text}" for text in KEY_LINES]}
    assert line not in json.dumps(redactor.redact_json(value)[0])
    assert line not in redactor.redact(f"later, alone: {line} end").text
    other = corpus.pem(random.Random(43)).split("\n")[2]
    assert redactor.redact(other).text == other


def test_parsed_shapes(redactor: Redactor) -> None:
    value = {
        "argv": ["tool", "--password", WORD, "--verbose", "on"],
        "token": {"value": DRAWN, "ttl": "soon"},
        "manifest": {"kind": "Secret", "data": {"x": base64.b64encode(WORD.encode()).decode()}, "name": "shop"},
    }
    redacted, counts = redactor.redact_json(value)
    text = json.dumps(redacted)
    assert WORD not in text
    assert DRAWN not in text
    assert base64.b64encode(WORD.encode()).decode() not in text
    assert redacted["argv"][3:] == ["--verbose", "on"]
    assert redacted["manifest"]["name"] == "shop"
    assert redacted["token"]["ttl"] == "soon"
    assert sum(counts.values()) == 3


def test_a_token_wrapped_at_its_dots(redactor: Redactor) -> None:
    head, body, tail = corpus.jwt(random.Random(41)).split(".")
    for text in (
        f"{head}.\n  {body}.\n  {tail}\nnext",
        f"{head}\n.{body}\n.{tail} next",
        f"{head}.{body}.\\\n{tail} next",
    ):
        shown = redactor.redact(text).text
        assert body not in shown
        assert tail not in shown
        assert "next" in shown


HARMLESS = (
    "password reset requested for user 42",
    "secret_name=db-prod",
    "token_count=15 key=user:123 key=order-12345 key=0f8fad5b-d9cb-469f-a165-70867728950e",
    "key=d41d8cd98f00b204e9800998ecf8427e",
    "key: sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "public key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0 ops",
    "s3 key=logs/2026/01/part-0001.Parquet bucket=b",
    "key: CheckoutServiceRetryPolicy2Config",
    "gpio pin: 17",
    "pin=latest",
    "otp: sent",
    "AUTH failed for user web-12",
    "AUTH LOGIN",
    "auth default backend-7 ready",
    "mysql -p -u root shop",
    "cp -p a1b2c3d4e5 /srv",
    "ssh -p 2222 ops@bastion1",
    "token: {}",
    "tokens: []",
    'token: ["a", "b"]',
    "password: |",
    "description: |\n  some text with 3 words\npassword: x",
    "kind: ConfigMap\ndata:\n  mode: fastest-1234\n",
    "kind: SecretStore\ndata:\n  mode: fastest-1234\n",
    'variable "db_password" {\n  type = string\n}',
    "eyJ is how a token begins\nand this goes on",
    "cost: $6$ each, $1$ off",
)


@pytest.mark.parametrize("line", HARMLESS)
def test_what_only_looks_like_one_stays(redactor: Redactor, line: str) -> None:
    assert redactor.redact(line).text == line
