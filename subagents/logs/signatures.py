"""Known kinds of failure by their wording: general knowledge of the field, written down in 2026.

The wordings are those of operating systems, language runtimes, databases, proxies and cloud SDKs. They are
matched on one raw example per template, so the whole table costs a few milliseconds however long the log.
A signature says what the text shows; whether a change caused it is for others to find out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from subagents.contract import SuspectKind


@dataclass(frozen=True)
class Known:
    """One kind of failure."""

    name: str
    kind: SuspectKind
    pattern: str
    """RE2, matched without regard to case."""
    explains: str
    """What it means, in a few words."""
    weight: float
    """How far the wording alone points away from the code that logs it, 0 to 1."""
    named: bool = False
    """The suspect is the peer that the text names."""


TABLE: tuple[Known, ...] = (
    Known(
        "certificate expired",
        "certificate",
        r"certificate has expired|certificate expired|expired certificate|cert(ificate)?[^.\n]{0,40} is expired"
        r"|certificate_expired|certificateexpiredexception|notafter:|certificate[^.\n]{0,40}not yet valid",
        "a TLS certificate is past its date",
        0.85,
        True,
    ),
    Known(
        "certificate refused",
        "certificate",
        r"x509: certificate|certificate_verify_failed|certificate verify failed|pkix path|sslhandshakeexception"
        r"|unable to get local issuer",
        "a TLS certificate is not trusted",
        0.6,
        True,
    ),
    Known(
        "disk full",
        "resource",
        r"no space left on device|enospc|disk( is)? full|out of (disk|storage) space|storage full|insufficient storage"
        r"|storage (space )?is critically low|disk quota exceeded|not enough (disk )?space|low on disk"
        r"|flood stage disk watermark|could not extend file",
        "a file system is full",
        0.65,
    ),
    Known(
        "out of memory",
        "resource",
        r"oomkilled|oom-kill|out of memory|outofmemoryerror|cannot allocate memory|enomem|heap out of memory"
        r"|memory cgroup|killed process \d+|memoryerror\b|java heap space|gc overhead limit",
        "memory ran out",
        0.45,
    ),
    Known(
        "image not pulled",
        "config",
        r"imagepullbackoff|errimagepull|failed to pull (and unpack )?image|back-off pulling image|pull access denied"
        r"|manifest unknown|invalidimagename",
        "a container image cannot be had under that name",
        0.55,
    ),
    Known(
        "not schedulable",
        "resource",
        r"failedscheduling|unschedulable\b|nodes are available|insufficient (cpu|memory|pods)"
        r"|insufficient (ephemeral-storage|[\w.-]+/gpu)|too many pods|untolerated taint",
        "no machine has room for it",
        0.55,
    ),
    Known(
        "volume missing",
        "resource",
        r"provisioningfailed|unbound immediate persistentvolumeclaims?|failedmount\b|failedattachvolume"
        r"|storageclass[^\n]{0,80} not found|persistentvolumeclaim[^\n]{0,60} not found",
        "storage that it needs is not there",
        0.55,
    ),
    Known(
        "probe failing",
        "none",
        r"(liveness|readiness|startup) probe (failed|errored)|failed (liveness|readiness|startup) probe",
        "the platform's own health check fails",
        0.45,
    ),
    Known(
        "DNS",
        "dependency",
        r"no such host|name or service not known|temporary failure in name resolution|eai_again|enotfound|nxdomain"
        r"|unknownhostexception|could not resolve host|name resolution fail|getaddrinfo|servfail"
        r"|nameresolutionerror|failed to resolve '[^'\n]{1,253}'",
        "a name does not resolve",
        0.6,
        True,
    ),
    Known(
        "rate limited",
        "dependency",
        r"too many requests|rate limit(ed|ing)?( is)? (exceeded|reached)|rate[ _-]?limited|ratelimitexceeded"
        r"|throttlingexception"
        r"|request (was )?throttled|slowdown\b|quota exceeded|requestlimitexceeded|status[= :]+429",
        "a dependency refuses the rate",
        0.5,
        True,
    ),
    Known(
        "datastore leadership",
        "dependency",
        r"leader[ -]election|no leader|not (the )?leader|notleaderforpartition|quorum (lost|not)|lost quorum"
        r"|split[ -]brain"
        r"|replication lag|failover (started|in progress)|not_master|primary stepped down|no primary",
        "a datastore lost or changes its leader",
        0.6,
    ),
    Known(
        "pool exhausted",
        "resource",
        r"pool (is |was )?exhausted|timeout (acquiring|waiting for)( a)? (idle )?(connection|object)"
        r"|connection is not available"
        r"|too many connections|remaining connection slots|queuepool limit|acquire connection|cannot get a connection"
        r"|pool[^\n]{0,30}(waited|timeout|full)|too many clients",
        "no free connection in a pool",
        0.3,
    ),
    Known(
        "connection refused",
        "dependency",
        r"connection refused|econnrefused|connect\(\) failed \(111|actively refused|connection was refused",
        "nothing listens where it connects",
        0.55,
        True,
    ),
    Known(
        "unreachable",
        "host",
        r"no route to host|network is unreachable|ehostunreach|enetunreach|host is unreachable|host unreachable",
        "the network does not lead there",
        0.55,
        True,
    ),
    Known(
        "host fault",
        "host",
        r"input/output error|read-only file system|erofs\b|buffer i/o error|blk_update_request|soft lockup|hung_task"
        r"|machine check|nodenotready|node [^ ]+ (is |status is )?not ?ready|spot interruption|\bevicted\b"
        r"|instance (was )?terminated",
        "the machine beneath fails",
        0.6,
    ),
    Known(
        "no instance",
        "dependency",
        r"no instances? available|no (available )?(servers?|instances?|endpoints?) (available )?for"
        r"|does not (have|contain) an instance|no endpoints available|service instance not found"
        r"|no resolvable bootstrap",
        "no instance of what it calls is registered",
        0.5,
        True,
    ),
    Known(
        "upstream failing",
        "dependency",
        r"no healthy upstream|upstream connect error|bad gateway|gateway time-?out|serviceunavailable"
        r"|service unavailable"
        r"|circuit ?breaker[^.\n]{0,30}open|callnotpermitted"
        r"|(upstream|from|service|backend|sdk)[^\n]{0,80}\b50[0234]\b"
        r"|internalerror \(500\)|upstream[^\n]{0,40}unavailable|statuscode\.unavailable|code = unavailable",
        "what it calls answers with errors",
        0.45,
        True,
    ),
    Known(
        "upstream timeout",
        "dependency",
        r"(dial|connect|connection|read|i/o|upstream|request|gateway|socket|query|call|operation|transaction)\w*[^\n]{0,40}"
        r"timed? ?out($|[^=])|etimedout|deadline exceeded|deadlineexceeded|exceeded deadline|sockettimeoutexception"
        r"|readtimeout|connecttimeout|timeoutexception|timed out",
        "what it calls does not answer in time",
        0.35,
        True,
    ),
    Known(
        "connection lost",
        "dependency",
        r"connection reset|econnreset|broken pipe|epipe\b|server closed the connection|lost connection to"
        r"|connection is closed|terminating connection due to|unexpected eof|server has gone away",
        "connections break",
        0.35,
        True,
    ),
    Known(
        "file handles",
        "resource",
        r"too many open files|emfile|enfile|file table overflow",
        "file handles ran out",
        0.4,
    ),
    Known(
        "overload",
        "traffic",
        r"queue( is)? full|rejectedexecution|load shed|overloaded|server is busy|backlog (is )?full|listen queue"
        r"|worker_connections are not enough|server reached .{0,20}max_children|max_children",
        "more work arrives than is done",
        0.4,
    ),
    Known(
        "locks",
        "resource",
        r"deadlock (detected|found)|lock wait timeout|could not obtain lock|could not serialize access|lock timeout",
        "transactions block each other",
        0.25,
    ),
    Known(
        "credentials",
        "config",
        r"401 unauthorized|invalid credentials|token (has |is )?expired|access ?denied|password authentication failed"
        r"|authentication failed|invalid api key|signature (does not match|has expired)|403 forbidden",
        "credentials are refused",
        0.35,
        True,
    ),
    Known(
        "clock",
        "host",
        r"clock skew|time skew|requesttimetooskewed|token used before issued|clock (jump|went backwards)",
        "clocks disagree",
        0.5,
    ),
    Known(
        "configuration",
        "config",
        r"(missing|invalid|unknown|unrecognized|required) (config|configuration|setting|environment variable"
        r"|env var|property)"
        r"|could not resolve placeholder|is not set in (the )?environment|config(uration)? (error|is invalid)",
        "a setting is missing or wrong",
        0.3,
    ),
    Known(
        "bad data",
        "data",
        r"invalid (json|payload|utf-?8|byte sequence)|malformed|cannot deserialize|jsonparseexception|schema mismatch"
        r"|schema validation|duplicate key value|violates (unique|foreign|not-null|check)"
        r"|corrupt(ed)? (record|file|index|data)"
        r"|checksum mismatch|failed to (parse|decode)",
        "input that cannot be used",
        0.3,
    ),
    Known(
        "schema",
        "none",
        r"relation [^\n]{1,80} does not exist|no such table|no such column|unknown column"
        r"|column [^\n]{1,80} does not exist"
        r"|undefinedtable|undefinedcolumn|table [^\n]{1,80} doesn't exist|invalid object name",
        "code and database schema do not match",
        0.5,
    ),
    Known(
        "code fault",
        "none",
        r"nil pointer|nullpointerexception|null pointer|nullreferenceexception|attributeerror|typeerror"
        r"|keyerror|indexerror"
        r"|referenceerror|undefined is not|is not a function|cannot read propert|index out of (range|bounds)"
        r"|indexoutofbounds|classcastexception|nosuchmethod|noclassdef|classnotfound|importerror|modulenotfounderror"
        r"|panicked at|panic: |division by zero|zerodivisionerror|arithmeticexception|stack overflow"
        r"|illegalstateexception"
        r"|undefined method|unhandled (exception|rejection)|segmentation fault|sigsegv",
        "the program itself fails",
        0.5,
    ),
    Known(
        "crash loop",
        "none",
        r"crashloopbackoff|back-off restarting|executable file not found|command not found"
        r"|exited with (code|status) [1-9]|failed to start|startup failed",
        "the program does not stay up",
        0.4,
    ),
)


@cache
def _compiled() -> tuple[Any, ...]:
    import re2

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return tuple(re2.compile(known.pattern, options) for known in TABLE)


def recognise(text: str) -> Known | None:
    """Return the first kind of failure that the text's wording shows."""
    head = text[:4096]
    return next((known for known, pattern in zip(TABLE, _compiled(), strict=True) if pattern.search(head)), None)


def around_wording(known: Known, text: str, width: int = 220) -> str:
    """Return the part of a long text in which the failure stands in words: of a trace what was thrown, not its code."""
    wording = _compiled()[TABLE.index(known)]
    thrown = (line for line in text.splitlines() if not line[:1].isspace() and wording.search(line))
    flat, start = "", 0
    for told in (text, next(thrown, text)):
        flat = " ".join(told.split())
        match = wording.search(flat)
        if len(flat) <= width or match is None or match.end() < width:
            return flat
        start = max(0, match.start() - width // 3)
    return "…" + flat[start : start + width]
