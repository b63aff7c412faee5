"""Which hosts and addresses are reached: every spelling of what must not be."""

from __future__ import annotations

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.hands.egress import _same
from orchestrator.hands.egress_addresses import address_fault, reaches
from orchestrator.hands.egress_endpoints import Allowed, EgressRefused, Endpoint, origin_of


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:169.254.169.254]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[64:ff9b::169.254.169.254]/",
        "http://[2002:a9fe:a9fe::1]/",
        "http://[::169.254.169.254]/",
        "http://[fd00:ec2::254]/",
        "http://[fd00:ec2::23]/v1/credentials",
        "http://169.254.170.23/v1/credentials",
        "http://[::ffff:0:169.254.169.254]/",
        "http://[64:ff9b:1:a9fe:a9:fe00::]/",
        "http://100.100.100.200/",
        "http://metadata.google.internal/",
        "http://metadata.google.internal./",
        "http://METADATA/",
        "http://169.254.7.7/",
        "http://[fe80::1]/",
        "http://[fe80::1%25eth0]/",
        "http://224.0.0.1/",
        "http://[ff02::1]/",
        "http://0.0.0.0:8080/",
        "http://[::]/",
        "http://255.255.255.255/",
        "http://240.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://0xA9FEA9FE/",
        "http://1.2.3.4.5/",
        "http://example.com.0x10/",
        "http://\uff11\uff12\uff17.0.0.1/",
        "https://user@api.example.com/",
        "https://user:hunter2@api.example.com/",
        "https://api.example.com@evil.example/",
        "https://@api.example.com/",
        "ftp://api.example.com/",
        "file:///etc/passwd",
        "https:///path",
        "https://api.example.com:0/",
        "https://api.example.com:99999/",
        "https://api example.com/",
        "https://api.example.com\\@evil.example/",
        "https://-x.example.com/",
        "https://[::1/",
        "api.example.com",
        "",
    ],
)
def test_an_address_that_is_never_connected_to(url: str) -> None:
    with pytest.raises(EgressRefused) as refused:
        Allowed([Endpoint(url)])
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.example.com/v1?x", "https://api.example.com"),
        ("https://api.example.com:443", "https://api.example.com"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"),
        ("http://[::1]:11434", "http://[::1]:11434"),
        ("http://[0:0:0::1]", "http://[::1]"),
        ("http://gpu-box:8000", "http://gpu-box:8000"),
        ("http://10.1.2.3", "http://10.1.2.3"),
    ],
)
def test_an_origin_in_its_plain_form(url: str, origin: str) -> None:
    assert str(origin_of(url)) == origin


@pytest.mark.parametrize(
    ("host", "address", "private", "reached"),
    [
        ("api.example.com", "203.0.114.7", False, True),
        ("api.example.com", "2606:4700::1", False, True),
        ("api.example.com", "64:ff9b::cb00:7207", False, True),
        ("api.example.com", "10.0.0.1", False, False),
        ("api.example.com", "10.0.0.1", True, True),
        ("api.example.com", "fd12::1", True, True),
        ("api.example.com", "100.64.0.1", False, False),
        ("api.example.com", "127.0.0.1", True, False),
        ("api.example.com", "::1", True, False),
        ("api.example.com", "::ffff:127.0.0.1", True, False),
        ("api.example.com", "::ffff:10.0.0.1", False, False),
        ("api.example.com", "64:ff9b::7f00:1", True, False),
        ("api.example.com", "169.254.169.254", True, False),
        ("api.example.com", "fd00:ec2::254", True, False),
        ("api.example.com", "0.0.0.0", True, False),  # noqa: S104 - refused
        ("api.example.com", "192.0.2.1", False, False),
        ("api.example.com", "not an address", True, False),
        ("localhost", "127.0.0.1", False, True),
        ("localhost", "::1", False, True),
        ("localhost", "203.0.114.7", False, False),
        ("model.localhost", "127.0.0.2", False, True),
        ("gpu-box", "192.168.1.4", False, True),
        ("gpu-box.lan", "192.168.1.4", False, True),
        ("gpu-box.lan", "169.254.169.254", False, False),
        ("10.1.2.3", "10.1.2.3", False, True),
        ("127.0.0.1", "127.0.0.1", False, True),
        ("::ffff:127.0.0.1", "127.0.0.1", False, True),
        ("8.8.8.8", "10.0.0.1", False, False),
    ],
)
def test_what_a_configured_host_may_resolve_to(host: str, address: str, private: bool, reached: bool) -> None:
    fault = address_fault(host, address, reaches(host, private=private))
    assert (fault == "") is reached, fault
    assert reached or host in fault


PIECES = (
    "http://",
    "https://",
    "//",
    "/",
    "\\",
    "@",
    ":",
    "#",
    "?",
    "[",
    "]",
    "::1",
    "127.0.0.1",
    "0x7f.1",
    "evil",
    ".",
)
MORE = (
    "api.example.com",
    "%",
    "%2e",
    "%00",
    " ",
    "\t",
    "\n",
    "\u3002",
    "\uff0e",
    "\u212a",
    ":443",
    ":80",
    "e\u0301",
    "xn--",
    "8",
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES + MORE), max_size=7).map(lambda rest: "https://" + "".join(rest)))
def test_an_accepted_address_is_read_alike_by_the_library_that_connects(url: str) -> None:
    try:
        origin = origin_of(url)
    except EgressRefused:
        return
    try:
        read = httpx2.URL(url)
    except httpx2.InvalidURL:
        return
    assert read.host == origin.host or _same(origin, read) is False
    assert read.userinfo == b""
