"""What secrets look like: provider tokens by prefix, and names that say that a secret follows.

Patterns are bytes for RE2 (no backtracking, linear in the text). `TOKEN_GATE` and `CONTEXT` are single
passes over a whole text; whatever they touch is then judged at that place alone.
"""

from __future__ import annotations

_RUN = rb"[A-Za-z0-9_.~+/=%-]"

PREFIXED: tuple[tuple[str, bytes, bytes], ...] = (
    # kind, how it begins, the whole of it
    ("aws", rb"A(?:KIA|SIA|BIA|CCA)", rb"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}\b"),
    ("aws", rb"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)", rb"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[A-Za-z0-9+/]{80,}={0,2}"),
    ("gcp", rb"AIza", rb"AIza[\w-]{35}"),
    ("gcp", rb"ya29\.", rb"ya29\.[\w./-]{20,}"),
    ("gcp", rb"GOCSPX-", rb"GOCSPX-[\w-]{24,}"),
    ("github", rb"gh[opsur]_", rb"gh[opsur]_[A-Za-z0-9]{36,}"),
    ("github", rb"github_pat_", rb"github_pat_\w{40,}"),
    ("gitlab", rb"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt|ffct|oas)-", rb"gl[a-z]+-[\w.-]{20,}"),
    ("slack", rb"xox[abceoprs]-", rb"xox[abceoprs]-[A-Za-z0-9.-]{10,}"),
    ("slack", rb"xapp-", rb"xapp-\d-[A-Za-z0-9-]{20,}"),
    ("stripe", rb"[rs]k_(?:live|test|prod)_", rb"[rs]k_(?:live|test|prod)_[A-Za-z0-9]{10,}"),
    ("stripe", rb"whsec_", rb"whsec_[A-Za-z0-9+/=]{20,}"),
    ("npm", rb"npm_", rb"npm_[A-Za-z0-9]{36}\b"),
    ("pypi", rb"pypi-", rb"pypi-AgE[\w-]{40,}"),
    ("anthropic", rb"sk-ant-", rb"sk-ant-[\w-]{20,}"),
    ("openai", rb"sk-", rb"sk-(?:(?:proj|svcacct|admin|or-v1|lf)-[\w-]{20,}|[A-Za-z0-9]{32,})"),
    ("twilio", rb"SK[0-9a-f]{8}", rb"SK[0-9a-f]{32}\b"),
    ("sendgrid", rb"SG\.", rb"SG\.[\w-]{16,}\.[\w-]{16,}"),
    ("digitalocean", rb"do[opr]_v1_", rb"do[opr]_v1_[0-9a-f]{40,}"),
    ("huggingface", rb"(?:hf|api_org)_", rb"(?:hf|api_org)_[A-Za-z0-9]{30,}\b"),
    ("shopify", rb"shp(?:at|ca|pa|ss|ua)_", rb"shp[a-z]{2}_[0-9a-fA-F]{32}\b"),
    ("square", rb"sq0[a-z]{3}-", rb"sq0[a-z]{3}-[\w-]{22,}"),
    ("databricks", rb"dapi[0-9a-f]{4}", rb"dapi[0-9a-f]{32}(?:-\d)?\b"),
    ("vault", rb"hv[bsr]\.", rb"hv[bsr]\.[\w-]{20,}"),
    ("newrelic", rb"NR(?:AK|II|AL|IQ|SP)-", rb"NR[A-Z]{2}-[\w-]{24,}"),
    ("grafana", rb"gl(?:sa|c)_", rb"gl(?:sa|c)_[A-Za-z0-9+/=_]{32,}"),
    ("sentry", rb"sntry[su]_", rb"sntry[su]_[\w+/=-]{32,}"),
    ("linear", rb"lin_(?:api|oauth)_", rb"lin_(?:api|oauth)_[A-Za-z0-9]{32,}"),
    ("notion", rb"(?:ntn|secret)_", rb"(?:ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43})\b"),
    ("figma", rb"fig[dur]_", rb"fig[dur]_[\w-]{32,}"),
    ("postman", rb"PMAK-", rb"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    ("docker", rb"dckr_(?:pat|oat)_", rb"dckr_[a-z]+_[\w-]{24,}"),
    ("heroku", rb"HRKU-", rb"HRKU-[\w-]{32,}"),
    ("rubygems", rb"rubygems_", rb"rubygems_[0-9a-f]{48}\b"),
    ("cratesio", rb"cio[A-Za-z0-9]{6}", rb"cio[A-Za-z0-9]{32}\b"),
    ("nuget", rb"oy2[a-z0-9]{6}", rb"oy2[a-z0-9]{43}\b"),
    ("age", rb"AGE-SECRET-KEY-", rb"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    ("planetscale", rb"pscale_[a-z]+_", rb"pscale_[a-z]+_[\w.=-]{32,}"),
    ("doppler", rb"dp\.[a-z]{2,5}\.", rb"dp\.[a-z]{2,5}\.[A-Za-z0-9._-]{36,}"),
    ("pulumi", rb"pul-", rb"pul-[0-9a-f]{40}\b"),
    ("hubspot", rb"pat-(?:na|eu|ap)\d-", rb"pat-[a-z]{2}\d-[0-9a-f-]{36}\b"),
    ("launchdarkly", rb"(?:sdk|mob)-[0-9a-f]{8}-", rb"(?:sdk|mob)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
    ("airtable", rb"pat[A-Za-z0-9]{14}\.", rb"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b"),
    ("atlassian", rb"AT(?:ATT3|BB|CTT3)", rb"AT(?:ATT3|BB|CTT3)[\w=-]{24,}"),
    ("dropbox", rb"sl\.", rb"sl\.[\w-]{60,}"),
    ("facebook", rb"EAA[A-Za-z0-9]{8}", rb"EAA[A-Za-z0-9]{60,}"),
    ("twitter", rb"AAAAAAAAAAAAAAAAAAAAA", rb"AAAAAAAAAAAAAAAAAAAAA[\w%]{30,}"),
    ("artifactory", rb"(?:AKC[A-Za-z0-9]|cmVmdGtu)", rb"(?:AKC[A-Za-z0-9]{60,}|cmVmdGtu[A-Za-z0-9]{50,})"),
    ("alibaba", rb"LTAI", rb"LTAI[A-Za-z0-9]{12,30}\b"),
    ("tencent", rb"AKID", rb"AKID[A-Za-z0-9]{32}\b"),
    ("groq", rb"gsk_", rb"gsk_[A-Za-z0-9]{40,}"),
    ("replicate", rb"r8_", rb"r8_[A-Za-z0-9]{37,}"),
    ("perplexity", rb"pplx-", rb"pplx-[A-Za-z0-9]{40,}"),
    ("xai", rb"xai-", rb"xai-[A-Za-z0-9]{60,}"),
    ("langsmith", rb"lsv2_[a-z]{2}_", rb"lsv2_[a-z]{2}_[0-9a-f]{32}_[0-9a-f]{8,}"),
    ("supabase", rb"sb(?:p|_secret)_", rb"sb(?:p_[0-9a-f]{40}|_secret_[\w-]{24,})"),
    ("netlify", rb"nfp_", rb"nfp_[A-Za-z0-9]{36,}"),
    ("flyio", rb"f(?:m[12]r?|o1)_", rb"f(?:m[12]r?|o1)_[\w+/=,-]{36,}"),
    ("tailscale", rb"tskey-", rb"tskey-[a-z]+-[\w-]{16,}"),
    ("resend", rb"re_[A-Za-z0-9]{8}_", rb"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}"),
    ("brevo", rb"xkeysib-", rb"xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    ("mapbox", rb"[st]k\.eyJ", rb"[st]k\.eyJ[\w-]{20,}\.[\w-]{16,}"),
    ("contentful", rb"CFPAT-", rb"CFPAT-[\w-]{40,}"),
    ("typeform", rb"tfp_", rb"tfp_[\w=.-]{40,}"),
    ("firebase", rb"AAAA[\w-]{7}:", rb"AAAA[\w-]{7}:[\w-]{100,}"),
    ("twitch", rb"oauth:", rb"oauth:[a-z0-9]{30}\b"),
    ("plaid", rb"access-(?:sandbox|development|production)-", rb"access-[a-z]+-[0-9a-f-]{36}\b"),
    ("dynatrace", rb"dt0[a-z]\d\d\.", rb"dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{60,}"),
    ("sonarqube", rb"sq[apu]_", rb"sq[apu]_[0-9a-f]{40}\b"),
    ("woocommerce", rb"c[ks]_[0-9a-f]{8}", rb"c[ks]_[0-9a-f]{40}\b"),
    ("shippo", rb"shippo_(?:live|test)_", rb"shippo_[a-z]+_[0-9a-f]{40}\b"),
    ("sourcegraph", rb"sgp_", rb"sgp_(?:[0-9a-f]{16}_)?[0-9a-f]{40}\b"),
    ("onepassword", rb"ops_eyJ", rb"ops_eyJ[\w+/=-]{60,}"),
    ("yandex", rb"AQVN", rb"AQVN[\w-]{35,}"),
    (
        "private_key",
        rb"LS0tLS1CRUdJTiB",
        rb"LS0tLS1CRUdJTiB(?:SU0Eg|QUklW|FQyBQ|PUEVO|FTkNS|EU0Eg|QR1Ag)[A-Za-z0-9+/=]{40,}",
    ),
    ("jwt", rb"eyJ[A-Za-z0-9_-]{6}", rb"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){0,3}"),
)

SHAPED: tuple[tuple[str, bytes], ...] = (
    # no prefix of their own, but a shape that nothing else has; the group is the secret
    ("telegram", rb"\b(?:bot)?(\d{8,10}:AA[\w-]{33})\b"),
    ("discord", rb"\b([MNO][\w-]{22,27}\.[\w-]{6}\.[\w-]{27,40})"),
    ("azure", rb"\b(\w[\w~.-]{2}\dQ~[\w~.-]{31,34})"),
    ("mailchimp", rb"\b([0-9a-f]{32}-us\d{1,2})\b"),
    ("mailgun", rb"\b(key-[0-9a-f]{32})\b"),
    ("terraform", rb"\b([A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,})"),
    ("braintree", rb"(access_token\$[a-z]+\$[0-9a-z]{16}\$[0-9a-f]{32})"),
    ("slack", rb"hooks\.slack\.com\\{0,3}/(?:services|workflows|triggers)\\{0,3}/([\w/\\-]{20,})"),
    ("slack", rb"/services/(T[A-Z0-9]{7,12}/B[A-Z0-9]{7,12}/[A-Za-z0-9]{20,})"),
    ("discord", rb"discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/(\d{15,}/[\w-]{40,})"),
    ("teams", rb"webhook\.office\.com/webhookb2/([\w@/-]{60,})"),
    ("twilio", rb"\bAC[0-9a-f]{32}[\"']?\s{0,3}[,:;]\s{0,3}[\"']?([0-9a-f]{32})\b"),
    ("jdbc", rb"\bjdbc:oracle:\w{2,8}:[\w$.-]{1,64}/([^\s@/\"']{1,128})@"),
    ("infura", rb"\binfura\.io/v3/([0-9a-f]{32})\b"),
    ("dsn", rb"\b\w+:([^\s@:/\"'(]{4,128})@(?:tcp|udp|unix)\("),
    ("password_hash", rb"(\$(?:2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|apr1\$[^\s$:]{1,8}\$[./A-Za-z0-9]{22}))"),
    ("password_hash", rb"(\$(?:1|5|6|y|gy|7)\$(?:[^\s$:]{1,64}\$){1,3}[./A-Za-z0-9]{22,86})"),
    (
        "password_hash",
        rb"(\$(?:argon2i?d?|scrypt|pbkdf2[\w-]{0,12})\$[^\s\"'$]{1,60}(?:\$[\w+/.=,-]{4,128}){1,4})",
    ),
    ("password_hash", rb"(pbkdf2_sha\d{1,3}\$\d+\$[\w+/.=-]{1,64}\$[\w+/=]{40,})"),
    ("token", rb"\b([a-z]{2,10}_(?:(?:live|test|prod)_)?[A-Za-z0-9]{30,200})\b"),
    ("password_hash", rb"(\{S?SHA(?:256|512)?\}[A-Za-z0-9+/=]{28,})"),
)

URL_USERINFO = rb"://(?:[^\s/@:\"'<>`?#]*:([^\s@\"'<>`]{1,256})|([\w.-]{20,256}))@[\w.\[-]"
"""At `://`: the password of a URL, or a lone user name that is long enough to be a token."""

_LONG_NAMES = (
    rb"passw(?:or)?d|passphrase|passcode|secret(?:[_-]?id)?|token|credentials?|"
    rb"(?:api|access|secret|private|account|auth|signing|encryption|master|subscription|license|storage|ssh|"
    rb"deploy|webhook|hmac|shared|application|integration|routing|aes|des|rsa|ecdsa|ed25519|crypt|cipher"
    rb"|decrypt|decryption|"
    rb"wallet|eth|wireguard|jwt|cookie|session|csrf|client|server|app|sdk|validation|sentry|fernet|"
    rb"stripe|twilio|sendgrid|mailgun|mailchimp|mandrill|datadog|new_?relic|pagerduty|algolia|fastly|cloudflare|openai|anthropic|claude|llm|maps|payments?|insert|primary|secondary|admin|write|ingest|seed|recovery|backup|unseal)"
    rb"[_. -]?(?:access[_-]?|secret[_-]?)?key|mnemonic|seed[_ -]?phrase|samlresponse|"
    rb"authorization|signature|connection[_-]?string|conn[_-]?str|key[_-]?data|secret[_-]?key[_-]?base|jsessionid|phpsessid|sessionid|"
    rb"connect\.sid|cookie|requirepass|masterauth|bindpw|rootpw"
)
SHORT_NAMES = rb"pwd|pass|pw|auth|sig|dsn|otp|psk|pin|cvv|cvc|key|jwt|pat|code"
"""Names that other words end in as well (compass, author): they need a boundary before them."""
_NAME = rb"(?:" + _LONG_NAMES + rb"|" + SHORT_NAMES + rb")"
NAME_WORDS = _NAME
_ENCODED = rb"(?:s|[_-]?(?:hex|base64|b64|plain|value|raw)|[ _-]?\d{1,2})?"
"""What a name may add on how its value is written, or that there are several, or which of them it is."""
NAME = rb"(?i)" + _NAME
_PAINT = rb"(?:\x1b\[[0-9;]{0,12}m)*"
"""Loggers colour names and values apart; the journal keeps the colours."""
_QUOTES = _PAINT + rb"(?:\\{0,15}[\"'`]|\]|%22){0,2}" + _PAINT
SECRET_NAME = rb"(?i)(" + _NAME + rb")" + _ENCODED + rb"[\"'\])\s]*$"
"""Where a key, field or variable name ends in a word for a secret; the group is that word."""

SAYING = rb"(?:(?:is|was|bound|set|changed|reset|equals?|now|to|as|provided|given|value)[ \t:]{1,3}){1,4}"
_EDGE = rb"[\\\"']{0,4}"
_EQUALS = rb"[ \t]{0,3}[:=][ \t]{0,3}"
CONTEXT = rb"(?i)(?:%s)" % rb"|".join(
    (
        rb"auth[\"']?[ \t]{0,3}[:=][ \t]{0,3}[(\[][ \t]{0,3}[\"'][^\"'\n]{0,120}[\"'],[ \t]{0,3}[\"']",
        # name=value, name: value, name....value, <name>value
        _NAME + _ENCODED + _QUOTES + rb"[ \t]{0,20}(?::=|=>|==?|:|%3[ad](?:%22)?|\.{3,80})[ \t]{0,3}" + _PAINT,
        _NAME + rb"[\"']?(?:[ \t]+[\w:.-]{1,40}=\"[^\"<>]{0,120}\"){0,4}>",
        # {"name": "X_TOKEN", "value": "…"}, variable "x_token" { default = "…" }
        _NAME + _EDGE + rb",?\s{1,40}" + _EDGE + rb"value" + _EDGE + _EQUALS,
        _NAME + rb"[\\\"']{1,4},[\\\"']{1,4}value" + _EDGE + _EQUALS,
        _NAME + _EDGE + rb"[ \t]*\{[^{}\"']{0,160}default[ \t]*=[ \t]*",
        # what code falls back to, pairs in brackets, cells of a table, one value after the other, a registry's command
        _NAME + _ENCODED + rb"[\\\"'\])]{0,4}[ \t]{0,3}(?:\|\||\?\?|\?:|[ \t]or)[ \t]{0,3}[\"'`]",
        _NAME + _ENCODED + rb"[\\]{0,3}[\"'`],[ \t]{0,3}[\\]{0,3}[\"'`]",
        _NAME + _ENCODED + rb"[\"'`]?[ \t]{0,40}(?:\||\xe2\x94\x82)[ \t]{0,3}",
        _NAME + _ENCODED + rb"[\"'`]?[ \t]{1,3}->[ \t]{1,3}",
        _NAME + rb"[ \t]+to[ \t]+[\"']",
        _NAME + _ENCODED + rb"[\"']?[ \t]+/t[ \t]+\w+[ \t]+/d[ \t]+",
        # statements and sentences
        rb"\bpassword[ \t]+(?:(?:is|was)[ \t]+generated[ \t]+)?for[ \t]+[^\s:=]+"
        rb"(?:[ \t]+(?:is|was|set[ \t]+to):?|:)[ \t]+",
        rb"\bpassword[ \t]+for[ \t]+[^\s=]+[ \t]*=[ \t]*",
        rb"\bidentified[ \t]+(?:with[ \t]+[\w'\"]+[ \t]+)?(?:by|as)[ \t]+",
        rb"(?:" + _LONG_NAMES + rb")[ \t]+" + SAYING,
        rb"\bpassword[ \t]+",
        # headers
        rb"\b(?:bearer|basic)(?:[ \t]|%20|\+)+|\b(?-i:SSWS)[ \t]+",
        # commands and their flags
        rb"-(?:" + _NAME + rb"|(?:store|key|trust|src|dest|db|user|root|admin)pass(?:wd|word)?)[ \t]+",
        rb"[ \t](?:-[A-Za-z]{0,6}u|--user|--proxy-user)[ \t=]+[\"']?[^\s:\"']+:",
        rb"[ \t]-U[ \t]*[\"']?[^\s%\"']{1,64}%",
        rb"[ \t]-[paw][ \t]*",
        rb"\b(?-i:AUTH|PASS|LOGIN)[\\\"']{0,3}[ \t]+",
        rb"\b(?:add_user|change_password|auth-pass)[ \t]+\S+[ \t]+|[ \t]/user:\S+[ \t]+",
        rb"\bpass(?:in|out)?[ \t]+pass:",
        rb"\b(?:ENV|ARG|setx|setenv)[ \t]+\w*" + _NAME + rb"[ \t]+",
        rb"\b(?-i:set[ \t]+[A-Z][A-Z0-9_]{0,60}_(?:PASSWORD|PASSWD|PASS|SECRET|TOKEN|KEY))[ \t]+",
        rb"--(?:password|passphrase|token)-stdin|\bchpasswd\b|\bsudo[ \t]+-S\b|--passphrase-fd[ \t]+0\b"
        rb"|\bpass[ \t]+stdin\b",
        rb"\b(?:requirepass|masterauth|bindpw|rootpw|login|pw|pwd|passwd)[ \t]+",
        rb"(?:" + _LONG_NAMES + rb")[ \t]+",
    )
)

HOLDERS = (
    *(
        "value",
        "val",
        "raw",
        "current",
        "previous",
        "data",
        "content",
        "secret",
        "plain",
        "plaintext",
        "text",
        "default",
    ),
    *("encoded", "string", "inline", "literal", "stringvalue", "simple", "access", "refresh"),
)
"""Keys below a name for a secret that hold what it names: `"token": {"value": "…"}`."""

PLACEHOLDER = rb"<redacted:[a-z0-9_]+:[0-9a-f]{6}>"

TOKEN_GATE = (
    rb"\b(?:" + rb"|".join(start for _, start, _ in PREFIXED) + rb")" + _RUN + rb"{8}"
    rb"|" + rb"|".join(whole for _, whole in SHAPED)
)
TOKENS = rb"|".join([rb"(" + whole + rb")" for _, _, whole in PREFIXED] + [whole for _, whole in SHAPED])
TOKEN_KINDS = tuple([kind for kind, _, _ in PREFIXED] + [kind for kind, _ in SHAPED])
