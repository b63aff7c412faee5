"""Known kinds of failure by their wording: general knowledge of the field, written down in 2026.

The wordings are those of operating systems, language runtimes, databases, brokers, proxies and cloud SDKs. The first
kind that fits counts, so what is more exact stands before what is more general. A signature says what the text shows;
whether a change caused it is for others to find out.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    once: bool = False
    """One event tells as much as many do: it is no error that may pass, but what was done about one."""


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
        r"|unable to get local issuer|self.signed certificate|unknown certificate authority|tls: bad certificate"
        r"|alert (unknown ca|bad certificate)",
        "a TLS certificate is not trusted",
        0.6,
        True,
    ),
    Known(
        "disk full",
        "resource",
        r"no space left on device|enospc|disk( is)? full|out of (disk|storage) space|storage full|insufficient storage"
        r"|storage (space )?is critically low|disk quota exceeded|not enough (disk )?space|low on disk"
        r"|flood stage disk watermark|high disk watermark[^\n]{0,20} exceeded|could not extend file"
        r"|database space exceeded|disk resource limit alarm set|unable to extend (table|index|segment|lob)"
        r"|ora-00257|transaction log for database [^\n]{1,80} is full|nodehasdiskpressure|condition: \[diskpressure"
        r"|low on resource: ephemeral-storage|freediskspacefailed",
        "a file system is full",
        0.65,
    ),
    Known(
        "OOM kill",
        "resource",
        r"invoked oom-killer|oom-kill:|out of memory: kill(ed)? process|killed process \d+ \(|oom_reaper: reaped"
        r"|killed by the oom killer|result 'oom-kill'|systemd-oomd[^\n]{0,20}killed |earlyoom[^\n]{0,20}sending sig",
        "the kernel killed a process because memory ran out",
        0.58,
        once=True,
    ),
    Known(
        "thread limit",
        "resource",
        r"thread ?pool[^\n]{0,30}(exhausted|is full)|unable to create (new )?native thread|pthread_create failed"
        r"|failed to create new os thread|fork: (retry: )?resource temporarily|can't start new thread"
        r"|fork rejected by pids",
        "no more threads or processes can be started",
        0.4,
    ),
    Known(
        "out of memory",
        "resource",
        r"oomkilled|oom-kill|out of memory|outofmemoryerror|cannot allocate memory|enomem|heap out of memory"
        r"|memory cgroup|killed process \d+|memoryerror\b|java heap space|gc overhead limit"
        r"|oom command not allowed|memory resource limit alarm set|circuit_?breaking_?exception"
        r"|data too large, data for",
        "memory ran out",
        0.45,
    ),
    Known(
        "full collections",
        "resource",
        r"pause full \((allocation|ergonomics|metadata|g1 (compaction|evacuation))"
        r"|\[full gc \((allocation|ergonomics|metadata)"
        r"|to-space (exhausted|overflow)|evacuation failure|concurrent mode failure",
        "memory is all but full, and the program stands still to free some",
        0.4,
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
        r"(liveness|readiness|startup) probe (failed|errored)|failed (liveness|readiness|startup) probe"
        r"|\"probe (failed|errored)[^\"\n]{0,40}\" probetype=",
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
        r"|provisionedthroughputexceeded|throttling: rate exceeded"
        r"|request (was )?throttled|slowdown\b|quota exceeded|requestlimitexceeded|status[= :]+429",
        "a dependency refuses the rate",
        0.5,
        True,
    ),
    Known(
        "replication",
        "dependency",
        r"replication (lag|stopped|broken|terminated)|replica[^\n]{0,30} lag(s|ging)?\b"
        r"|slave (sql|i/o)[^\n]{0,20} for channel"
        r"|(replica|slave)_(sql|io)_running: no|wal segment [^\n]{1,40} has already been removed"
        r"|due to conflict with recovery|shrinking isr|now in state (recovering|rollback|down)\b"
        r"|could not receive data from wal stream",
        "copies of a datastore do not keep up",
        0.45,
    ),
    Known(
        "datastore read-only",
        "dependency",
        r"read[- ]only (replica|transaction)|running with the --(super-)?read-only|notwritableprimary|\bmisconf redis"
        r"|index read-only / allow delete|not accepting commands to avoid wraparound",
        "a datastore takes no writes",
        0.55,
    ),
    Known(
        "datastore restarting",
        "dependency",
        r"the database system is (starting up|shutting down|in recovery mode|not yet accepting)"
        r"|loading redis is loading|terminating any other active server processes",
        "a datastore is not ready for work",
        0.55,
    ),
    Known(
        "datastore leadership",
        "dependency",
        r"leader[ -]election|no (cluster )?leader|not (the )?leader|not_?leader_?(for|or)|quorum (lost|not)"
        r"|lost quorum"
        r"|split[ -]brain|failover (started|in progress)|not_master|primary stepped down|no primary"
        r"|leader (changed|lost)"
        r"|lost (the )?leader|previous leader fail|failed to renew lease [\w-]+/|notcontrollerexception"
        r"|master_?not_?discovered|master not discovered|clusterdown"
        r"|group coordinator[^\n]{0,80}(unavailable|not available)"
        r"|coordinator_?not_?available|not_?enough_?replicas|not enough (in-sync )?replicas|does not meet the required"
        r" replication",
        "a datastore lost or changes its leader",
        0.6,
    ),
    Known(
        "pool exhausted",
        "resource",
        r"connection pool[^\n]{0,40}timed? ?out"
        r"|timed out (fetching|acquiring|getting|waiting for) a[^\n]{0,12} connection"
        r"|no (more )?connections? (allowed|available)|max number of clients|query_wait_timeout"
        r"|ora-(00018|12516|12519|12520)"
        r"|pool (is |was )?exhausted|timeout (acquiring|waiting for)( a)? (idle )?(connection|object)"
        r"|connection is not available"
        r"|too many connections|remaining connection slots|queuepool limit|acquire connection|cannot get a connection"
        r"|pool[^\n]{0,30}(waited|timeout|full)|too many clients",
        "no free connection in a pool",
        0.3,
    ),
    Known(
        "connection refused",
        "dependency",
        r"could not be established[^\n]{0,30}may not be available|ora-12541|connection refused|econnrefused"
        r"|connect\(\) failed \(111|actively refused|connection was refused",
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
        r"|remounting filesystem read-only|\bi/o error, dev|metadata i/o error"
        r"|(ext4|btrfs|xfs)[^\n]{0,30} (error|corruption)"
        r"|blocked for more than \d+ seconds|rcu[^\n]{0,40} stall|hardware error\]|qid \d+ timeout|netdev watchdog"
        r"|\b(en|eth|bond|ib)\w*:? (nic )?link is down|nfs: server [^\n]{1,60} not responding|pleg is not healthy"
        r"|container runtime is down|network plugin is not ready|failedcreatepodsandbox|nodehas(memory|pid)pressure"
        r"|machine check|nodenotready|node [^ ]+ (is |status is )?not ?ready|spot interruption|\bevicted\b"
        r"|instance (was )?terminated",
        "the machine beneath fails",
        0.6,
    ),
    Known(
        "no instance",
        "dependency",
        r"no instances? available|no (available )?(servers?|instances?|endpoints?) (available )?for"
        r"|has no server available|does not (have|contain) an instance|no endpoints available"
        r"|service instance not found"
        r"|no resolvable bootstrap",
        "no instance of what it calls is registered",
        0.5,
        True,
    ),
    Known(
        "slow consumer",
        "none",
        r"poll timeout has expired|commitfailedexception|offset commit cannot be completed"
        r"|delivery acknowledgement on channel \d+ timed out",
        "a consumer is too slow, and its group goes on without it",
        0.35,
    ),
    Known(
        "upstream failing",
        "dependency",
        r"no healthy upstream|error forwarding to|health check for server [^\n]{1,80} failed"
        r"|server \S+ is down, reason|no live upstreams|backend (fetch failed|is unhealthy)|upstream connect error"
        r"|bad gateway|gateway time-?out|service ?unavailable"
        r"|circuit(?: ?breaker)?(?:[^.\n]{0,29}[^f\s.\n])?"
        r"[^\w-]open(ed)?(\W*$|[^\w\s]|\s+(and|for|after|due|because)\b)"
        r"|from closed to open|callnotpermitted|does not permit further calls|statusruntimeexception: unavailable"
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
        r"timed? ?out($|[^=])|etimedout|deadline exceeded|(^|[^s])deadlineexceeded|exceeded deadline"
        r"|readtimeout|connecttimeout|timeoutexception|timed out|statement timeout|maximum statement execution time",
        "what it calls does not answer in time",
        0.35,
        True,
    ),
    Known(
        "connection lost",
        "dependency",
        r"connection reset|econnreset|broken pipe|epipe\b|server closed the connection|lost connection to"
        r"|: eof\b|was disconnected before|connection is closed|prematurely closed"
        r"|keepererrorcode = (connectionloss|session ?expired)"
        r"|terminating connection due to|unexpected eof|server has gone away",
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
        "ports exhausted",
        "resource",
        r"(dial|connect)[^\n]{0,80}cannot assign requested address|eaddrnotavail",
        "no local port is free for another connection",
        0.4,
    ),
    Known(
        "overload",
        "traffic",
        r"queue( is)? full|rejectedexecution|load shed|overloaded|server is busy|backlog (is )?full|listen queue"
        r"|nf_conntrack: table full|neighbou?r table overflow|rejected execution|possible syn flooding"
        r"|publishers will be blocked|worker_connections are not enough|server reached .{0,20}max_children"
        r"|max_children",
        "more work arrives than is done",
        0.4,
    ),
    Known(
        "locks",
        "resource",
        r"deadlock (detected|found)|deadlocked on|still waiting for \w*lock\b|database is locked|sqlite_busy"
        r"|lock wait timeout|could not obtain lock|could not serialize access|lock timeout",
        "transactions block each other",
        0.25,
    ),
    Known(
        "credentials",
        "config",
        r"noauth authentication|\bwrongpass\b|401 unauthorized|invalid credentials|token (has |is )?expired"
        r"|access ?denied|password authentication failed"
        r"|authentication failed|invalid api key|signature (does not match|has expired)|403 forbidden",
        "credentials are refused",
        0.35,
        True,
    ),
    Known(
        "clock",
        "host",
        r"clock difference against peer|system clock wrong by|(forward|backward) time jump|clock skew|time skew"
        r"|requesttimetooskewed|token used before issued|clock (jump|went backwards)",
        "clocks disagree",
        0.5,
    ),
    Known(
        "configuration",
        "config",
        r"(missing|invalid|unknown|unrecognized|required) (config|configuration|setting|environment variable"
        r"|env var|property)"
        r"|(secret|configmap) [^\n]{1,80} not found|createcontainerconfigerror|could not resolve placeholder"
        r"|is not set in (the )?environment|config(uration)? (error|is invalid)",
        "a setting is missing or wrong",
        0.3,
    ),
    Known(
        "bad data",
        "data",
        r"invalid (json|payload|utf-?8|byte sequence)|malformed|cannot deserialize|jsonparseexception|schema mismatch"
        r"|schema validation|duplicate key value|violates (unique|foreign|not-null|check)"
        r"|corrupt(ed)? (record|file|index|data)"
        r"|e11000 duplicate key|recordtoolarge|checksum mismatch|failed to (parse|decode)",
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
        r"|panicked at|panic: |division by zero|zerodivisionerror|arithmeticexception|stack overflow|sigsegv"
        r"|illegalstateexception|goroutines are asleep|concurrent map |general protection fault|maximum recursion depth"
        r"|overflowed its stack|\bsegfault at|undefined method|unhandled (exception|rejection)|segmentation fault",
        "the program itself fails",
        0.5,
    ),
    Known(
        "crash loop",
        "none",
        r"start request repeated too quickly|main process exited, code=(dumped|killed, status=(4|6|7|8|9|11)/)"
        r"|main process exited, code=exited, status=[1-9]\d?/|result '(signal|core-dump|watchdog|start-limit-hit)'"
        r"|terminated by signal (4|6|7|8|9|11)\b|exit code (is )?13[479]\b|worker timeout \(pid|address already in use"
        r"|eaddrinuse|crashloopbackoff|back-off restarting|executable file not found|command not found"
        r"|exited with (code|status) [1-9]|failed to start|startup failed",
        "the program does not stay up",
        0.4,
    ),
)
