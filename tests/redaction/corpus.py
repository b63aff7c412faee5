"""Generated corpora: secrets of many kinds in lines as they turn up, and lines that only look dangerous.

No literal here is a secret: each is put together from parts at run time, with a seeded generator.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass

ALNUM = string.ascii_letters + string.digits
URLSAFE = ALNUM + "-_"
HEX = "0123456789abcdef"


@dataclass(frozen=True)
class Planted:
    kind: str
    line: str
    secret: str
    """The part that must be gone."""


def pick(rng: random.Random, alphabet: str, length: int) -> str:
    """Draw a string that surely holds a digit, as keys of that length do."""
    drawn = [rng.choice(alphabet) for _ in range(length)]
    drawn[rng.randrange(length)] = rng.choice("23456789" if alphabet != HEX else HEX)
    return "".join(drawn)


def b64(rng: random.Random, size: int) -> str:
    return base64.b64encode(rng.randbytes(size)).decode()


def jwt(rng: random.Random) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(b'{"sub":"%d","iat":1}' % rng.randrange(10**9)).decode().rstrip("=")
    return f"{head}.{body}.{pick(rng, URLSAFE, 43)}"


def pem(rng: random.Random, label: str = "RSA ") -> str:
    body = "\n".join(b64(rng, 48) for _ in range(6))
    return f"-----BEGIN {label}PRIVATE KEY-----\n{body}\n-----END {label}PRIVATE KEY-----"


def password(rng: random.Random) -> str:
    return pick(rng, ALNUM + "!@#%^*-_+.", 12).replace("..", ".a")


Maker = Callable[[random.Random], str]

TOKENS: dict[str, Maker] = {
    "aws": lambda r: "AK" + "IA" + pick(r, string.ascii_uppercase + "234567", 16),
    "gcp-api": lambda r: "AI" + "za" + pick(r, URLSAFE, 35),
    "gcp-oauth": lambda r: "ya" + "29." + pick(r, URLSAFE, 60),
    "github": lambda r: "gh" + r.choice("posur") + "_" + pick(r, ALNUM, 36),
    "github-fine": lambda r: "github" + "_pat_" + pick(r, ALNUM, 22) + "_" + pick(r, ALNUM, 59),
    "gitlab": lambda r: "gl" + "pat-" + pick(r, URLSAFE, 20),
    "slack-bot": lambda r: "xo" + "xb-" + pick(r, string.digits, 12) + "-" + pick(r, ALNUM, 24),
    "slack-hook": lambda r: "https://hooks.slack.com/ser" + "vices/T" + pick(r, ALNUM, 8) + "/B" + pick(r, ALNUM, 24),
    "stripe": lambda r: "sk_" + r.choice(["live", "test"]) + "_" + pick(r, ALNUM, 24),
    "stripe-hook": lambda r: "wh" + "sec_" + pick(r, ALNUM, 32),
    "npm": lambda r: "np" + "m_" + pick(r, ALNUM, 36),
    "pypi": lambda r: "pyp" + "i-AgEIcHlwaS5vcmc" + pick(r, URLSAFE, 60),
    "openai": lambda r: "sk" + "-proj-" + pick(r, URLSAFE, 48),
    "openai-old": lambda r: "sk" + "-" + pick(r, ALNUM, 48),
    "anthropic": lambda r: "sk" + "-ant-api03-" + pick(r, URLSAFE, 93),
    "twilio": lambda r: "S" + "K" + pick(r, HEX, 32),
    "sendgrid": lambda r: "S" + "G." + pick(r, URLSAFE, 22) + "." + pick(r, URLSAFE, 43),
    "azure-secret": lambda r: pick(r, ALNUM, 3) + "8Q" + "~" + pick(r, ALNUM, 34),
    "digitalocean": lambda r: "do" + "p_v1_" + pick(r, HEX, 64),
    "huggingface": lambda r: "h" + "f_" + pick(r, ALNUM, 34),
    "telegram": lambda r: pick(r, "123456789", 9) + ":A" + "A" + pick(r, URLSAFE[:-2], 33),
    "discord": lambda r: "M" + pick(r, ALNUM, 25) + "." + pick(r, ALNUM, 6) + "." + pick(r, ALNUM, 38),
    "shopify": lambda r: "shp" + "at_" + pick(r, HEX, 32),
    "databricks": lambda r: "da" + "pi" + pick(r, HEX, 32),
    "vault": lambda r: "hv" + "s." + pick(r, URLSAFE, 24),
    "newrelic": lambda r: "NR" + "AK-" + pick(r, string.ascii_uppercase + string.digits, 27),
    "grafana": lambda r: "gl" + "sa_" + pick(r, ALNUM, 32) + "_" + pick(r, HEX, 8),
    "mailchimp": lambda r: pick(r, HEX, 32) + "-u" + "s12",
    "linear": lambda r: "lin" + "_api_" + pick(r, ALNUM, 40),
    "terraform": lambda r: pick(r, ALNUM, 14) + ".atlas" + "v1." + pick(r, ALNUM, 67),
    "tailscale": lambda r: "ts" + "key-auth-" + pick(r, ALNUM, 24),
    "postman": lambda r: "PM" + "AK-" + pick(r, HEX, 24) + "-" + pick(r, HEX, 34),
    "docker": lambda r: "dckr" + "_pat_" + pick(r, URLSAFE, 27),
    "groq": lambda r: "gs" + "k_" + pick(r, ALNUM, 52),
    "jwt": jwt,
}
"""Tokens that say by themselves what they are."""

TOKEN_LINES = (
    "2026-01-05T10:00:01Z INFO client configured with {}",
    '{{"level":"error","msg":"call failed","detail":"{} rejected"}}',
    "+    client = Client('{}')",
    "Traceback (most recent call last): ValueError: bad credential {}.",
    "commit: remove {} from settings",
    "curl https://api.example.com/v1?x={}&y=1",
    "env=prod,{},debug",
)

CONTEXT_LINES: dict[str, tuple[Maker, tuple[str, ...]]] = {
    "password": (
        password,
        (
            "connecting with password={} to db",
            'config {{"user": "app", "db_password": "{}"}}',
            "  password: {}",
            "java -Dspring.datasource.password={} -jar app.jar",
            "User{{name='bob', password='{}'}}",
            "PGPASSWORD={} psql -h db",
            "tool --db-password {} --verbose",
            "<entry><password>{}</password></entry>",
            '"body":"{{\\"passwd\\":\\"{}\\"}}"',
        ),
    ),
    "url-userinfo": (
        lambda r: pick(r, ALNUM, 14),
        ("postgres://app:{}@db.internal:5432/shop", "fetch https://ci:{}@git.example.com/a.git", "amqp://u:{}@mq/%2f"),
    ),
    "bearer": (
        lambda r: pick(r, URLSAFE, 40),
        (
            "> Authorization: Bearer {}",
            "headers={{'authorization': 'Bearer {}'}}",
            "curl -H 'Authorization: Bearer {}' https://x",
        ),
    ),
    "basic": (
        lambda r: base64.b64encode(f"svc:{password(r)}".encode()).decode(),
        ("Authorization: Basic {}", '{{"Authorization":["Basic {}"]}}', "proxy-authorization: basic {}"),
    ),
    "api-key-header": (
        lambda r: pick(r, ALNUM, 32),
        (
            "X-Api-Key: {}",
            "x-goog-api-key: {}",
            '"Ocp-Apim-Subscription-Key": "{}"',
            "PRIVATE-TOKEN: {}",
            "DD-API-KEY: {}",
        ),
    ),
    "cookie": (
        lambda r: pick(r, ALNUM, 32),
        (
            "Cookie: lang=en; session={}; theme=dark",
            "Set-Cookie: sid={}; Path=/; HttpOnly; SameSite=Lax",
            "JSESSIONID={}",
        ),
    ),
    "query-token": (
        lambda r: pick(r, ALNUM, 40),
        ("GET /cb?code=1&access_token={}&state=ok HTTP/1.1", "https://x.blob.core.windows.net/c?sv=2021&sig={}&se=9"),
    ),
    "aws-secret": (
        lambda r: pick(r, ALNUM + "/+", 40),
        ("aws_secret_access_key = {}", "AWS_SECRET_ACCESS_KEY={}", '"SecretAccessKey": "{}"'),
    ),
    "azure-storage": (lambda r: b64(r, 64), ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};X=y",)),
    "client-secret": (
        lambda r: pick(r, URLSAFE, 32),
        ("client_secret={}&grant_type=client_credentials", 'clientSecret: "{}"', "OAUTH_CLIENT_SECRET: {}"),
    ),
    "private-key": (pem, ("key:\n{}\nend", "{}")),
    "private-key-json": (
        lambda r: json.dumps(pem(r, ""))[1:-1],
        ('{{"type":"service_account","private_key":"{}","x":1}}',),
    ),
    "signing-key": (lambda r: pick(r, HEX, 64), ("signing_key={}", "SECRET_KEY = '{}'", "encryption-key: {}")),
    "sql": (password, ("ALTER USER app IDENTIFIED BY '{}'", "CREATE ROLE app LOGIN PASSWORD '{}'")),
    "cli-user": (password, ("curl -u deploy:{} https://repo", "redis-cli -h r -a {} ping", "mysql -u root -p{} shop")),
}


def secrets(seed: int, per_kind: int = 4) -> list[Planted]:
    rng = random.Random(seed)
    planted: list[Planted] = []
    for kind, maker in TOKENS.items():
        for _ in range(per_kind):
            secret = maker(rng)
            planted.append(Planted(kind, rng.choice(TOKEN_LINES).format(secret), secret.rpartition("/")[2]))
    for kind, (maker, lines) in CONTEXT_LINES.items():
        for turn in range(max(per_kind, len(lines))):
            secret = maker(rng)
            planted.append(Planted(kind, lines[turn % len(lines)].format(secret), secret))
    return planted


BENIGN = (
    "{ts} INFO request_id={uuid} path=/api/v1/orders/{n} status=200 took {n}ms",
    "{ts} DEBUG cache hit key=cache:user:{n}:{hex16} ttl=300",
    "commit {sha} Author: Ada <ada@example.com>",
    "image: registry.example.com/shop/cart@sha256:{hex64}",
    'etag: W/"{hex32}" content-md5: {b64}',
    "{ts} WARN token expired for user {n}",
    "Unexpected token: }} in JSON at position {n}",
    "unexpected token < at line {n} column 8",
    "{ts} ERROR invalid token: expected ')' but found ','",
    "nextPageToken: CAUQAA{hex16}",
    "max_tokens=4096 total_tokens={n} token_count={n}",
    'FATAL: password authentication failed for user "app{n}"',
    "password: required, must be at least 12 characters",
    "Password changed for account {n}",
    "passed: {n} failed: 0 skipped: 3",
    "pass={n} fail=0",
    "compass=north bypass=false author: ada{n}",
    "OAuth: redirecting to https://auth.example.com/authorize?client_id=web&state={uuid}",
    "auth: ok user=u{n} method=oidc",
    "auth-service-7d9f8c6b5-x2x{n} is Ready",
    "basic authentication enabled for realm {n}",
    "the bearer of this ticket {n}",
    "PWD=/srv/app/{n}",
    'secret "db-credentials-v{n}" not found in namespace shop',
    "mounting secret: shop/db-credentials",
    "secretName: tls-{n}-cert",
    "private_key: /etc/ssl/private/app{n}.key",
    "ssl_key=/run/secrets/tls.key",
    "token_file=/var/run/secrets/kubernetes.io/serviceaccount/token",
    "password = os.environ['DB_PASSWORD']",
    "password = config.get('db.password')",
    "password=${{DB_PASSWORD}} token=$TOKEN secret={{{{ .Values.secret }}}}",
    "api_key: <your key here>",
    "Authorization: <none>",
    "authorization: denied by policy {n}",
    "authorization=false cookie=disabled",
    "self.token = self._read_token()",
    "def login(user: str, password: str) -> Token:",
    "token: str | None = None",
    "foreign key (order_id) references orders (id) -- {n}",
    "primary key: order_{n}",
    "partition_key=customer-{n} sort_key=order#{n}",
    "idempotency-key: {uuid}",
    "trace_id={hex32} span_id={hex16} parent={hex16}",
    "GET https://cdn.example.com/assets/app.{hex32}.js 200",
    "s3://bucket/path/{uuid}/part-{n}.parquet",
    "user@example.com logged in from 10.0.{m}.{m}",
    "git@github.com:example/shop.git fetched {n} objects",
    "http://metrics:9090/api/v1/query?query=up&time={n}",
    "upstream http://10.0.{m}.{m}:8080/ timed out",
    "   at com.example.auth.TokenFilter.doFilter(TokenFilter.java:{n})",
    'File "/srv/app/secret_store.py", line {n}, in get_secret',
    "sha512-{b64long}== integrity checked",
    "{b64long}",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{b64} ada@laptop",
    "-----BEGIN CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    "signature verification failed for {sha}",
    "signature: invalid",
    "kafka offset={n} partition={m} key=order-{n}",
    "session opened for user root by (uid={m})",
    "sk-spinner sk-circle-{m} css loaded",
    "npm_config_registry=https://registry.example.com/",
    "re_render took {n}ms; r8_format=yuv",
    "AKIA is the prefix of access keys",
    "deploy 2026.01.{m} sha={sha} by ci",
    "credentials: include",
    "cookie consent shown {n} times",
    "otp sent to user {n}",
    "dsn: configured",
    "sig=SIGTERM pid={n}",
    "eyJ is how a token begins",
    "version v1.{m}.{m}+build.{hex16}",
    "[redacted] password=[FILTERED] token=*** secret=xxxxx",
    'level=info msg="token refreshed" expires_in={n}',
    "2 passwords rotated; next rotation in {n} days",
    "key-{n} value-{n}",
    "mongodb://db{m}.internal:27017/shop",
    "arn:aws:iam::123456789012:role/app-{n}",
    "projects/shop/secrets/db-password/versions/{m}",
)


def benign(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    lines: list[str] = []
    for turn in range(count):
        noise = rng.randbytes(32)
        digest = hashlib.sha512(noise).hexdigest()
        values = {
            "ts": f"2026-01-{rng.randrange(1, 28):02d}T10:{rng.randrange(60):02d}:{rng.randrange(60):02d}.123Z",
            "uuid": uuid.UUID(bytes=noise[:16], version=4),
            "n": rng.randrange(10**6),
            "m": rng.randrange(250),
            "sha": digest[:40],
            "hex16": digest[:16],
            "hex32": digest[:32],
            "hex64": digest[:64],
            "b64": base64.b64encode(noise[:16]).decode(),
            "b64long": base64.b64encode(noise).decode().rstrip("="),
        }
        lines.append(BENIGN[turn % len(BENIGN)].format(**values))
    return lines
