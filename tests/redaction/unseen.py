"""A third corpus: whole lines in yet other layouts, written after the rules were tuned and scored as they were.

No literal here is a secret.
"""

from __future__ import annotations

import base64
import json
import random
import string
from urllib.parse import quote

from tests.redaction.corpus import ALNUM, HEX, URLSAFE, Maker, Planted, b64, jwt, pem, pick

Line = tuple[str, Maker, str]


def _word(rng: random.Random) -> str:
    return pick(rng, ALNUM + "!#%*+", 13)


def _drawn(rng: random.Random) -> str:
    return pick(rng, ALNUM, 40)


def _hex(rng: random.Random) -> str:
    return pick(rng, HEX, 64)


def _escaped(rng: random.Random) -> str:
    return json.dumps(pem(rng, rng.choice(["RSA ", "EC ", ""])))[1:-1]


LINES: tuple[Line, ...] = (
    ("spring", _word, "Using generated security password: {}"),
    ("spring", _word, "o.s.b.a.Binder : spring.rabbitmq.password bound to '{}'"),
    ("hikari", _word, 'HikariConfig - dataSource.password.............................."{}"'),
    (
        "jdbc",
        _word,
        "o.p.Driver: connect jdbc:postgresql://pg-0:5432/bill?sslmode=require&user=bill&password={}&ApplicationName=b",
    ),
    ("jdbc", _word, 'url="jdbc:mariadb://m1/shop?user=a&password={}"'),
    ("odbc", _word, "System.Data.SqlClient: Data Source=sql9;Initial Catalog=hr;User ID=hr_app;Password={};Timeout=5"),
    ("celery", _drawn, "[INFO/MainProcess] Connected to amqp://worker:{}@mq-2:5672//"),
    ("celery", _drawn, "transport: redis://:{}@redis-master.cache.svc:6379/1"),
    ("mongo", _drawn, "MongoServerError at mongodb://root:{}@m-0,m-1,m-2/admin?replicaSet=rs0"),
    ("sqlalchemy", _drawn, "create_engine('postgresql+psycopg2://etl:{}@wh:5439/dw')"),
    ("git remote", _drawn, "origin\thttps://oauth2:{}@git.corp.example/infra/tf.git (fetch)"),
    ("pip", _drawn, "Looking in indexes: https://pypi:{}@nexus.corp.example/simple"),
    ("envoy", _drawn, "[2026-05-02][debug][http] ':method', 'GET' 'authorization', 'Bearer {}' 'x-envoy', '1'"),
    ("envoy", _drawn, "request headers complete: 'x-api-key', '{}'"),
    ("har", _drawn, '{{"headers":[{{"name":"Authorization","value":"Bearer {}"}},{{"name":"Accept","value":"*/*"}}]}}'),
    ("har", _drawn, '"cookies":[{{"name":"session_token","value":"{}","httpOnly":true}}]'),
    ("python repr", _drawn, "requests.PreparedRequest headers={{'Authorization': 'Token {}', 'Accept': '*/*'}}"),
    ("python repr", _word, "OperationalError: Config(host='db', user='x', password='{}', port=5432)"),
    ("ruby", _word, 'Parameters: {{"user"=>{{"email"=>"a@example.com", "password"=>"{}"}}}}'),
    ("ruby", _word, '#<Mysql2::Client opts={{:host=>"db", :password=>"{}"}}>'),
    ("go struct", _word, "cfg: &{{Host:db Port:5432 User:app Password:{} SSLMode:disable}}"),
    ("go struct", _drawn, 'main.Config{{Listen:":80", APIToken:"{}"}}'),
    ("rust", _drawn, 'thread \'main\' panicked: Settings {{ host: "a", api_key: "{}" }}'),
    ("php", _word, "#0 /srv/db.php(12): PDO->__construct('mysql:host=db', 'root', password: '{}')"),
    ("docker inspect", _word, '"Env": ["PATH=/usr/bin", "MYSQL_ROOT_PASSWORD={}", "TZ=UTC"],'),
    ("docker compose", _word, "      - POSTGRES_PASSWORD={}"),
    ("docker compose", _word, "      MINIO_ROOT_PASSWORD: {}"),
    (
        "kube describe",
        _word,
        "    Environment:\n      DB_USER:      app\n      DB_PASSWORD:  {}\n      LOG:          info",
    ),
    ("helm", _word, "helm upgrade db bitnami/postgresql --set auth.postgresPassword={} --wait"),
    ("helm", _drawn, "--set-string ingress.oauth.clientSecret={}"),
    ("ansible", _word, "changed: [web-1] => (item={{'name': 'app', 'password': '{}'}})"),
    ("ansible", _word, "ansible_become_pass: {}"),
    ("terraform plan", _word, '      + password                = "{}"'),
    ("terraform plan", _drawn, '      ~ auth_token = "old-one" -> "{}"'),
    ("systemd unit", _drawn, 'Environment="API_TOKEN={}"'),
    ("dotenv", _drawn, "export STRIPE_WEBHOOK_SECRET='{}'"),
    ("dotenv", _drawn, "JWT_SIGNING_KEY={}"),
    ("ini", _word, "[smtp]\nhost = mx\nuser = bot\npassword = {}\ntls = yes"),
    ("properties", _word, "javax.net.ssl.keyStorePassword={}"),
    ("properties", _word, "ssl.truststore.password={}"),
    ("jaas", _word, 'sasl.jaas.config=o.a.k.PlainLoginModule required username="kc" password="{}";'),
    (
        "nginx",
        _drawn,
        '10.0.0.9 - - [02/May/2026:10:00:00 +0000] "GET /v1/me?access_token={} HTTP/2.0" 200 512 "-" "okhttp"',
    ),
    ("nginx", _drawn, '10.0.0.9 - - [02/May/2026:10:00:00 +0000] "GET /reset?token={} HTTP/1.1" 302 0'),
    ("apache", _drawn, '"POST /cb?state=1&code={}&scope=openid HTTP/1.1" 303'),
    ("haproxy", _drawn, 'http-in be/s1 0/0/1 {{|Bearer {}}} "GET / HTTP/1.1"'),
    ("curl -v", _drawn, "> GET /api HTTP/2\n> Host: a.example\n> X-Auth-Key: {}\n> Accept: */*"),
    ("curl", _word, "+ curl --fail --user admin:{} https://nexus.corp.example/"),
    ("wget", _word, "+ wget --user=ci --password={} https://f.example/x.tgz"),
    ("set -x", _word, "++ mysql -h db -uroot -p{} -e 'show slave status'"),
    ("set -x", _word, "+ REDISCLI_AUTH={} redis-cli ping"),
    ("set -x", _drawn, "+ vault login {}"),
    ("set -x", _drawn, "+ argocd login --auth-token {} argo.example"),
    ("ps", _word, "root 812 0.0 java -Xmx1g -Djavax.net.ssl.trustStorePassword={} -jar a.jar"),
    ("ps", _drawn, "node 31 /usr/bin/node server.js --api-key={} --port 80"),
    ("redis monitor", _drawn, '1700000000.123 [0 10.1.1.1:5000] "AUTH" "default" "{}"'),
    ("postgres log", _word, "LOG:  statement: ALTER USER reporting WITH ENCRYPTED PASSWORD '{}';"),
    ("mysql log", _word, "Query\tGRANT ALL ON a.* TO 'a'@'%' IDENTIFIED BY '{}'"),
    ("git diff", _word, "@@ -1,3 +1,3 @@\n-  password: {}\n+  password: ${{DB_PASSWORD}}"),
    ("git diff", _drawn, "-const API_SECRET = '{}';\n+const API_SECRET = process.env.API_SECRET;"),
    ("commit message", _drawn, "revert: the token {} was pushed by mistake"),
    ("commit message", _word, "hotfix: db password is {} until the vault is back"),
    (
        "slack hook",
        lambda r: pick(r, ALNUM, 24),
        "slack_api_url: 'https://hooks.slack.com/services/T0" + "1AAAAAA/B0" + "2BBBBBB/{}'",
    ),
    ("pagerduty", lambda r: pick(r, HEX, 32), 'routing_key: "{}"'),
    ("opsgenie", _drawn, "Authorization: GenieKey {}"),
    ("datadog", lambda r: pick(r, HEX, 32), "DD-API-KEY: {}"),
    ("datadog", lambda r: pick(r, HEX, 40), "DD_APP_KEY={}"),
    ("s3", _hex, "PUT https://b.s3.eu-west-1.amazonaws.com/a?X-Amz-SignedHeaders=host&X-Amz-Signature={} 403"),
    (
        "sas",
        lambda r: quote(b64(r, 32), safe=""),
        "azcopy cp a 'https://x.blob.core.windows.net/c?se=2026-06-01&sp=rw&sv=2022-11-02&sr=c&sig={}'",
    ),
    ("azure", lambda r: b64(r, 64), '"primaryKey": "{}",'),
    ("cosmos", lambda r: b64(r, 64), "COSMOS_CONNECTION=AccountEndpoint=https://c.documents.azure.com/;AccountKey={};"),
    ("gcp sa", _escaped, '"type":"service_account","private_key":"{}","client_id":"1"'),
    ("aws ini", lambda r: pick(r, ALNUM + "/+", 40), "[prod]\naws_access_key_id = x\naws_secret_access_key = {}"),
    ("aws json", lambda r: pick(r, ALNUM + "/+", 40), "'Credentials': {{'SecretAccessKey': '{}', 'Expiration': 'x'}}"),
    ("sts", lambda r: b64(r, 180), "<Credentials><SessionToken>{}</SessionToken></Credentials>"),
    ("soap", _word, '<wsse:Username>a</wsse:Username><wsse:Password Type="t">{}</wsse:Password>'),
    ("xml attribute", _word, '<Resource name="jdbc/x" username="a" password="{}" maxTotal="5"/>'),
    ("toml", _drawn, '[auth]\ntoken = "{}"'),
    ("nested", _drawn, '{{"secret":{{"stringValue":"{}"}}}}'),
    ("nested", _drawn, "api_token:\n  value: {}\n"),
    ("block", _drawn, "- name: x\n  token: |\n    {}\n- name: y"),
    ("manifest", lambda r: b64(r, 18), "apiVersion: v1\ndata:\n  conn: {}\nkind: Secret\n"),
    (
        "last applied",
        lambda r: b64(r, 18),
        'annotations: {{"apiVersion":"v1","data":{{"conn":"{}"}},"kind":"Secret","metadata":{{}}}}',
    ),
    ("npmrc", _drawn, "//npm.corp.example/:_password={}"),
    (
        "docker config",
        lambda r: base64.b64encode(b"u:" + _drawn(r).encode()).decode(),
        '\t"auths": {{ "ghcr.io": {{ "auth": "{}" }} }}',
    ),
    ("htpasswd", lambda r: pick(r, ALNUM + "./", 53), "monitor:$2a$12${}"),
    ("shadow", lambda r: pick(r, ALNUM + "./", 43), "app:$5$rounds=5000$abcdefgh${}:19800::::::"),
    ("wireguard", lambda r: b64(r, 32), "[Interface]\nPrivateKey = {}\nAddress = 10.0.0.1/24"),
    (
        "age",
        lambda r: "AGE-SECRET-" + "KEY-1" + pick(r, string.ascii_uppercase + string.digits, 58),
        "sops: recovered {}",
    ),
    (
        "totp",
        lambda r: pick(r, string.ascii_uppercase + "234567", 26),
        "enrolled otpauth://totp/x?issuer=y&secret={}&digits=6",
    ),
    ("code", lambda r: pick(r, string.digits, 6), "sms otp=480 otp={} sent".replace("otp=480 ", "")),
    ("code", lambda r: pick(r, string.digits, 6), '{{"card":"x","cvv":"1111","pin":"{}"}}'),
    ("django", lambda r: pick(r, ALNUM + "!@#^*-_=+", 50), "SECRET_KEY='{}'"),
    ("flask", _hex, "app.config['SECRET_KEY'] = '{}'"),
    ("rails", _hex, "secret_key_base: {}"),
    ("rails cookie", lambda r: quote(b64(r, 90)), "Set-Cookie: _shop_session={}; path=/; HttpOnly"),
    ("express", _drawn, "cookie: theme=dark; connect.sid=s%3A{}.x"),
    ("grpc", _drawn, "metadata: {{authorization=[Bearer {}], user-agent=[grpc-go]}}"),
    ("graphql", _word, 'query: mutation {{ login(user: "a", password: "{}") {{ id }} }}'),
    ("form body", _word, "body=username=a&password={}&remember=1"),
    ("form body", lambda r: quote(pick(r, ALNUM, 14) + "&="), "username%3Da%26password%3D{}"),
    ("escaped json", _word, '"payload":"{{\\"login\\":\\"a\\",\\"password\\":\\"{}\\"}}"'),
    ("escaped json", _drawn, '"raw":"{{\\\\\\"refresh_token\\\\\\":\\\\\\"{}\\\\\\"}}"'),
    ("jwt", jwt, "[getToken][USER TOKEN: {} USER ID: 4]"),
    ("jwt", jwt, "id_token={}&state=x"),
    (
        "github",
        lambda r: "gh" + "p_" + pick(r, ALNUM, 36),
        "fatal: could not read Password for 'https://{}@github.com'",
    ),
    ("gitlab", lambda r: "gl" + "pat-" + pick(r, URLSAFE, 20), "CI_JOB_TOKEN fallback {} used"),
    (
        "slack",
        lambda r: "xo" + "xb-" + pick(r, string.digits, 12) + "-" + pick(r, ALNUM, 24),
        "bolt-app: auth.test({})",
    ),
    ("stripe", lambda r: "sk_" + "live_" + pick(r, ALNUM, 24), "Invalid API Key provided: {}"),
    ("google", lambda r: "AI" + "za" + pick(r, URLSAFE, 35), "maps.js?v=3&key={}"),
    ("sendgrid", lambda r: "S" + "G." + pick(r, URLSAFE, 22) + "." + pick(r, URLSAFE, 43), "mailer: key {} revoked"),
    ("openai", lambda r: "sk" + "-proj-" + pick(r, URLSAFE, 64), "Incorrect API key provided: {}."),
    (
        "telegram",
        lambda r: pick(r, "123456789", 9) + ":A" + "A" + pick(r, ALNUM, 33),
        "https://api.telegram.org/bot{}/sendMessage",
    ),
    ("hex key", _hex, "deployer private key: 0x{}"),
    ("hex key", _hex, "master_key={}"),
    ("hmac", _hex, 'hmac_secret: "{}"'),
    ("basic", lambda r: base64.b64encode(b"svc:" + _word(r).encode()).decode(), "HTTP_AUTHORIZATION=Basic {}"),
    ("basic", lambda r: base64.b64encode(b"svc:" + _word(r).encode()).decode(), "authorization: Basic {}, accept: */*"),
    ("netrc", _word, "default login a password {}"),
    ("ldap", _word, "bindpw {}"),
    ("ldap", _word, "ldapsearch -D cn=a -w '{}' -b dc=x"),
    ("snmp", _word, "snmpget -v3 -u a -A {} -l authPriv h"),
    ("radius", _word, "radius shared secret = {}"),
    ("ssh", _word, "sshpass -p '{}' scp a b:"),
    ("zip", _word, "7z x -p{} backup.7z"),
    ("openssl", _word, "openssl enc -d -pass pass:{} -in a"),
    ("keytool", _word, "keytool -list -storepass {} -keystore k"),
    ("smb", _word, "//nas/x /mnt cifs username=a,password={},uid=1 0 0"),
)


