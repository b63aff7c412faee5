"""How programs print a line around a message: stamps, severities, threads and loggers in the field's layouts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from benchmarks.corpora.statements import Statement

Write = Callable[[Random, str, int, Statement, str], str]


@dataclass(frozen=True)
class Layout:
    """`stamp` is made once a second; `write(rng, stamp, ms, statement, message)` returns the line."""

    name: str
    stamp: Callable[[datetime], str]
    write: Write


def _f(pattern: str) -> Callable[[datetime], str]:
    return lambda at: at.strftime(pattern)


_PRIORITY = {"": 30, "DEBUG": 31, "INFO": 30, "WARN": 28, "ERROR": 27, "FATAL": 26}
_THREADS = ("main", "pool-1-thread-3", "http-nio-8080-exec-7", "scheduler-2", "AsyncDispatcher event handler", "IO #4")
_PG = {"": "LOG", "DEBUG": "DEBUG", "INFO": "LOG", "WARN": "WARNING", "ERROR": "ERROR", "FATAL": "FATAL"}
_GO = {"": "info", "DEBUG": "debug", "INFO": "info", "WARN": "warn", "ERROR": "error", "FATAL": "fatal"}
_NGINX = {"": "notice", "DEBUG": "debug", "INFO": "info", "WARN": "warn", "ERROR": "error", "FATAL": "crit"}


def _log4j(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    thread = _THREADS[int(rng.random() * len(_THREADS))]
    return f"{stamp},{ms:03d} {said.level:<5} [{thread}] {said.logger}: {message}"


def _logback(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"{stamp}.{ms:03d} [{_THREADS[int(rng.random() * 4)]}] {said.level:<5} {said.logger} - {message}"


def _spring(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return (
        f"{stamp}.{ms:03d}Z {said.level:>5} 1 --- [{_THREADS[int(rng.random() * 4)]:>15}] {said.logger:<40} : {message}"
    )


def _short(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"{stamp} {said.level} {said.logger}: {message}"


def _syslog(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    pid = "" if said.logger == "kernel" else f"[{1000 + int(rng.random() * 30000)}]"
    return f"{stamp} {'web' if ms & 1 else 'db'}{ms % 5} {said.logger}{pid}: {message}"


def _rfc5424(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"<{_PRIORITY[said.level]}>1 {stamp}.{ms:03d}Z lb{ms % 4} {said.logger} {900 + ms % 7} - - {message}"


def _ras(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    rack = f"R{ms & 63:02d}-M{ms >> 6 & 1}-N{ms >> 7 & 7}"
    epoch, _, dotted = stamp.partition(" ")
    return f"- {epoch} {dotted[:10]} {rack} {dotted}.{ms:03d}000 {rack} RAS {said.logger} {said.level} {message}"


def _ras_stamp(at: datetime) -> str:
    return f"{int(at.timestamp())} {at:%Y.%m.%d-%H.%M.%S}"


def _klog(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"{said.level[:1] or 'I'}{stamp}.{ms:03d}412 {1000 + ms % 9:7d} {said.logger}] {message}"


def _python(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"{stamp},{ms:03d} - {said.logger} - {said.level} - {message}"


def _uwsgi(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"{stamp}.{ms:03d} {2900 + ms % 3} {said.level} {said.logger} [req-{rng.getrandbits(64):016x}] {message}"


def _logfmt(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"time={stamp}.{ms:03d}Z level={_GO[said.level]} {message}"


def _zap(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    record = {"level": _GO[said.level], "ts": f"{stamp}.{ms:03d}Z", "logger": said.logger, "msg": message}
    return json.dumps(record)


def _docker(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    record = {"log": f"{said.level} {said.logger}: {message}\n", "stream": "stdout", "time": f"{stamp}.{ms:03d}512Z"}
    return json.dumps(record)


def _nginx(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"{stamp} [{_NGINX[said.level]}] 2{ms % 8}#2{ms % 8}: *{int(rng.random() * 10**6)} {message}"


def _access(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"10.0.{ms & 255}.{ms % 250} - - [{stamp}] {message}"


def _postgres(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"{stamp}.{ms:03d} UTC [{800 + ms % 90}] {said.logger}@shop {_PG[said.level]}:  {message}"


def _windows(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"{stamp}, {said.level.title():<21} {said.logger}    {message}"


def _kafka(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"[{stamp},{ms:03d}] {said.level} {message} ({said.logger})"


def _logcat(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"{stamp}.{ms:03d}  1702  {1700 + ms % 80} {said.level[:1] or 'I'} {said.logger}: {message}"


def _bracket(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"[{stamp}] {said.logger} - {message}"


def _piped(rng: Random, stamp: str, ms: int, said: Statement, message: str) -> str:
    return f"{stamp}:{ms:03d}|{said.logger}|{30002312 + ms % 5}|{message}"


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("log4j", _f("%Y-%m-%d %H:%M:%S"), _log4j),
        Layout("logback", _f("%Y-%m-%dT%H:%M:%S"), _logback),
        Layout("spring", _f("%Y-%m-%dT%H:%M:%S"), _spring),
        Layout("short", _f("%y/%m/%d %H:%M:%S"), _short),
        Layout("syslog", _f("%b %e %H:%M:%S"), _syslog),
        Layout("rfc5424", _f("%Y-%m-%dT%H:%M:%S"), _rfc5424),
        Layout("ras", _ras_stamp, _ras),
        Layout("klog", _f("%m%d %H:%M:%S"), _klog),
        Layout("python", _f("%Y-%m-%d %H:%M:%S"), _python),
        Layout("uwsgi", _f("%Y-%m-%d %H:%M:%S"), _uwsgi),
        Layout("logfmt", _f("%Y-%m-%dT%H:%M:%S"), _logfmt),
        Layout("zap", _f("%Y-%m-%dT%H:%M:%S"), _zap),
        Layout("docker", _f("%Y-%m-%dT%H:%M:%S"), _docker),
        Layout("nginx", _f("%Y/%m/%d %H:%M:%S"), _nginx),
        Layout("access", _f("%d/%b/%Y:%H:%M:%S +0000"), _access),
        Layout("postgres", _f("%Y-%m-%d %H:%M:%S"), _postgres),
        Layout("windows", _f("%Y-%m-%d %H:%M:%S"), _windows),
        Layout("kafka", _f("%Y-%m-%d %H:%M:%S"), _kafka),
        Layout("logcat", _f("%m-%d %H:%M:%S"), _logcat),
        Layout("bracket", _f("%m.%d %H:%M:%S"), _bracket),
        Layout("piped", _f("%Y%m%d-%H:%M:%S"), _piped),
    )
}
"""By name."""
EPOCH = datetime(2026, 3, 1, 8, tzinfo=UTC)
"""When every corpus begins."""
