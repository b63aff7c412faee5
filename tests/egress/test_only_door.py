"""Nothing else opens a connection: no module but the egress rooms imports what could, and the SDK gets our client."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("tui", "orchestrator", "subagents", "runbooks")
DOOR = "orchestrator/hands/egress"
"""How the paths of the modules that may begin."""
NETWORK = {
    *("aiohttp", "anyio", "asyncssh", "boto3", "botocore", "ftplib", "grpc", "http", "httpcore", "httpcore2", "httpx"),
    *("httpx2", "imaplib", "nntplib", "paramiko", "poplib", "pycurl", "requests", "smtplib", "socket", "socketserver"),
    *("ssl", "telnetlib", "trio", "urllib3", "websocket", "websockets", "xmlrpc"),
}
NETWORK_PARTS = ("urllib.request", "urllib.robotparser", "logging.handlers", "wsgiref", "multiprocessing.managers")
OPENERS = {
    *("open_connection", "open_unix_connection", "create_connection", "create_unix_connection", "sock_connect"),
    *("create_datagram_endpoint", "start_server", "start_unix_server", "create_server", "create_unix_server"),
    *("urlopen", "urlretrieve"),
}
SDK = ("orchestrator/engines/", "tui/commands/agents_opening.py", "tui/commands/remote_opening.py")
"""Where the SDK and the HTTP library may be imported for their errors and types: what opens a connection may not."""
HTTP_OPENERS = {
    *("AsyncClient", "Client", "AsyncHTTPTransport", "HTTPTransport", "DefaultAsyncHttpxClient", "DefaultHttpxClient"),
    *("DefaultAioHttpClient", "request", "stream", "get", "post", "put", "patch", "delete", "head", "options"),
}
GIT_OUTWARD = ("ls-remote", "fetch", "fetch-pack", "send-pack", "remote-https")
PROGRAMS = ("curl", "wget", "nc", "ncat", "ssh", "scp", "sftp", "rsync", "telnet")
GIT_DOOR = "orchestrator/hands/push.py"


def breaches(path: str, source: str) -> Iterator[str]:
    """Yield what a module does that only a door may; `path` is relative to the root."""
    if path.startswith(DOOR):
        return
    tree = ast.parse(source)
    for node in _at_run_time(tree):
        for what in (*_imports(path, node), *_uses(path, node)):
            yield f"{path}:{getattr(node, 'lineno', 0)} {what}"


def _at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node but those that only a type checker reads."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            for one in node.orelse:
                yield from _at_run_time(one)
        else:
            yield from _at_run_time(node)


def _imports(path: str, node: ast.AST) -> Iterator[str]:
    for name in _imported(node):
        top = name.partition(".")[0]
        if top in ("httpx2", "anthropic") and path.startswith(SDK):
            if name.rpartition(".")[2] in HTTP_OPENERS:
                yield f"imports {name}"
        elif top in {*NETWORK, "anthropic"} or any(f"{name}.".startswith(f"{part}.") for part in NETWORK_PARTS):
            yield f"imports {name}"


def _uses(path: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and node.attr in OPENERS:
        yield f"uses {node.attr}"
    if isinstance(node, ast.List | ast.Tuple) and path != GIT_DOOR:
        words = [one.value for one in node.elts if isinstance(one, ast.Constant)]
        yield from (f"names git {word}" for word in words if word in GIT_OUTWARD)
        yield from (f"runs {word}" for word in words[:1] if word in PROGRAMS)
    if isinstance(node, ast.Call):
        called, owner = _called(node), getattr(getattr(node.func, "value", None), "id", "")
        if called.endswith("Anthropic") and "http_client" not in {keyword.arg for keyword in node.keywords}:
            yield "makes an SDK client without http_client"
        if owner in ("httpx2", "anthropic") and called in HTTP_OPENERS:
            yield f"calls {owner}.{called}"


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _imported(node: ast.AST) -> Iterator[str]:
    """Yield the names of modules that a node imports, also those of `from x import y` and `import_module("x")`."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
        yield from (str(one.value) for one in node.args[:1] if isinstance(one, ast.Constant))


def test_no_module_but_the_door_reaches_the_network() -> None:
    modules = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    assert len(modules) > 200
    found = [
        breach
        for module in modules
        for breach in breaches(module.relative_to(ROOT).as_posix(), module.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_door_is_there() -> None:
    assert "import httpx2" in (ROOT / f"{DOOR}.py").read_text(encoding="utf-8")
    assert '"ls-remote"' in (ROOT / GIT_DOOR).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "source",
    [
        "import httpx2",
        "def f():\n    import socket",
        "import os, requests as r",
        "from urllib import request",
        "from urllib.request import urlopen",
        "import urllib.request as u",
        "from http.client import HTTPSConnection",
        "from logging import handlers",
        "import importlib\nimportlib.import_module('ssl')",
        "__import__('aiohttp')",
        "import asyncio\nasyncio.open_connection('h', 1)",
        "async def f(loop):\n    await loop.create_connection(None)",
        "import anthropic",
        "from anthropic.types import Message",
        "run(['git', 'ls-remote'])",
        "run(('/usr/bin/env', 'fetch'))",
        "subprocess.run(['curl', url])",
    ],
)
def test_a_planted_module_is_found(source: str) -> None:
    assert list(breaches("subagents/logs/planted.py", source))


def test_an_sdk_client_of_its_own_is_found_where_the_sdk_is_allowed() -> None:
    path = f"{SDK[0]}messages/planted.py"
    assert not list(breaches(path, "from anthropic import AsyncAnthropic\nAsyncAnthropic(http_client=made)"))
    assert list(breaches(path, "from anthropic import AsyncAnthropic\nAsyncAnthropic(api_key='x')"))
    assert list(breaches(path, "import anthropic\nanthropic.Anthropic()"))
    assert not list(breaches(path, "import httpx2\nhttpx2.Timeout(5.0)"))
    assert list(breaches(path, "import httpx2\nhttpx2.AsyncClient()"))
    assert list(breaches(path, "from httpx2 import AsyncClient"))
    types_only = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import httpx2\nelse:\n    import os"
    assert not list(breaches("tui/planted.py", types_only))
    assert list(breaches("tui/planted.py", types_only.replace("import os", "import socket")))
    assert not list(breaches("tui/planted.py", "from urllib.parse import quote\nimport urllib.parse"))
