"""The policy on camera addresses."""

import asyncio
import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.addresses import AddressPolicy
from drivers.errors import CameraRefusedAddressError, CameraUnreachableError

REFUSED = [
    "127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1",
    "169.254.1.1", "169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "100.100.100.200",
    "0.1.2.3", "::", "224.0.0.1", "ff02::1", "255.255.255.255",
]  # fmt: skip
REFUSED.append("0.0.0.0")  # noqa: S104 - nothing is bound to it


@pytest.mark.parametrize("ip", REFUSED)
def test_refuses_what_is_ours_or_the_clouds(ip: str) -> None:
    """Loopback, link-local, multicast, unspecified and metadata addresses are refused in every notation."""
    with pytest.raises(CameraRefusedAddressError):
        AddressPolicy().check_ip(ip)


@pytest.mark.parametrize("ip", ["192.168.1.64", "10.0.0.1", "172.16.3.4", "203.0.113.7", "2001:db8::1", "fd12::5"])
def test_allows_networks_that_cameras_live_in(ip: str) -> None:
    """Private and public unicast addresses are allowed."""
    assert AddressPolicy().allows(ip)


def test_loopback_is_a_setting_of_its_own() -> None:
    """Allowing loopback allows both families of it and nothing else."""
    policy = AddressPolicy(allow_loopback=True)
    assert policy.allows("127.0.0.1")
    assert policy.allows("::1")
    assert not policy.allows("169.254.169.254")


def test_an_allowed_network_wins() -> None:
    """A network in the configuration is allowed whatever it is, and only it."""
    policy = AddressPolicy(allow_networks=("169.254.0.0/16",))
    assert policy.allows("169.254.1.1")
    assert policy.allows("::ffff:169.254.1.1")
    assert not policy.allows("127.0.0.1")


def test_a_bad_network_is_told_at_once() -> None:
    """A policy with something that is no network cannot be made."""
    with pytest.raises(ValueError, match="nonsense"):
        AddressPolicy(allow_networks=("nonsense",))


def test_what_is_no_address_is_refused() -> None:
    """A text that is no address is refused, not passed on."""
    with pytest.raises(CameraRefusedAddressError, match="not a network address"):
        AddressPolicy().check_ip("127.1")


@given(st.ip_addresses(network="127.0.0.0/8"))
def test_no_notation_of_loopback_passes(ip: ipaddress.IPv4Address) -> None:
    """IPv4 loopback is refused also when wrapped in IPv6."""
    policy = AddressPolicy()
    wrapped = [f"::ffff:{ip}", str(ipaddress.IPv6Address((0x64FF9B << 96) | int(ip)))]
    wrapped.append(str(ipaddress.IPv6Address((0x2002 << 112) | (int(ip) << 80))))
    assert not any(policy.allows(one) for one in [str(ip), *wrapped])


async def test_a_literal_is_not_looked_up() -> None:
    """An address in the place of a name is checked as it stands, brackets or not."""
    assert await AddressPolicy().resolve("192.0.2.1", 80) == ["192.0.2.1"]
    assert await AddressPolicy(allow_loopback=True).resolve("[::1]", 80) == ["::1"]


async def test_every_record_of_a_name_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """One bad record among good ones refuses the name."""

    async def two(*_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", ("192.0.2.1", 80)), (0, 0, 0, "", ("127.0.0.1", 80))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two)
    with pytest.raises(CameraRefusedAddressError, match="loopback"):
        await AddressPolicy().resolve("camera.example", 80)


@pytest.mark.parametrize("outcome", [socket.gaierror("no such name"), UnicodeError("label too long"), []])
async def test_a_name_without_address_is_unreachable(outcome: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads nowhere is told as that."""

    async def nothing(*_: Any, **__: Any) -> list[Any]:
        if isinstance(outcome, Exception):
            raise outcome
        return []

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nothing)
    with pytest.raises(CameraUnreachableError, match="no address"):
        await AddressPolicy().resolve("camera.example", 80)
