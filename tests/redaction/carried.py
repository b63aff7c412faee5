"""A fifth corpus: names of many services in the ways that programs write a name and its value, and commands.

Written before the rules were read. First sight with the scanner, at twice this size: 91.5 % (a sixth, of rare services
and commands: 88.2 %; an ordinary one: 97.2 %). No literal here is a secret.
"""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Callable

from tests.redaction.corpus import ALNUM, HEX, TOKENS, URLSAFE, Planted, b64, pick

Maker = Callable[[random.Random], str]


def _word(rng: random.Random) -> str:
    return rng.choice(("kestrel", "Winter", "tundra-", "Pa55w0rd_")) + pick(rng, string.digits, 5)


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(bytes=rng.randbytes(16)))


NAMED: tuple[tuple[str, Maker], ...] = (
    ("aws_secret_access_key", lambda r: pick(r, ALNUM + "/+", 40)),
    ("s3_secret_key", lambda r: pick(r, ALNUM, 40)),
    ("github_token", TOKENS["github"]),
    ("storage_account_key", lambda r: b64(r, 64)),
    ("azure_client_secret", TOKENS["azure-secret"]),
    ("id_token", TOKENS["jwt"]),
    ("twilio_auth_token", lambda r: pick(r, HEX, 32)),
    ("mailgun_api_key", lambda r: pick(r, HEX, 32)),
    ("heroku_api_key", _uuid),
    ("dd_application_key", lambda r: pick(r, HEX, 40)),
    ("new_relic_license_key", lambda r: pick(r, HEX, 36) + "NR" + "AL"),
    ("pd_integration_key", lambda r: pick(r, URLSAFE[:-2], 20)),
    ("consul_http_token", _uuid),
    ("paypal_client_secret", lambda r: "E" + pick(r, URLSAFE, 79)),
    ("okta_api_token", lambda r: "00" + pick(r, URLSAFE, 40)),
    ("auth0_mgmt_secret", lambda r: pick(r, URLSAFE, 64)),
    ("jira_api_token", lambda r: pick(r, ALNUM, 24)),
    ("netlify_auth_token", lambda r: pick(r, URLSAFE, 43)),
    ("vercel_token", lambda r: pick(r, ALNUM, 24)),
    ("algolia_admin_key", lambda r: pick(r, HEX, 32)),
    ("db_password", _word),
    ("bind_password", _word),
    ("smtp_pass", _word),
    ("truststore_pass", _word),
    ("signing_secret", lambda r: pick(r, ALNUM, 32)),
    ("fernet_key", lambda r: b64(r, 32)),
    ("partner_api_key", lambda r: pick(r, HEX, 40)),
)
"""Names in snake case, and what they hold."""

CARRIERS = (
    'Environment="{NAME}={}"',
    '$env:{NAME} = "{}"',
    "set -gx {NAME} {}",
    'setx {NAME} "{}" /M',
    "helm upgrade --install api ./chart --set secrets.{camel}={} --wait",
    "kubectl -n prod create secret generic app --from-literal={kebab}={}",
    "712\troot\t/usr/bin/java -D{dot}={} -Xmx512m -jar svc.jar",
    "root 4411 0.3 1.1 python worker.py --{kebab} {} --queue default",
    'execve("/bin/app", ["app", "--{kebab}={}"], 0x7ffd /* 23 vars */) = 0',
    '{{"ts":"2025-01-02T03:04:05Z","msg":"cfg {{\\"{name}\\": \\"{}\\"}}"}}',
    '{{"headers":[{{"name":"X-{kebab}","value":"{}"}}]}}',
    '%{{host: "db", {name}: "{}", pool_size: 10}}',
    'Settings {{ host: "db", {name}: Some("{}"), retries: 3 }}',
    "Options(host=db, {camel}={}, retries=3)",
    "&{{Host:db {Pascal}:{} Retries:3}}",
    "map[host:[db] {kebab}:[{}]]",
    "array('host' => 'db', '{name}' => '{}')",
    'array(1) {{\n  ["{name}"]=>\n  string(20) "{}"\n}}',
    '{{:host=>"db", :{name}=>"{}"}}',
    '  ~ {name} = "{}" -> (known after apply)',
    '<add key="{Pascal}" value="{}" />',
    '<property name="app.{camel}">{}</property>',
    "os.environ['{NAME}'] = '{}'",
    "process.env.{NAME} || '{}'",
    "const {camel} = `{}`;",
    'private static final String {NAME} = "{}";',
    'let {name}: String = "{}".to_string();',
    "^1a2b3c4 (J. Doe 2024-02-02 11:02:11 +0100 14) {name}: {}",
    '2025-01-02T03:04:05Z lvl=eror caller=conf.go:88 {name}={} err="bad"',
    "  {kebab}: |-\n    {}",
    "| {NAME} | `{}` | prod |",
    "++ export {NAME}={}",
    'env: [("HOME", "/root"), ("{NAME}", "{}")]',
    "INSERT INTO settings (name, value) VALUES ('{name}', '{}');",
    "UPDATE app_config SET {name} = '{}' WHERE id = 3;",
    "INSERT INTO t (id, {name}, at) VALUES (3, '{}', now())",
    '10.0.3.4 - bob [11/Jun/2025:11:12:13 +0000] "GET /cb?state=ab&{name}={} HTTP/2.0" 302 0',
    "docker run -d -e {NAME}={} -p 80:80 acme/web",
    'variable "{name}" {{ default = "{}" }}',
    "reg add HKLM\\Software\\App /v {Pascal} /t REG_SZ /d {}",
)

