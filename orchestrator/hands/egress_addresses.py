"""Where a connection may go: which addresses no setting opens, and which only a host that names them reaches."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Reach = Literal["public", "private", "loopback", "never"]

METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
"""Names under which clouds hand out the credentials of a machine to whoever asks from it."""

_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        # AWS, GCP, Azure, …; AWS and GCP over IPv6; Alibaba; Oracle; Azure's wire server.
        ("169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    )
)
_INSTANCE = ipaddress.ip_network("fd00:ec2::/32")
"""What a machine at AWS is told by it over IPv6: besides metadata its containers' credentials, names and time."""
_SITE_LOCAL = ipaddress.ip_network("fec0::/10")
_SHARED = ipaddress.ip_network("100.64.0.0/10")
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.ip_network("::/96")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE)
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\Z", re.IGNORECASE)
_OWN_NETWORK = (".local", ".lan", ".internal", ".home.arpa", ".home", ".corp", ".intranet", ".private")


def literal(host: str) -> Address | None:
    """Return the address that a host is, written the one plain way; None for a name or any other spelling."""
    try:
        return ipaddress.ip_address(host) if "%" not in host else None
    except ValueError:
        return None


def host_fault(host: str) -> str:
    """Say why no connection goes to a host of this form; empty where it may."""
    if literal(host) is not None:
        return ""
    name = host.rstrip(".").lower()
    if _NUMBER.match(name.rpartition(".")[2]):
        return "it is a number that is not an address in its plain form (like 127.0.0.1)"
    if name in METADATA_NAMES:
        return "it is a cloud's metadata service"
    if len(host) > 253 or not _NAME.match(host):
        return "it is not a host name"
    return ""


def reach_of(address: Address) -> Reach:
    """Return what an address belongs to; one that carries another inside counts as the worse of the two."""
    if address in _METADATA or address in _INSTANCE:
        return "never"
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return "never"
    if address.is_loopback:
        return "loopback"
    inner = _inner(address)
    if inner is not None:
        return reach_of(inner)
    if address in _SHARED or address in _SITE_LOCAL:
        return "private"
    if address.is_reserved:
        return "never"
    return "private" if address.is_private else "public"


def _inner(address: Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 one stands for: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _COMPATIBLE or any(address in network for network in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def reaches(host: str, *, private: bool = False) -> frozenset[Reach]:
    """Return what a configured host may resolve to: loopback and private only where it names such a thing itself."""
    own = literal(host)
    if own is not None:
        return frozenset({reach_of(own)}) - {"never"}
    name = host.lower()
    if name == "localhost" or name.endswith(".localhost"):
        return frozenset({"loopback"})
    if "." not in name or name.endswith(_OWN_NETWORK):
        return frozenset({"public", "private", "loopback"})
    return frozenset({"public", "private"} if private else {"public"})


def address_fault(host: str, address: str, allowed: frozenset[Reach]) -> str:
    """Say why a connection to this resolved address of a host is refused; empty where it is not."""
    found = literal(address)
    if found is None:
        return f"{host} resolves to {address!r}, which is not an address"
    reach = reach_of(found)
    if reach in allowed:
        return ""
    what = {
        "never": "a link-local, metadata, multicast or reserved address: never reached",
        "loopback": "this machine: reached only where the address given is localhost or a loopback address",
        "private": "a private network: reached only where the address given names it, or allows it",
        "public": "a public address, though it names this machine",
    }[reach]
    return f"{host} resolves to {address}, {what}"
