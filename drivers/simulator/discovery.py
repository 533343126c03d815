"""WS-Discovery of simulated cameras (WS-Discovery 2005/04 as ONVIF Core section 7 profiles it).

Hello when they appear, Bye when they leave, answers to Probe and Resolve, multicast and unicast. Only the given
interfaces are used: the demo stays on loopback.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from uuid import uuid4
from xml.etree import ElementTree as ET

import structlog

from drivers.simulator import happenings
from drivers.simulator.device import SimulatedDevice
from drivers.simulator.onvif.addresses import told_url
from drivers.simulator.onvif.markup import Element, UnreadableError, el, find, parse, text_at
from kernel.clock import NS_PER_S, Clock

log = structlog.get_logger()

GROUP = "239.255.255.250"
PORT = 3702
NAMESPACES = {
    "env": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "d": "http://schemas.xmlsoap.org/ws/2005/04/discovery",
    "dn": "http://www.onvif.org/ver10/network/wsdl",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
}
_TYPES = {"NetworkVideoTransmitter", "Device"}
_EVERYONE = "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
_ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
_STRCMP0 = "http://schemas.xmlsoap.org/ws/2005/04/discovery/strcmp0"
_RFC3986 = "http://schemas.xmlsoap.org/ws/2005/04/discovery/rfc3986"
_IP_MULTICAST_ALL = 49
"""Of linux/in.h: off, a socket hears only the groups it joined itself. The socket module has no name for it."""


class Announcer:
    """Tells of devices and answers for them."""

    def __init__(self, devices: Sequence[SimulatedDevice], clock: Clock, interfaces: Sequence[str], port: int) -> None:
        self._devices = devices
        self._group = (GROUP, port)
        self._interfaces = interfaces
        self._instance = clock.wall_ns() // NS_PER_S
        self._numbers = count(1)
        self._answered: deque[str] = deque(maxlen=64)
        self._senders: dict[str, asyncio.DatagramTransport] = {}

    def joined(self, interface: str, transport: asyncio.DatagramTransport) -> None:
        """Send from ``interface`` by ``transport``."""
        self._senders[interface] = transport

    def hello(self, device: SimulatedDevice) -> None:
        """Say that a device has appeared."""
        self._shout(device, "Hello", full=True)

    def bye(self, device: SimulatedDevice) -> None:
        """Say that a device is leaving."""
        self._shout(device, "Bye", full=False)

    def _shout(self, device: SimulatedDevice, kind: str, *, full: bool) -> None:
        for interface in self._senders if _reachable(device) else ():
            body = el(f"d:{kind}", _described(device, interface) if full else _reference(device))
            self._send(device, interface, self._message(kind, body, to=_EVERYONE), self._group)

    def _send(self, device: SimulatedDevice, interface: str, message: bytes, to: tuple[str, int]) -> None:
        """Send from where the device is: who hears it may believe the sender's address more than what is said."""
        if device.host in self._senders or not device.host.startswith("127."):
            self._senders[interface].sendto(message, to)
            return
        with _speaking(device.host, 0) as own:
            own.sendto(message, to)

    def heard(self, datagram: bytes, sender: tuple[str, int]) -> None:
        """Answer a Probe or a Resolve; anything else is not for us."""
        try:
            envelope = parse(datagram)
        except UnreadableError as error:
            log.debug("simulator.discovery_unreadable", sender=sender[0], error=str(error))
            return
        message = text_at(envelope, "Header/MessageID") or ""
        for kind, meant in (("Probe", _probed), ("Resolve", _resolved)):
            asked = find(envelope, f"Body/{kind}")
            # A sender repeats each datagram, as SOAP over UDP wants; one answer is enough.
            if asked is None or not message or message in self._answered:
                continue
            self._answered.append(message)
            for device in self._devices:
                if _reachable(device) and meant(asked, device):
                    interface = self._interface_to(sender[0])
                    match = el(f"d:{kind}Match", _described(device, interface))
                    body = el(f"d:{kind}Matches", match)
                    answer = self._message(f"{kind}Matches", body, to=_ANONYMOUS, relates_to=message)
                    # Never by the socket that heard it: one bound to the group has no address to send from.
                    self._send(device, interface, answer, sender)

    def _interface_to(self, address: str) -> str:
        """Return the interface by which ``address`` reaches us: the one that shares most of its leading bits."""
        there = struct.unpack("!I", socket.inet_aton(address))[0]
        return min(self._interfaces, key=lambda here: struct.unpack("!I", socket.inet_aton(here))[0] ^ there)

    def _message(self, kind: str, body: Element, *, to: str, relates_to: str | None = None) -> bytes:
        header = el(
            "env:Header",
            el("a:Action", f"{NAMESPACES['d']}/{kind}"),
            el("a:MessageID", f"urn:uuid:{uuid4()}"),
            el("a:RelatesTo", relates_to) if relates_to else None,
            el("a:To", to),
            el("d:AppSequence", InstanceId=self._instance, MessageNumber=next(self._numbers)),
        )
        whole = el("env:Envelope", header, el("env:Body", body)).render(NAMESPACES)
        return f'<?xml version="1.0" encoding="UTF-8"?>{whole}'.encode()