COMMANDS = (
    "echo '{}' | docker login --username ci --password-stdin registry.example.com",
    'echo "root:{}" | chpasswd',
    "echo '{}' | sudo -S apt update",
    "echo '{}' | gpg --passphrase-fd 0 -d x.gpg",
    "smbclient //nas/share -U acme%{}",
    "net use Z: \\\\nas\\x /user:corp\\bob {}",
    "sentinel auth-pass mymaster {}",
    "masterauth {}",
    "jdbc:oracle:thin:scott/{}@//ora:1521/ORCL",
    "ALTER USER app IDENTIFIED BY '{}'",
    "A temporary password is generated for root@localhost: {}",
    "requests.get(url, auth=('svc', '{}'))",
    'stringData:\n  connection: "{}"',
)

HARMLESS = (
    "| password | varchar(255) | NO | |",
    "| api_key_id | uuid | {uuid} |",
    'FIELDS = ("username", "password", "token", "secret")',
    "INSERT INTO users (id, email, name) VALUES ({n}, 'a@example.com', 'Bob7')",
    "INSERT INTO tokens (token_type, expires_in) VALUES ('bearer', {n})",
    "token -> user lookup took {n}ms",
    "token = params[:token] || session[:token]",
    'let key: String = format!("{{}}-{{}}", a, b);',
    "const token: string = await getToken('user7')",
    "auth=('user', 'pass')",
    "pi_{b24} succeeded amount={n}",
    "file_{hex} uploaded",
    "echo hello | docker run --rm -i acme/web",
    "Password for user app{n}:",
    "password for bob: incorrect",
    "password PBKDF2WithHmacSHA256 iterations={n}",
    "set password policy minimum length 12",
    "psql -U app -p 5433 -d shop",
    "docker run -u 1000 -p 8080:80 acme/web",
    "curl -u admin: http://localhost:9200/_cat",
    'pod identified by "cart-{n}" not found',
    '"cookies": {{"theme": "dark", "lang": "en"}}',
    "map[app:cart pod-template-hash:5d4f8c7b9]",
    "token:[0-9a-f]{{32}}",
    '<string name="password">Your password (8+ characters)</string>',
    "label.password=Passwort",
    "runas /user:admin cmd.exe",
    "AZURE_CLIENT_ID={uuid}",
    'tenant_id: "{uuid}"',
    "jwt: kid=3f2a9b1c alg=RS256 not found in jwks",
    "Secret: kube-system/ledger-token-qjz9h",
    "public key: {b43}=",
    "Cache restored from key: Linux-build-{hex}",
    "next_page_token={b24}{b24}",
    "PASS: test_cart_{n}",
    "--- PASS: TestAuthToken{n} (0.00s)",
)


def secrets(seed: int) -> list[Planted]:
    """Draw each name in nine of the carriers, in turn, and each command twice."""
    rng = random.Random(seed)
    planted = [
        Planted(name, _written(CARRIERS[(place * 9 + turn) % len(CARRIERS)], name, value), value)
        for place, (name, maker) in enumerate(NAMED)
        for turn in range(9)
        for value in (maker(rng),)
    ]
    for _ in range(2):
        for place, line in enumerate(COMMANDS):
            value = _word(rng) + pick(rng, ALNUM, 4)
            planted.append(Planted(f"command {place}", line.format(value), value))
    return planted


def benign(seed: int, count: int) -> list[str]:
    """Draw harmless lines that look like some of the above."""
    rng = random.Random(seed)
    lines = []
    for place in range(count):
        words = {"hex": pick(rng, HEX, 64), "b24": pick(rng, ALNUM, 24), "b43": pick(rng, ALNUM, 43)}
        lines.append(HARMLESS[place % len(HARMLESS)].format(n=rng.randrange(10, 9999), uuid=_uuid(rng), **words))
    return lines


def _written(carrier: str, name: str, value: str) -> str:
    pascal = "".join(part.capitalize() for part in name.split("_"))
    spellings = {"NAME": name.upper(), "name": name, "kebab": name.replace("_", "-"), "dot": name.replace("_", ".")}
    return carrier.format(value, Pascal=pascal, camel=pascal[0].lower() + pascal[1:], **spellings)
