"""Stack traces as Java, Python and Go print them, under an event of the systems that have them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

_JAVA_OWN = ("Stock.take(Stock.java:88)", "Outbox.flush(Outbox.java:41)", "Client.call(Client.java:130)")
_JAVA_CAUSES = ("java.net.ConnectException: Connection refused", "java.lang.IllegalStateException: bad state")
_PYTHON_OWN = ("settle", "load_user", "render")
_GO_OWN = ("main.(*Shard).Get", "main.(*Pool).Take", "main.reload")


def _java(rng: Random) -> str:
    own = _JAVA_OWN[int(rng.random() * len(_JAVA_OWN))]
    cause = _JAVA_CAUSES[int(rng.random() * len(_JAVA_CAUSES))]
    return (
        f"java.io.IOException: call {rng.getrandbits(32):08x} failed\n\tat com.acme.core.{own}\n"
        "\tat java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1136)\n"
        f"\tat java.base/java.lang.Thread.run(Thread.java:833)\nCaused by: {cause}\n\tat com.acme.core.{own}\n"
        "\t... 3 more"
    )


def _python(rng: Random) -> str:
    own = _PYTHON_OWN[int(rng.random() * len(_PYTHON_OWN))]
    return (
        f'Traceback (most recent call last):\n  File "/srv/app/tasks.py", line {len(own) * 7}, in {own}\n'
        f'    return self.{own}_one(item)\n  File "/srv/app/store.py", line 88, in {own}_one\n'
        f"    raise KeyError(key)\nKeyError: '{rng.getrandbits(32):08x}'"
    )


def _go(rng: Random) -> str:
    own = _GO_OWN[int(rng.random() * len(_GO_OWN))]
    return (
        f"panic: runtime error: index out of range [{int(rng.random() * 90)}]\n\ngoroutine {int(rng.random() * 900)} "
        f"[running]:\n{own}(0xc{rng.getrandbits(36):09x})\n\t/srv/app/main.go:118 +0x1d\n"
        "main.main()\n\t/srv/app/main.go:31 +0x2a"
    )


TRACES: dict[str, Callable[[Random], str]] = {
    "executor": _java, "appmaster": _java, "quorum": _java, "orders": _java, "shipping": _java, "broker": _java,
    "worker": _python, "compute": _python, "proxy": _go,
}  # fmt: skip
"""By system."""
