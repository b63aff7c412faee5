"""A fourth corpus, of one line per kind: scored once, and left as it was scored.

No literal here is a secret.
"""

from __future__ import annotations

import base64
import json
import random
import string
from urllib.parse import quote

from tests.redaction.corpus import ALNUM, HEX, URLSAFE, Planted, b64, jwt, pem, pick
from tests.redaction.unseen import Line, _drawn, _escaped, _hex, _word

LINES: tuple[Line, ...] = (
    ("flyway", _word, "flyway -url=jdbc:postgresql://db/x -user=fw -password={} migrate"),
    ("liquibase", _word, "liquibase.command.password: {}"),
    ("kafka connect", _word, '"connection.password": "{}", "tasks.max": "1"'),
    ("airflow", _word, "AIRFLOW__CORE__SQL_ALCHEMY_CONN=postgresql://af:{}@pg/airflow"),
    ("fernet", lambda r: b64(r, 32), "AIRFLOW__CORE__FERNET_KEY={}"),
    ("jupyter", lambda r: pick(r, HEX, 48), "    http://127.0.0.1:8888/lab?token={}"),
    ("jenkins", lambda r: pick(r, HEX, 32), "Please use the following password to proceed to installation:\n\n{}\n"),
    ("jenkins api", lambda r: "11" + pick(r, HEX, 32), "curl -X POST http://ci:8080/job/a/build --user ada:{}"),
    ("sonar", lambda r: pick(r, HEX, 40), "sonar-scanner -Dsonar.login=x -Dsonar.token={}"),
    ("codecov", lambda r: str(__import__("uuid").UUID(bytes=r.randbytes(16))), "CODECOV_TOKEN={} bash codecov.sh"),
    ("heroku", lambda r: str(__import__("uuid").UUID(bytes=r.randbytes(16))), "HEROKU_API_KEY: {}"),
    ("cloudflare", _drawn, "X-Auth-Email: a@example.com\nX-Auth-Key: {}"),
    ("algolia", lambda r: pick(r, HEX, 32), "X-Algolia-API-Key: {}"),
    ("mailgun", lambda r: "key-" + pick(r, HEX, 32), "mailgun: api:{} 401"),
    ("elastic", lambda r: base64.b64encode(_drawn(r).encode()).decode(), "Authorization: ApiKey {}"),
    ("okta", lambda r: "00" + pick(r, URLSAFE, 40), "Authorization: SSWS {}"),
    ("vault unseal", lambda r: b64(r, 33), "Unseal Key 1: {}"),
    ("vault root", lambda r: "hv" + "s." + pick(r, ALNUM, 24), "Initial Root Token: {}"),
    ("consul", lambda r: str(__import__("uuid").UUID(bytes=r.randbytes(16))), "X-Consul-Token: {}"),
    ("k8s sa", jwt, "  token:      {}"),
    ("kubeconfig", lambda r: base64.b64encode(pem(r).encode()).decode()[:400], "    client-key-data: {}"),
    ("etcd", _word, "etcdctl --user root:{} get /"),
    ("rabbit", _word, "rabbitmqctl add_user shop {}"),
    ("grafana", _word, "GF_SECURITY_ADMIN_PASSWORD={}"),
    ("smtp", lambda r: base64.b64encode(b"\0bot\0" + _word(r).encode()).decode(), "C: AUTH PLAIN {}"),
    ("imap", _word, 'a001 LOGIN "bot" "{}"'),
    ("ftp", _word, "ftp> USER bot\n331 ok\nPASS {}\n230 in"),
    ("irc", _word, "PRIVMSG NickServ :IDENTIFY {}"),
    ("wifi", _word, 'network={{\n  ssid="x"\n  psk="{}"\n}}'),
    ("ppp", _word, '"user" * "{}"  # chap-secrets'),
    ("hsm", lambda r: pick(r, string.digits, 6), "pkcs11-tool --login --pin {} --list-objects"),
    ("gpg", _word, "gpg --batch --passphrase {} -d a.gpg"),
    ("restic", _word, "RESTIC_PASSWORD={} restic snapshots"),
    ("borg", _word, "BORG_PASSPHRASE='{}' borg list"),
    ("rclone", _drawn, "pass = {}"),
    ("s3cmd", lambda r: pick(r, ALNUM + "/+", 40), "secret_key = {}"),
    ("gcs hmac", lambda r: pick(r, ALNUM + "/+", 40), "gs_secret_access_key = {}"),
    ("twilio", lambda r: pick(r, HEX, 32), "TWILIO_AUTH_TOKEN={}"),
    ("paypal", lambda r: "E" + pick(r, URLSAFE, 79), "paypal.client.secret={}"),
    ("square", lambda r: "sq0" + "atp-" + pick(r, URLSAFE, 22), "square: access {} expired"),
    ("facebook", lambda r: pick(r, HEX, 32), "fb app secret: {}"),
    ("twitter", lambda r: pick(r, ALNUM, 50), "consumer_secret='{}'"),
    ("saml", lambda r: quote(b64(r, 256)), "POST /acs SAMLResponse={}&RelayState=x"),
    ("oidc code", _drawn, "GET /callback?code={}&session_state=1 302"),
    ("device", _drawn, '{{"device_code":"{}","user_code":"ABCD","interval":5}}'),
    ("csrf", _drawn, "X-CSRF-Token: {}"),
    ("ws ticket", _drawn, "wss://rt.example/socket?auth_token={}&vsn=2"),
    ("signed cookie", lambda r: b64(r, 60), "Cookie: remember_token={}"),
    ("gha", _drawn, 'echo "::set-output name=token::{}"'),
    ("circle", _drawn, "Circle-Token: {}"),
    ("npm login", _drawn, "npm ERR! authToken '{}' is invalid"),
    ("maven", _word, "<server><id>nexus</id><username>d</username><password>{}</password></server>"),
    ("gradle", _word, "signing.password={}"),
    ("nuget", _word, '<add key="ClearTextPassword" value="{}" />'),
    ("composer", _word, '"http-basic": {{"repo.example": {{"username": "a", "password": "{}"}}}}'),
    ("cargo", _drawn, '[registry]\ntoken = "{}"'),
    ("pem json", _escaped, '{{"tls":{{"key":"{}"}}}}'),
    ("hex", _hex, "PRIVATE_KEY={} npx hardhat run deploy.js"),
    (
        "mnemonic",
        lambda r: " ".join(r.choice(["abandon", "ability", "zebra", "zoo", "crater", "velvet"]) for _ in range(12)),
        'MNEMONIC="{}"',
    ),
    (
        "json lines",
        _drawn,
        json.dumps({"msg": "auth ok", "ctx": {"accessToken": "<>"}})
        .replace("{", "{{")
        .replace("}", "}}")
        .replace("<>", "{}"),
    ),
)


def secrets(seed: int, times: int = 4) -> list[Planted]:
    """Draw each line `times` times, with a new secret every time."""
    rng = random.Random(seed)
    planted: list[Planted] = []
    for kind, maker, line in LINES:
        for _ in range(times):
            secret = maker(rng)
            planted.append(Planted(kind, line.format(secret), secret.split("\\n")[2] if "\\n" in secret else secret))
    return planted
