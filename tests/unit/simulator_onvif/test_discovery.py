"""Cameras are found on loopback, by multicast and by unicast."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from drivers.simulator import discovery, happenings
from drivers.simulator.device import SimulatedDevice
from drivers.simulator.discovery import GROUP, announcer
from drivers.simulator.onvif import device_url
from drivers.simulator.onvif.markup import find, local, parse, text_at
from tests.fakes.clock import ManualClock
from tests.fakes.ports import free_port
from tests.fakes.waiting import PATIENCE_S
from tests.unit.simulator_onvif.stand import a_device

LOOPBACK = "127.0.0.1"


@pytest.fixture
def port() -> int:
    """Return a UDP port of this test's own, so that nothing else on this machine answers."""
    return free_port(socket.SOCK_DGRAM)


@pytest.fixture
def devices(clock: ManualClock) -> list[SimulatedDevice]:
    """Return two cameras."""
    first, second = a_device(clock), a_device(clock, ptz=False)
    second.urn = first.urn[:-1] + "8"
    first.http_port, second.http_port = 8001, 8002
    return [first, second]


class Ears(asyncio.DatagramProtocol):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.senders: list[tuple[str, int]] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Keep it."""
        self.senders.append(addr)
        self.heard.put_nowait(data)

    async def next(self) -> tuple[str, str, str]:
        """Return (kind, urn, addresses) of the next message."""
        envelope = parse(await asyncio.wait_for(self.heard.get(), PATIENCE_S))
        body = find(envelope, "Body")
        assert body is not None
        inner = body[0]
        match = inner[0] if local(inner).endswith("Matches") else inner
        return local(inner), text_at(match, "EndpointReference/Address") or "", text_at(match, "XAddrs") or ""


@asynccontextmanager
async def client(*, joined: int | None = None) -> AsyncIterator[tuple[Ears, asyncio.DatagramTransport]]:
    """Return a socket on loopback; ``joined`` hears the group on that port."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(0)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
    if joined is None:
        made.bind((LOOPBACK, 0))
    else:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((GROUP, joined))
        both = socket.inet_aton(GROUP) + socket.inet_aton(LOOPBACK)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, both)
    transport, ears = await asyncio.get_running_loop().create_datagram_endpoint(Ears, sock=made)
    try:
        yield ears, transport
    finally:
        transport.close()


def question(kind: str, inner: str = "", *, message: str | None = None) -> bytes:
    """Return a Probe or Resolve."""
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in discovery.NAMESPACES.items())
    asked = message or f"uuid:{uuid4()}"
    return (
        f"<env:Envelope {spaces}><env:Header><a:MessageID>{asked}</a:MessageID></env:Header>"
        f"<env:Body><d:{kind}>{inner}</d:{kind}></env:Body></env:Envelope>"
    ).encode()


async def answers(ears: Ears, most: int) -> set[str]:
    """Return the URNs of so many answers."""
    return {(await ears.next())[1] for _ in range(most)}


@pytest.mark.parametrize("host", [GROUP, LOOPBACK])
async def test_a_probe_finds_every_camera(
    devices: list[SimulatedDevice], clock: ManualClock, port: int, host: str
) -> None:
    """To the group or to the address: each camera answers with its URN and address."""
    async with announcer(devices, clock, port=port), client() as (ears, transport):
        transport.sendto(question("Probe"), (host, port))
        told = {await ears.next() for _ in devices}
    assert told == {("ProbeMatches", device.urn, device_url(device)) for device in devices}


async def test_hello_and_bye(devices: list[SimulatedDevice], clock: ManualClock, port: int) -> None:
    """A camera says Hello when it comes, Bye when it goes, and both when it reboots."""
    first, second = devices
    async with client(joined=port) as (ears, _):
        async with announcer(devices, clock, port=port) as voice:
            assert [(await ears.next())[:2] for _ in devices] == [("Hello", first.urn), ("Hello", second.urn)]
            voice.bye(first)
            voice.hello(first)
            assert (await ears.next())[0] == "Bye"
            assert await ears.next() == ("Hello", first.urn, device_url(first))
        assert [(await ears.next())[:2] for _ in devices] == [("Bye", first.urn), ("Bye", second.urn)]


