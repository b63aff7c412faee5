"""Where an engine's requests go and which key goes with them: a key never reaches a host that it is not meant for.

What is configured (`[engine] base_url`, `key_env`, or their WARROOM_ variables) belongs together, and what the
environment says to every Anthropic client (ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN) belongs
together. A configured address gets a key of the environment only where the environment names the same address.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from orchestrator.config.model import EngineSettings

DEFAULT_BASE_URL: Final = "https://api.anthropic.com"
BASE_URL, API_KEY, AUTH_TOKEN = "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"
CUSTOM_HEADERS: Final = "ANTHROPIC_CUSTOM_HEADERS"
WORKSPACE: Final = "ANTHROPIC_WORKSPACE_ID"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class CredentialError(Exception):
    """There is no key that may be sent; the message is one line for people and holds no secret."""


@dataclass(frozen=True)
class Endpoint:
    """An address, and the key that is meant for it. Its `repr` shows no secret."""

    base_url: str
    """Without a trailing slash."""
    key: str = field(repr=False)
    key_name: str
    """The environment variable that the key comes from."""
    kind: Literal["api_key", "auth_token"] = "api_key"
    workspace: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers that were configured for this address."""
    proxy: str = field(default="", repr=False)
    """Address of the proxy on the way, which may hold a password; empty: none."""
    foreign_headers: frozenset[str] = frozenset()
    """Headers that the environment gives to every Anthropic client, and that are not meant for this address."""

    @property
    def host(self) -> str:
        """Host and port, for people and for allow lists."""
        return urlsplit(self.base_url).netloc

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a key is bound to."""
        return origin_of(self.base_url)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know about the way there."""
        parts = urlsplit(self.base_url)
        found = []
        if parts.scheme == "http" and (parts.hostname or "") not in _LOOPBACK:
            found.append(f"{self.base_url} is not encrypted: the key and all that is sent can be read on the way")
        if parts.path.endswith("/v1"):
            found.append(f"{self.base_url} ends in /v1, which is added by itself: leave it out")
        return tuple(found)

    def fingerprint(self, install_key: bytes) -> str:
        """Return what tells keys apart without telling the key, on this installation only."""
        return hmac.new(install_key, b"engine key\0" + self.key.encode(), hashlib.sha256).hexdigest()[:16]


def origin_of(url: str) -> str:
    """Return `scheme://host:port` of an address, in lower case, with the port written out."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    return f"{parts.scheme}://{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}".lower()


def endpoint(engine: EngineSettings, env: Mapping[str, str]) -> Endpoint:
    """Return where requests go, with the key that is meant for it; raises CredentialError with what to set."""
    ambient = (env.get(BASE_URL) or "").strip() or DEFAULT_BASE_URL
    _check_address(ambient)
    base = (engine.base_url or ambient).rstrip("/")
    if engine.key_env:
        _check_configured_key(engine, ambient)
        name, kind = engine.key_env, _kind_of(engine.key_env)
    elif engine.base_url and origin_of(engine.base_url) != origin_of(ambient):
        raise CredentialError(
            f"no key is named for {base}: set engine.key_env to the variable that holds its key "
            f"(the key in {API_KEY} is meant for {ambient} and is not sent elsewhere)"
        )
    else:
        name, kind = _ambient_key(env)
    key = _key(env, name, base)
    own = not engine.base_url or origin_of(base) == origin_of(ambient)
    return Endpoint(
        base_url=base,
        key=key,
        key_name=name,
        kind=kind,
        workspace=(env.get(WORKSPACE) or "").strip() or None if own else None,
        headers=dict(_headers(engine, env, base)),
        proxy=_proxy(engine, env) if base.startswith("https:") else "",
        foreign_headers=frozenset() if own else frozenset(name for name, _ in _custom_headers(env)),
    )


def held_secrets(engine: EngineSettings, env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values that are secret because the settings or the SDK make them credentials, whatever their name."""
    names = (engine.key_env, API_KEY, AUTH_TOKEN, *engine.header_env.values())
    found = [(env.get(name) or "").strip() for name in names if name]
    found += [value for _, value in _custom_headers(env)]
    found += _proxy_secrets((env.get(engine.proxy_env or "") or "").strip())
    bare = [value.partition(" ")[2].strip() for value in found if value[:7].lower() == "bearer "]
    return tuple(dict.fromkeys(value for value in (*found, *bare) if value))


def _ambient_key(env: Mapping[str, str]) -> tuple[str, Literal["api_key", "auth_token"]]:
    if (env.get(API_KEY) or "").strip():
        return API_KEY, "api_key"
    if (env.get(AUTH_TOKEN) or "").strip():
        return AUTH_TOKEN, "auth_token"
    return API_KEY, "api_key"


def _check_configured_key(engine: EngineSettings, ambient: str) -> None:
    """Refuse a configured key without an address where the environment leads somewhere else than Anthropic."""
    paired = engine.key_env in (API_KEY, AUTH_TOKEN)
    if not engine.base_url and not paired and origin_of(ambient) != origin_of(DEFAULT_BASE_URL):
        raise CredentialError(
            f"{engine.key_env} (engine.key_env) is meant for {DEFAULT_BASE_URL}, but {BASE_URL} leads to {ambient}: "
            f"set engine.base_url to the address it is meant for, or unset {BASE_URL}"
        )


def _proxy(engine: EngineSettings, env: Mapping[str, str]) -> str:
    """Return the proxy that the settings ask for; one that only the environment names is not used.

    It is for https only: on the way to an http address it would read the key, and its `localhost` is another one.
    """
    if not engine.proxy_env:
        return ""
    address = (env.get(engine.proxy_env) or "").strip()
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise CredentialError(
            f"{engine.proxy_env} (engine.proxy_env) holds no http or https address of a proxy: set it, or leave "
            "engine.proxy_env out to go without"
        )
    return address


def _proxy_secrets(address: str) -> list[str]:
    """Return what of a proxy's address is secret, as it is written and as it is meant."""
    try:
        password = urlsplit(address).password or ""
    except ValueError:
        return []
    return [password, unquote(password)] if password else []


def _kind_of(name: str) -> Literal["api_key", "auth_token"]:
    return "auth_token" if name == AUTH_TOKEN else "api_key"


def _key(env: Mapping[str, str], name: str, base: str) -> str:
    key = (env.get(name) or "").strip()
    if not key:
        raise CredentialError(f"there is no key for {urlsplit(base).netloc}: set {name} in the environment")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise CredentialError(f"{name} holds characters that no key has (a line break, a space?): set it again")
    return key


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise CredentialError(f"{BASE_URL} is not an http or https address: mend it, or unset it")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise CredentialError(f"{BASE_URL} must hold no user name, password, query or fragment; keys have a variable")


def _headers(engine: EngineSettings, env: Mapping[str, str], base: str) -> Iterator[tuple[str, str]]:
    for header, name in engine.header_env.items():
        value = (env.get(name) or "").strip()
        if not value:
            raise CredentialError(f"there is no {header} for {urlsplit(base).netloc}: set {name} in the environment")
        if not (value.isascii() and value.isprintable()):
            raise CredentialError(f"{name} holds characters that no header has (a line break?): set it again")
        yield header, value


def _custom_headers(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for line in (env.get(CUSTOM_HEADERS) or "").split("\n"):
        name, colon, value = line.partition(":")
        if colon and name.strip():
            yield name.strip(), value.strip()
