"""The kinds of secrets of the second corpus, each with the words that name it."""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
from urllib.parse import quote

from tests.redaction.corpus import ALNUM, HEX, URLSAFE, Maker, b64, jwt, pem, pick

PASSWORD_ALPHABET = ALNUM + "!#%*-_+.~"


def password(rng: random.Random) -> str:
    return pick(rng, PASSWORD_ALPHABET, 14).strip(".").replace("..", "x7")


def base(rng: random.Random, text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def service_account(rng: random.Random) -> str:
    return json.dumps(pem(rng, ""))[1:-1]


SELF_EVIDENT: dict[str, Maker] = {
    "aws key id": lambda r: "AS" + "IA" + pick(r, string.ascii_uppercase + "234567", 16),
    "github app": lambda r: "gh" + "s_" + pick(r, ALNUM, 36),
    "gitlab runner": lambda r: "gl" + "rt-" + pick(r, URLSAFE, 20),
    "slack user": lambda r: (
        "xo" + "xp-" + "-".join(pick(r, string.digits, 12) for _ in range(3)) + "-" + pick(r, HEX, 32)
    ),
    "stripe restricted": lambda r: "rk" + "_live_" + pick(r, ALNUM, 24),
    "npm token": lambda r: "np" + "m_" + pick(r, ALNUM, 36),
    "pypi token": lambda r: "pyp" + "i-AgEIcHlwaS5vcmc" + pick(r, URLSAFE, 70),
    "anthropic key": lambda r: "sk" + "-ant-api03-" + pick(r, URLSAFE, 93) + "AA",
    "openai project": lambda r: "sk" + "-proj-" + pick(r, ALNUM, 74) + "T3Blbk" + "FJ" + pick(r, ALNUM, 74),
    "sendgrid key": lambda r: "S" + "G." + pick(r, URLSAFE, 22) + "." + pick(r, URLSAFE, 43),
    "google api": lambda r: "AI" + "za" + "Sy" + pick(r, URLSAFE, 33),
    "vault token": lambda r: "hv" + "b." + pick(r, URLSAFE, 100),
    "jwt": jwt,
}

Named = tuple[Maker, tuple[str, ...]]

NAMED: dict[str, Named] = {
    "jdbc": (
        password,
        (
            "jdbc:mysql://db-2.prod:3306/orders?user=orders&password={}&useSSL=true",
            "jdbc:sqlserver://mssql01:1433;databaseName=erp;user=svc_erp;password={};encrypt=true",
            "Could not open jdbc:postgresql://10.2.0.7/crm?user=crm&password={}",
        ),
    ),
    "odbc": (
        password,
        (
            "Driver={{ODBC Driver 18 for SQL Server}};Server=tcp:sql01,1433;Uid=reporter;Pwd={};Encrypt=yes;",
            "Server=sql01;Database=erp;User Id=erp;Password={};TrustServerCertificate=True",
        ),
    ),
    "broker url": (
        lambda r: pick(r, ALNUM, 16),
        (
            "amqps://billing:{}@rabbit-0.rabbit:5671/prod",
            "mongodb+srv://catalog:{}@cluster0.abcde.mongodb.net/catalog?retryWrites=true",
            "redis://default:{}@cache:6379/0",
            "redis://:{}@cache:6379/0",
            "smtp://mailer:{}@smtp.example.net:587",
        ),
    ),
    "redis auth": (
        lambda r: pick(r, ALNUM, 24),
        ("AUTH {}", "redis-cli> AUTH default {}", '"AUTH" "{}"', "CONFIG SET requirepass {}"),
    ),
    "client flags": (
        password,
        (
            "mysqldump -h db1 -u backup -p{} orders",
            "mysql --user=root --password={} orders",
            "psql-load --password {} --host db1",
            "curl -sS -u jenkins:{} https://nexus.example.net/repository/",
            "wget --http-password={} https://files.example.net/x",
            "sshpass -p {} ssh ops@bastion",
            "mongodump --username root --password {} --authenticationDatabase admin",
            "ldapsearch -x -D cn=admin,dc=acme -w {} -b dc=acme",
        ),
    ),
    "exported": (
        password,
        (
            "export PGPASSWORD={}",
            "MYSQL_PWD={} mysqladmin status",
            "RABBITMQ_DEFAULT_PASS={}",
            "ENV SMTP_PASSWORD {}",
            "docker run -e POSTGRES_PASSWORD={} postgres:16",
            'setx DB_PASS "{}"',
        ),
    ),
    "bearer header": (
        lambda r: pick(r, ALNUM, 44),
        (
            "authorization=Bearer {}",
            '"headers": {{"Authorization": ["Bearer {}"], "Accept": ["*/*"]}}',
            "> authorization: bearer {}",
            'Request headers: [Host:"api.acme.io", Authorization:"Bearer {}"]',
        ),
    ),
    "basic header": (
        lambda r: base(r, "deploy:" + password(r)),
        (
            "-H 'Authorization: Basic {}'",
            "http.extraheader=AUTHORIZATION: basic {}",
            "Proxy-Authorization: Basic {}",
        ),
    ),
    "api key header": (
        lambda r: pick(r, ALNUM, 36),
        (
            "X-API-KEY: {}",
            "-H 'apikey: {}'",
            "X-Auth-Token={}",
            "x-functions-key: {}",
            "Fastly-Key: {}",
            "X-Vault-Token: {}",
        ),
    ),
    "session cookie": (
        lambda r: pick(r, ALNUM, 32),
        (
            "Set-Cookie: connect.sid=s%3A{}; Path=/; Expires=Sun, 01 Mar 2026 10:00:00 GMT; HttpOnly",
            "cookie: _ga=GA1.2.1; _session_id={}",
            "PHPSESSID={}; path=/",
            "Cookie: ASP.NET_SessionId={}; consent=1",
            "--cookie 'sessionid={}'",
        ),
    ),
    "azure sas": (
        lambda r: quote(b64(r, 32), safe=""),
        (
            "https://acme.blob.core.windows.net/dumps/a.gz?sp=r&st=2026-03-01T00:00:00Z&spr=https&sv=2022-11-02&sr=b&sig={}",
            "SharedAccessSignature=sv=2022-11-02&ss=b&srt=co&sig={}",
        ),
    ),
    "presigned": (
        lambda r: pick(r, HEX, 64),
        (
            "https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=900&X-Amz-Signature={}",
            "https://storage.googleapis.com/b/o?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Signature={}&X-Goog-Expires=60",
            "https://d111.cloudfront.net/v.mp4?Expires=1767225600&Signature={}&Key-Pair-Id=K2JCJMDEHXQW5F",
        ),
    ),
    "webhook": (
        lambda r: pick(r, ALNUM, 24),
        (
            "posting to https://hooks.slack.com/services/T0" + "2ABCDEF/B0" + "3GHIJKL/{} failed",
            "https://hooks.slack.com/workflows/T0" + "2ABCDEF/A0" + "3GHIJKLM/451/{}",
        ),
    ),
    "discord webhook": (
        lambda r: pick(r, URLSAFE, 68),
        (
            "POST https://discord.com/api/webhooks/1098765432109876543/{} 204",
            "url: https://discordapp.com/api/webhooks/998765432109876543/{}",
        ),
    ),
    "teams webhook": (
        lambda r: pick(r, HEX, 32),
        (
            "https://acme.webhook.office.com/webhookb2/7a1c2d3e-0000-4000-8000-1234567890ab@7a1c2d3e-0000-4000-8000-1234567890ac/IncomingWebhook/{}/7a1c2d3e-0000-4000-8000-1234567890ad",
        ),
    ),
    "service account": (
        service_account,
        ('{{"type": "service_account", "project_id": "acme", "private_key": "{}", "client_email": "x@acme.iam"}}',),
    ),
    "oauth client": (
        lambda r: pick(r, URLSAFE, 40),
        (
            "grant_type=client_credentials&client_id=web&client_secret={}",
            "oauth2: clientSecret={} rejected",
            "spring.security.oauth2.client.registration.okta.client-secret={}",
            '"client_secret" : "{}"',
            "consumer_secret: {}",
        ),
    ),
    "refresh token": (
        lambda r: pick(r, URLSAFE, 44),
        (
            "refresh_token={}&grant_type=refresh_token",
            '"refreshToken":"{}","expiresIn":3600',
            "id_token_hint%3D1%26refresh_token%3D{}",
        ),
    ),
    "otpauth": (
        lambda r: pick(r, string.ascii_uppercase + "234567", 32),
        (
            "otpauth://totp/Acme:ada@example.com?secret={}&issuer=Acme",
            "otpauth%3A%2F%2Ftotp%2FAcme%3Fsecret%3D{}%26digits%3D6",
        ),
    ),
    "nested value": (
        lambda r: pick(r, ALNUM, 36),
        (
            '{{"token": {{"value": "{}", "expires": 3600}}}}',
            '"auth": {{"type": "bearer", "token": {{"raw": "{}"}}}}',
            '{{"credentials":{{"username":"svc","current":"{}"}}}}',
        ),
    ),
    "npmrc": (
        lambda r: str(uuid.UUID(bytes=r.randbytes(16), version=4)),
        (
            "//registry.acme.io/:_authToken={}",
            "//npm.pkg.acme.io/:_auth={}",
            "npm config set //registry.acme.io/:_authToken {}",
        ),
    ),
    "docker auths": (
        lambda r: base(r, "robot:" + pick(r, ALNUM, 20)),
        ('{{"auths":{{"registry.acme.io":{{"auth":"{}"}}}}}}', '"https://index.docker.io/v1/": {{ "auth": "{}" }}'),
    ),
    "key of hex": (
        lambda r: pick(r, HEX, 64),
        (
            "private_key=0x{}",
            "ETH_PRIVATE_KEY={}",
            "privateKeyHex: {}",
            "aes_key = {}",
            "encryption.key={}",
            "HMAC_KEY: '{}'",
            "DATA_ENCRYPTION_KEY={}",
        ),
    ),
    "framework key": (
        lambda r: pick(r, ALNUM + "!@#^*(-_=+)", 50),
        ("SECRET_KEY = 'django-insecure-{}'", 'app.secret_key = "{}"', "RAILS_MASTER_KEY={}"),
    ),
    "laravel": (lambda r: b64(r, 32), ("APP_KEY=base64:{}",)),
    "bare key": (
        lambda r: pick(r, ALNUM, 40),
        ("loading client key={} region=eu", '"key": "{}"', "key: {}", "?key={}&v=2"),
    ),
    "pin": (
        lambda r: pick(r, string.digits, 6),
        ("pin={} accepted", '"pin": "{}"', "user PIN: {}", "otp={} for +49 170", "passcode: {}"),
    ),
    "htpasswd": (
        lambda r: pick(r, ALNUM + "./", 53),
        ("admin:$2y$10${}", "ops:$2b$12${}"),
    ),
    "shadow": (
        lambda r: pick(r, ALNUM + "./", 86),
        ("root:$6$Zx9.kQ2l${}:19700:0:99999:7:::",),
    ),
    "apr1": (lambda r: pick(r, ALNUM + "./", 22), ("deploy:$apr1$Qx8.k2Lm${}",)),
    "datadog": (
        lambda r: pick(r, HEX, 32),
        ("DD_API_KEY={}", "api_key: {}", "?api_key={}&application_key=x", "Datadog agent started, API key {}"),
    ),
    "aws secret": (
        lambda r: pick(r, ALNUM + "/+", 40),
        (
            "aws configure set aws_secret_access_key {}",
            'secretAccessKey: "{}",',
            "AWS_SECRET_KEY={}",
            "credentials: aws_secret_access_key = {}",
        ),
    ),
    "aws session": (
        lambda r: b64(r, 200),
        ("AWS_SESSION_TOKEN={}", "aws_session_token = {}", '"SessionToken": "{}"'),
    ),
    "azure key": (
        lambda r: b64(r, 64),
        (
            "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={};EndpointSuffix=core.windows.net",
            "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={}",
            "AccountEndpoint=https://acme.documents.azure.com:443/;AccountKey={};",
        ),
    ),
    "said": (
        password,
        (
            "the root password is {}",
            "new password: {}",
            "user bob logged in with password '{}'",
            "login failed (username=bob, password={})",
            "Credentials{{user=bob, pass={}}}",
        ),
    ),
    "hcl": (
        password,
        ('master_password = "{}"', 'db_password      = "{}"', 'variable "db_password" {{ default = "{}" }}'),
    ),
    "sql": (
        password,
        (
            "ALTER ROLE billing WITH LOGIN PASSWORD '{}';",
            "CREATE USER 'app'@'%' IDENTIFIED WITH caching_sha2_password BY '{}';",
            "SET PASSWORD FOR 'app'@'%' = '{}';",
        ),
    ),
    "signing secret": (
        lambda r: pick(r, HEX, 40),
        ("SLACK_SIGNING_SECRET={}", "webhook secret: {}", "jwt.secret={}", "shared_secret {}"),
    ),
    "url encoded": (
        lambda r: quote(pick(r, ALNUM, 16) + "!$", safe=""),
        ("/login?user=bob&password={}", "redirect=https%3A%2F%2Fx%2F%3Ftoken%3D{}%26a%3D1", "passwd%3D{}%26user%3Dbob"),
    ),
}