@pytest.mark.parametrize(
    ("inner", "found"),
    [
        ("<d:Types>dn:NetworkVideoTransmitter</d:Types>", 2),
        ("<d:Types>tds:Device</d:Types>", 2),
        ("<d:Types>dn:Printer</d:Types>", 0),
        ("<d:Scopes>onvif://www.onvif.org/type/ptz</d:Scopes>", 1),
        ("<d:Scopes>onvif://www.onvif.org/type</d:Scopes>", 2),
        ("<d:Scopes>onvif://www.onvif.org/ty</d:Scopes>", 0),
        (f'<d:Scopes MatchBy="{discovery.NAMESPACES["d"]}/strcmp0">onvif://www.onvif.org/type</d:Scopes>', 0),
        (f'<d:Scopes MatchBy="{discovery.NAMESPACES["d"]}/strcmp0">onvif://www.onvif.org/type/ptz</d:Scopes>', 1),
        ('<d:Scopes MatchBy="urn:other">onvif://www.onvif.org/type/ptz</d:Scopes>', 0),
    ],
)
async def test_a_probe_is_answered_by_those_it_means(
    devices: list[SimulatedDevice], clock: ManualClock, port: int, inner: str, found: int
) -> None:
    """Types and scopes choose who answers; a second probe shows that nobody else did."""
    async with announcer(devices, clock, port=port), client() as (ears, transport):
        transport.sendto(question("Probe", inner), (LOOPBACK, port))
        resolve = f"<a:EndpointReference><a:Address>{devices[0].urn}</a:Address></a:EndpointReference>"
        transport.sendto(question("Resolve", resolve), (LOOPBACK, port))
        kinds = [(await ears.next())[0] for _ in range(found + 1)]
    assert kinds == ["ProbeMatches"] * found + ["ResolveMatches"]


async def test_a_repeated_probe_is_answered_once(devices: list[SimulatedDevice], clock: ManualClock, port: int) -> None:
    """SOAP over UDP repeats its datagrams; the same message gets one answer, garbage none."""
    async with announcer(devices[:1], clock, port=port), client() as (ears, transport):
        for datagram in (b"garbage", question("Probe", message="m1"), question("Probe", message="m1"), question("Bye")):
            transport.sendto(datagram, (LOOPBACK, port))
        transport.sendto(question("Resolve", "<a:EndpointReference/>"), (LOOPBACK, port))
        transport.sendto(question("Probe", message="m2"), (LOOPBACK, port))
        await answers(ears, 2)
        assert ears.heard.empty()


@pytest.mark.parametrize("knob", ["drop_link", "refuse_connections"])
async def test_a_camera_off_the_network_is_silent(
    devices: list[SimulatedDevice], clock: ManualClock, port: int, knob: str
) -> None:
    """drop_link, refuse_connections: it neither answers nor says Hello or Bye."""
    devices[0].faults.set(knob)
    async with announcer(devices, clock, port=port), client() as (ears, transport):
        transport.sendto(question("Probe"), (LOOPBACK, port))
        assert (await ears.next())[1] == devices[1].urn
        assert ears.heard.empty()


async def test_scopes_hold_the_name(devices: list[SimulatedDevice]) -> None:
    """A name with spaces and ampersands is percent-encoded."""
    assert "onvif://www.onvif.org/name/High%20Street%20%26%20Mill%20Lane" in happenings.scopes(devices[0])


async def test_each_speaks_from_its_own_address(devices: list[SimulatedDevice], clock: ManualClock, port: int) -> None:
    """A camera on another address of the loopback network says so from there, and its neighbour from its own."""
    devices[0].host = "127.64.0.5"
    async with client(joined=port) as (ears, _):
        async with announcer(devices, clock, port=port):
            told = {await ears.next() for _ in devices}
        senders = set(ears.senders)
    assert told == {("Hello", device.urn, device_url(device)) for device in devices}
    assert {sender[0] for sender in senders} == {device.host for device in devices}
