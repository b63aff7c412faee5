"""What stands in the variable places of log messages, by name."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Value = Callable[[Random], str]

_USERS = [
    "root",
    "admin",
    "alice",
    "bob",
    "carol",
    "dave",
    "erin",
    "frank",
    "grace",
    "heidi",
    "mallory",
    "oracle",
    "postgres",
    "test",
    "guest",
    "nagios",
    "backup",
    "deploy",
    "jenkins",
    "www-data",
    "ubuntu",
    "pi",
    "svc_batch",
    "j.smith",
    "m-jones",
]
_FEW_USERS = ["root", "news", "cyrus"]
_WORDS = [
    "alpha",
    "bravo",
    "carbon",
    "delta",
    "ember",
    "falcon",
    "granite",
    "harbor",
    "indigo",
    "juniper",
    "kestrel",
    "lagoon",
    "meadow",
    "nimbus",
    "onyx",
    "pepper",
    "quartz",
    "raven",
    "sierra",
    "tundra",
    "umbra",
    "violet",
    "willow",
    "xenon",
    "yonder",
    "zephyr",
]
_HOSTS = [
    "web",
    "db",
    "cache",
    "mail",
    "proxy",
    "gw",
    "edge",
    "core",
    "build",
    "auth",
    "store",
    "batch",
    "queue",
    "node",
    "master",
    "worker",
    "relay",
    "index",
    "media",
    "stage",
]
_DOMAINS = ["example.com", "example.net", "corp.example.org", "lan.example", "internal.example.com", "isp.example.net"]
_CLASSES = [
    "OrderService",
    "StockReader",
    "PriceBook",
    "CartMapper",
    "UserStore",
    "SessionFilter",
    "RetryPolicy",
    "BlockReader",
    "ShardWriter",
    "LeaseKeeper",
    "PoolMonitor",
    "RouteTable",
]
_PACKAGES = ["com.acme.shop", "com.acme.billing", "org.demo.core", "net.sample.io", "org.demo.sched"]
_DIRS = [
    "var",
    "data",
    "srv",
    "opt",
    "mnt",
    "home",
    "tmp",
    "usr",
    "log",
    "cache",
    "spool",
    "lib",
    "etc",
    "run",
    "conf",
    "users",
    "jobs",
]
_FILES = [
    "settings.xml",
    "index.db",
    "app.conf",
    "users.csv",
    "worker.pid",
    "server.key",
    "report.pdf",
    "data.bin",
    "notes.txt",
    "core.so",
]
_QUEUES = [
    "orders",
    "emails",
    "invoices",
    "thumbnails",
    "webhooks",
    "exports",
    "imports",
    "alerts",
    "audit",
    "billing-events",
    "search-index",
    "user-signup",
    "low-priority",
]
_STATES = ["NEW", "RUNNING", "WAITING", "SUCCEEDED", "FAILED", "KILLED", "ALLOCATED", "LOCALIZING", "DONE", "CLEANUP"]
_LEDS = ["on", "off", "blinking"]
_REASONS = [
    "connection refused",
    "connection reset by peer",
    "no route to host",
    "operation timed out",
    "broken pipe",
    "end of file",
    "name or service not known",
    "permission denied",
]
_DAYS, _MONTHS = (
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
)
_UNITS = ["B", "KB", "MB", "GB"]
_AGENTS = "curl/7.88.1|Mozilla/5.0 (X11; Linux x86_64)|python-requests/2.31|Go-http-client/1.1|kube-probe/1.28"
_NAMESPACES = ["default", "kube-system", "shop", "monitoring", "ingress", "batch"]
_APPS = ["checkout", "cart", "catalog", "payments", "frontend", "search", "recommender", "shipping"]


def _pick(values: list[str]) -> Value:
    count = len(values)
    return lambda rng: values[int(rng.random() * count)]


def _upto(top: int) -> Value:
    return lambda rng: str(int(rng.random() * top))


def _ip(rng: Random) -> str:
    bits = rng.getrandbits(24)
    return f"10.{bits >> 16}.{bits >> 8 & 255}.{bits & 255}"


def _public_ip(rng: Random) -> str:
    bits = rng.getrandbits(32)
    return f"{bits >> 24 or 1}.{bits >> 16 & 255}.{bits >> 8 & 255}.{bits & 255}"


def _hex(length: int) -> Value:
    return lambda rng: f"{rng.getrandbits(4 * length):0{length}x}"


def _uuid(rng: Random) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _skewed(values: list[str], rng: Random) -> str:
    """Return one of the values; the first ones are common, as in life."""
    return values[int(rng.random() ** 3 * len(values))]


def _fqdn(rng: Random) -> str:
    number = str(int(rng.random() * 40)) if rng.random() < 0.8 else ""
    return f"{_skewed(_HOSTS, rng)}{number}.{_skewed(_DOMAINS, rng)}"


def _paths() -> list[str]:
    rng = Random(1)
    return [
        "/" + "/".join(rng.choice(_DIRS) for _ in range(2 + rng.randrange(3))) + "/" + rng.choice(_FILES)
        for _ in range(60)
    ]


_PATHS = _paths()


def _path(rng: Random) -> str:
    path = _skewed(_PATHS, rng)
    return path if rng.random() < 0.4 else f"{path}.{int(rng.random() * 90_000)}"


def _endpoint(rng: Random) -> str:
    name = _QUEUES[int(rng.random() * 6)]
    return f"/api/v1/{name}" + (f"/{int(rng.random() * 90000)}" if rng.random() < 0.6 else "")


def _class(rng: Random) -> str:
    return f"{_skewed(_PACKAGES, rng)}.{_skewed(_CLASSES, rng)}"


def _date(rng: Random) -> str:
    day, month = _DAYS[int(rng.random() * 7)], _MONTHS[int(rng.random() * 12)]
    clock = f"{int(rng.random() * 24):02d}:{int(rng.random() * 60):02d}:{int(rng.random() * 60):02d}"
    return f"{day} {month} {1 + int(rng.random() * 28):2d} {clock} 2026"


def _iso(rng: Random) -> str:
    return f"2026-0{1 + int(rng.random() * 9)}-{10 + int(rng.random() * 18)}T0{int(rng.random() * 9)}:15:00Z"


def _size(rng: Random) -> str:
    return f"{rng.random() * 900:.1f} {_UNITS[int(rng.random() * 4)]}"


def _took(rng: Random) -> str:
    value = rng.random()
    if value < 0.4:
        return f"{value * 1000:.0f} ms"
    return f"{value * 9:.2f} s" if value < 0.8 else f"{1 + int(value * 5)} min"


def _pod(rng: Random) -> str:
    app = _APPS[int(rng.random() * len(_APPS))]
    return f"{app}-{rng.getrandbits(36):09x}-{_letters(5)(rng)}"


def _letters(length: int) -> Value:
    return lambda rng: "".join(_LETTERS[int(rng.random() * len(_LETTERS))] for _ in range(length))


_LETTERS = "bcdfghjklmnpqrstvwxz"


def _rack(rng: Random) -> str:
    bits = rng.getrandbits(16)
    return f"R{bits & 63:02d}-M{bits >> 6 & 1}-N{bits >> 7 & 15:X}-C:J{bits >> 11 & 31:02d}-U{bits & 1}1"


METHODS = ("GET", "POST", "PUT", "DELETE")


VALUES: dict[str, Value] = {
    "digit": _upto(10), "n": _upto(100), "int": _upto(10_000), "big": _upto(10**9), "port": _upto(65_536),
    "neg": lambda rng: str(int(rng.random() * 2000) - 1000), "float": lambda rng: f"{rng.random() * 100:.3f}",
    "pct": lambda rng: f"{rng.random() * 100:.1f}%", "ms": lambda rng: f"{int(rng.random() * 3000)}ms",
    "blk": lambda rng: f"blk_{rng.getrandbits(63) - (1 << 62)}", "ip": _ip, "pub": _public_ip,
    "ipv6": lambda rng: f"fe80::{rng.getrandbits(16):x}:{rng.getrandbits(16):x}",
    "hex8": _hex(8), "hex16": _hex(16), "sha": _hex(40), "addr": lambda rng: f"0x{rng.getrandbits(40):x}",
    "uuid": _uuid, "user": _pick(_USERS), "fewuser": _pick(_FEW_USERS), "word": _pick(_WORDS), "host": _pick(_HOSTS),
    "fqdn": _fqdn, "path": _path, "endpoint": _endpoint, "class": _class, "simpleclass": _pick(_CLASSES),
    "queue": _pick(_QUEUES), "state": _pick(_STATES), "led": _pick(_LEDS), "reason": _pick(_REASONS), "date": _date,
    "iso": _iso, "size": _size, "took": _took, "pod": _pod, "ns": _pick(_NAMESPACES), "app": _pick(_APPS),
    "agent": _pick(_AGENTS.split("|")), "rack": _rack, "bool": _pick(["true", "false"]),
    "status": _pick(["200", "200", "200", "201", "204", "304", "404", "499", "500", "503"]),
    "lb": lambda rng: "{", "rb": lambda rng: "}",
    "mac": lambda rng: ":".join(f"{rng.getrandbits(8):02x}" for _ in range(6)),
}  # fmt: skip
"""Every placeholder that a statement may name."""