def secrets(seed: int, times: int = 2) -> list[Planted]:
    """Draw each line `times` times, with a new secret every time."""
    rng = random.Random(seed)
    planted: list[Planted] = []
    for kind, maker, line in LINES:
        for _ in range(times):
            secret = maker(rng)
            spelled = secret.split("\\n")[2] if "\\n" in secret else secret
            planted.append(Planted(kind, line.format(secret), spelled))
    return planted


BENIGN = (
    '{ts} level=info caller=main.go:{n} msg="listening" addr=:80{m}',
    "Compiled {n} assets; fingerprint main-{hex8}.css",
    "kubelet: Successfully assigned shop/cart-{hex10}-abc{m} to node-{m}",
    "Scaled up replica set auth-gateway-{hex10} to {m}",
    "x-amz-request-id: {hex16u} x-amz-id-2: {b64}{b64}=",
    "x-b3-traceid: {hex32} x-b3-spanid: {hex16}",
    "traceparent: 00-{hex32}-{hex16}-01",
    "cf-ray: {hex16}-FRA age: {n}",
    'ETag: "{hex32}-{m}"',
    "Last-Modified: x; Content-MD5: {b64}==",
    "sha1: {sha} size={n}",
    "image digest sha256:{hex64} signed by key sigstore-{m}",
    "ssh-keygen: 256 SHA256:{b64}{b64} ops@bastion (ED25519)",
    "host key fingerprint is {md5c}",
    "serial=0{hex16u} issuer=CN=Corp CA {m}",
    "LE challenge token file /.well-known/acme-challenge/x{m} served",
    "session store: redis, sessions={n}, ttl=1h",
    "cookie jar: {m} cookies loaded",
    "csrf: token missing on POST /login ({n})",
    "password policy: min_length={m} require_digits=true",
    "password_hash column added in migration 00{n}",
    "passwordless login enabled for tenant {n}",
    "pwd changed to /srv/app/{m}",
    "secret manager: fetched secret shop-db version {m} in {n}ms",
    'Secret "shop-tls" synced ({n} bytes)',
    "ExternalSecret shop/db-creds refreshed, next in {m}m",
    'Error: secrets "shop-db-{m}" is forbidden: User "ci" cannot get resource "secrets"',
    'MountVolume.SetUp failed for volume "secret-volume" : secret "app-key-{m}" not found',
    "vault kv get -field=password secret/shop/db-{m}",
    "token bucket key=tenant:{n} tokens=19.{m} rate=5/s",
    "prompt_tokens={n} completion_tokens={m} total_tokens={n}",
    "tokens_per_second: {n}.{m}",
    "token usage: {n}/128000",
    "jwt expired at 2026-05-02T10:00:{m}Z",
    "invalid signature for request {uuid}",
    "signature_version=4 region=eu-west-{m}",
    "auth_method=oidc auth_time={n}",
    "auth: user u{n} logged in via saml",
    "authorization_policy=deny rule={m}",
    "Authentication succeeded for user app-{m}@corp.example",
    "basic health check passed {n}",
    "bearer token was not provided ({n})",
    "key=tenant:{n}:profile hit=true",
    "key={hex32} hit=false",
    'key="{uuid}" op=get',
    "key = orders/2026/05/02/part-{n}.snappy.parquet",
    "duplicate entry '{n}' for key 'orders.uniq_ref'",
    "redis: SET cart:{uuid} EX 3600",
    "kafka: produced key={uuid} topic=orders.v{m}",
    "partition key pk#user-{n} sk#order-{m}",
    "hash key collision at bucket {n}",
    "config key 'payments.retry.max' = {m}",
    'unknown key "passwrod" in settings.yaml line {m}',
    "missing key: auth.oidc.client_secret (line {m})",
    "api_key is required ({n})",
    "api key rotation scheduled every {m} days",
    "apikey=none env=dev-{m}",
    "access key last used {n} days ago",
    "pin: not set",
    "pinned dependency foo=={m}.0.{n}",
    "otp verified for user {n}",
    "one-time code expired ({n})",
    "credential helper: store --file=/home/ci/.git-credentials-{m}",
    "credentials: loaded from instance profile role-{m}",
    "using credentials provider chain: env, file, imds ({n})",
    "connection string missing for database shop{m}",
    "postgres://pg-{m}.db.svc:5432/shop",
    "https://user@git.corp.example/a/b-{m}.git",
    "http://[2001:db8::{m}]:8080/healthz",
    "git@git.corp.example:infra/tf-{m}.git",
    "ssh://git@git.corp.example:7999/x/y{m}.git",
    "mailto:a+{m}@example.com",
    "-    token: ${{{{ secrets.GITHUB_TOKEN }}}}  # {m}",
    "+  password: {{{{ .Values.db.password }}}} # {m}",
    '+    private_key = file("~/.ssh/id_rsa_{m}")',
    '+    String password = System.getenv("DB_PASSWORD"); // {m}',
    "-  if (token === undefined) return res.status(401).end(); // {m}",
    "+  const secret = await vault.read(`secret/data/app-{m}`);",
    " func (s *Server) validateToken(ctx context.Context, token string) error {{ // {m}",
    '+@Value("${{spring.datasource.password}}") private String dbPass; // {m}',
    "refactor: move password reset to its own service ({m})",
    "fix: token refresh race in session middleware (#{n})",
    "chore(deps): bump passport from 0.{m}.0 to 0.7.0",
    "mysql: [Warning] Using a password on the command line interface can be insecure. {n}",
    "ERROR 1045 (28000): Access denied for user 'root'@'10.0.0.{m}' (using password: YES)",
    'FATAL: no pg_hba.conf entry for host "10.0.0.{m}", user "app", database "shop", SSL off',
    "LDAP: bind as cn=svc-{m},ou=apps failed: invalidCredentials",
    "sshd: Connection closed by authenticating user root 10.0.0.{m} port {n} [preauth]",
    "sudo: pam_unix(sudo:auth): authentication failure; user=ops{m}",
    "cp: -p preserves mode; run {m}",
    "docker run -p 80{m}:80 nginx",
    "docker run -d -p 127.0.0.1:5432:5432 --name pg{m} postgres",
    "ssh -p 22{m} -i ~/.ssh/id_ed25519 ops@web",
    "nmap -p 1-{n} 10.0.0.{m}",
    "mkdir -p /srv/releases/{n}a{m}",
    "psql -U app -d shop -p 5432 -w # {m}",
    "grep -w error{m}x /var/log/syslog",
    "sort -u names-{m}.txt",
    "top -u app:{m}",
    'curl -u "${{USER}}:${{PASS}}" https://a.example/{m}',
    "wal segment 0000000100000A{hex8u} archived",
    "lsn=0/{hex8u} slot=shop_{m}",
    "uuid={uuid} ulid=01J{upper23}",
    "nanoid=V1StGXR8_Z5jdHi6B-my{m}",
    "gid://shop/Order/{n}",
    "build {hex7} of branch feature/token-cache-{m} ok",
    "sourcemap main.{hex20}.js.map uploaded",
    "data:font/woff2;base64,{b64}{b64}{b64}{b64}",
    "thumbprint {sha} valid until 2027",
    "blob {sha}    {n}\tsrc/password.go",
    "parent {sha}",
    "gpgsig -----BEGIN PGP SIGNATURE-----",
    "=> => writing image sha256:{hex64}",
    "go.sum h1:{b64}{b64}= ok",
    'integrity="sha384-{b64}{b64}{b64}"',
    "psk_identity=web-{m} tls=1.3",
    "sig_alg=rs256 kid={hex20}",
    '{{"kid":"{hex20}","alg":"RS256","use":"sig","kty":"RSA","e":"AQAB"}}',
    '{{"event":"token.refreshed","user":{n},"scopes":["read","write"]}}',
    '{{"password":null,"token":"","n":{n}}}',
    '{{"error":"invalid_grant","error_description":"Token has been expired or revoked.","n":{n}}}',
    '{{"auth":{{"type":"oauth2","value":"required"}},"n":{n}}}',
    '{{"keys":["name","created_at","status"],"n":{n}}}',
)


def benign(seed: int, count: int) -> list[str]:
    """Draw `count` lines without a secret."""
    rng = random.Random(seed)
    lines: list[str] = []
    for turn in range(count):
        noise = rng.randbytes(48)
        digest = noise.hex()
        values = {
            "ts": f"2026-05-{rng.randrange(1, 28):02d}T10:{rng.randrange(60):02d}:00Z",
            "uuid": f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}",
            "n": rng.randrange(10**6),
            "m": rng.randrange(10, 99),
            "sha": digest[:40],
            "hex7": digest[:7],
            "hex8": digest[:8],
            "hex8u": digest[:8].upper(),
            "hex10": digest[:10],
            "hex16": digest[:16],
            "hex16u": digest[:16].upper(),
            "hex20": digest[:20],
            "hex32": digest[:32],
            "hex64": digest[:64],
            "md5c": ":".join(digest[i : i + 2] for i in range(0, 32, 2)),
            "upper23": "".join(rng.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(23)),
            "b64": base64.b64encode(noise[:15]).decode(),
        }
        lines.append(BENIGN[turn % len(BENIGN)].format(**values))
    return lines