def _reachable(device: SimulatedDevice) -> bool:
    return not device.faults.drop_link and not device.faults.refuse_connections


def _reference(device: SimulatedDevice) -> Element:
    return el("a:EndpointReference", el("a:Address", device.urn))


def _described(device: SimulatedDevice, interface: str) -> list[Element]:
    return [
        _reference(device),
        el("d:Types", "dn:NetworkVideoTransmitter tds:Device"),
        el("d:Scopes", " ".join(happenings.scopes(device))),
        el("d:XAddrs", told_url(device, interface, "/onvif/device_service")),
        el("d:MetadataVersion", 1),
    ]


def _probed(probe: ET.Element, device: SimulatedDevice) -> bool:
    """Return whether a Probe's types and scopes, both optional, are those of ``device``."""
    types = {name.rpartition(":")[2] for name in (text_at(probe, "Types") or "").split()}
    scopes = find(probe, "Scopes")
    rule = _RFC3986 if scopes is None else scopes.get("MatchBy", _RFC3986)
    wanted = ("" if scopes is None else scopes.text or "").split()
    own = happenings.scopes(device)
    if rule == _STRCMP0:
        return types <= _TYPES and set(wanted) <= set(own)
    within = all(any(scope == want or scope.startswith(want.rstrip("/") + "/") for scope in own) for want in wanted)
    return types <= _TYPES and rule == _RFC3986 and within


def _resolved(resolve: ET.Element, device: SimulatedDevice) -> bool:
    return text_at(resolve, "EndpointReference/Address") == device.urn


class _Ear(asyncio.DatagramProtocol):
    """Hands datagrams to the announcer."""

    def __init__(self, announcer: Announcer) -> None:
        self._announcer = announcer

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._announcer.heard(data, addr)

    def error_received(self, exc: Exception) -> None:
        log.debug("simulator.discovery_error", error=str(exc))


def _socket(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(0)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    return made


def _listening(interfaces: Sequence[str], port: int) -> socket.socket:
    """Return a socket that hears the group on ``interfaces`` and nowhere else."""
    made = _socket(GROUP, port)
    made.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
    for interface in interfaces:
        both = socket.inet_aton(GROUP) + socket.inet_aton(interface)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, both)
    return made


def _speaking(interface: str, port: int) -> socket.socket:
    """Return a socket for unicast probes to ``interface``, which also speaks to the group from there."""
    made = _socket(interface, port)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
    return made


@asynccontextmanager
async def announcer(
    devices: Sequence[SimulatedDevice],
    clock: Clock,
    *,
    interfaces: Sequence[str] = ("127.0.0.1",),
    port: int = PORT,
) -> AsyncIterator[Announcer]:
    """Make ``devices`` discoverable on the interfaces with these IPv4 addresses.

    Says Hello for each on entry and Bye on leaving. Several announcers may share a machine; a unicast probe then
    reaches the latest of them only.

    Raises:
        OSError: an interface is not there, or the port belongs to somebody who does not share it.
    """
    loop = asyncio.get_running_loop()
    voice = Announcer(devices, clock, interfaces, port)
    async with AsyncExitStack() as stack:
        for made in (_listening(interfaces, port), *(_speaking(interface, port) for interface in interfaces)):
            transport, _ = await loop.create_datagram_endpoint(lambda: _Ear(voice), sock=made)
            stack.callback(transport.close)
            host = made.getsockname()[0]
            if host != GROUP:
                voice.joined(host, transport)
        for device in devices:
            voice.hello(device)
        try:
            yield voice
        finally:
            for device in devices:
                voice.bye(device)
