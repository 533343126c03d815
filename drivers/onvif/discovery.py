"""WS-Discovery (2005/04, as ONVIF Core section 7 profiles it): who is there, on every interface.

Several probes, since datagrams get lost, and several types, since some cameras answer only one of them. Hello and Bye
are listened to meanwhile. Across routed networks known addresses or ranges are probed one by one; never by default.
"""

import asyncio
import fcntl
import ipaddress
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit
from uuid import uuid4

import structlog

from drivers.errors import CameraAnswerError, CameraNotOnvifError
from drivers.model import DiscoveredDevice
from drivers.onvif.locations import DEVICE_PATH, without_credentials
from drivers.onvif.reading import Node, parse
from kernel.clock import Clock

log = structlog.get_logger()

GROUP, PORT = "239.255.255.250", 3702
PROBES = 3
BETWEEN_S = 0.25
MAX_UNICAST = 4096
"""Addresses in all that one call may probe one by one."""
MAX_DEVICES = 4096
_SLICE, _SLICE_S = 64, 0.01
"""Probes sent in one go, and the pause after: a burst of thousands would be dropped on the way out."""
_SIOCGIFADDR = 0x8915
_TYPES = ("dn:NetworkVideoTransmitter", "tds:Device", "")
_PROBE = """<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"
 xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"
 xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl">
<e:Header><w:MessageID>urn:uuid:{uuid}</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>
<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>
<e:Body><d:Probe>{types}</d:Probe></e:Body></e:Envelope>"""


@dataclass(slots=True)
class _Findings(asyncio.DatagramProtocol):
    """What the sockets of one call have heard."""

    devices: dict[str, DiscoveredDevice] = field(default_factory=dict)
    unreadable: int = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Need nothing of it."""

    def datagram_received(self, data: bytes, addr: tuple[str | Any, ...]) -> None:
        """Take a ProbeMatch, a Hello or a Bye; anything else is somebody else's."""
        try:
            root = parse(data, address=str(addr[0])).root
        except CameraAnswerError:
            self.unreadable += 1
            return
        for bye in root.descendants("Bye"):
            self.devices.pop(_urn(bye), None)
        for name in ("ProbeMatch", "Hello"):
            for match in root.descendants(name):
                device = read_match(match, str(addr[0]))
                if device is not None and (device.urn in self.devices or len(self.devices) < MAX_DEVICES):
                    self.devices[device.urn] = _merged(self.devices.get(device.urn), device)

    def error_received(self, exc: Exception) -> None:
        """Ignore an unreachable one: silence means the same."""


def read_match(match: Node, sender: str) -> DiscoveredDevice | None:
    """Return what a ProbeMatch or Hello tells, None for one that is no camera."""
    scopes = tuple(unquote(scope) for scope in match.text("Scopes").split())
    types = match.text("Types")
    onvif = any(scope.startswith("onvif://") for scope in scopes)
    if not onvif and "NetworkVideoTransmitter" not in types:
        return None
    addresses = [
        without_credentials(url) for url in match.text("XAddrs").split() if url.startswith(("http:", "https:"))
    ]
    urn = _urn(match) or (addresses[0] if addresses else "")
    if not urn:
        return None
    return DiscoveredDevice(
        urn=urn,
        addresses=_reachable(addresses, sender),
        scopes=scopes,
        name=_scope(scopes, "name"),
        hardware=_scope(scopes, "hardware"),
    )


def _urn(match: Node) -> str:
    return match.text("EndpointReference/Address")


def _scope(scopes: tuple[str, ...], kind: str) -> str:
    start = f"onvif://www.onvif.org/{kind}/"
    return next((scope.removeprefix(start).replace("_", " ") for scope in scopes if scope.startswith(start)), "")


def _reachable(addresses: list[str], sender: str) -> tuple[str, ...]:
    """Return the addresses, first of all one on the host that spoke: what a camera says of itself may not reach it."""
    host = sender.partition("%")[0]
    at = f"[{host}]" if ":" in host else host
    found = [url for url in addresses if _host(url) == host]
    if not found:
        parts = urlsplit(addresses[0]) if addresses else urlsplit(f"http://x{DEVICE_PATH}")
        try:
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            port = ""
        found = [urlunsplit((parts.scheme, at + port, parts.path, parts.query, ""))]
    return tuple(dict.fromkeys([*found, *addresses]))


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _merged(old: DiscoveredDevice | None, new: DiscoveredDevice) -> DiscoveredDevice:
    if old is None:
        return new
    return new.model_copy(
        update={
            "addresses": tuple(dict.fromkeys((*new.addresses, *old.addresses))),
            "scopes": new.scopes or old.scopes,
            "name": new.name or old.name,
            "hardware": new.hardware or old.hardware,
        }
    )


def expand(unicast: Sequence[str]) -> list[str]:
    """Return the addresses in hosts and CIDR ranges.

    Raises:
        CameraNotOnvifError: an entry is neither, or they are too many.
    """
    found: list[str] = []
    for entry in unicast:
        try:
            network = ipaddress.ip_network(entry.strip(), strict=False)
        except ValueError:
            raise CameraNotOnvifError(
                f"{entry!r} is neither an IP address nor a range of them.",
                cure="Write 192.0.2.7 or 192.0.2.0/24.",
                address=entry,
            ) from None
        if network.num_addresses + len(found) > MAX_UNICAST:
            raise CameraNotOnvifError(
                f"These are more than {MAX_UNICAST} addresses.", cure="Name smaller ranges.", address=entry
            )
        found += [str(host) for host in network.hosts()] or [str(network.network_address)]
    return found


def local_addresses() -> list[str]:
    """Return the IPv4 address of every interface that is up, loopback included."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue
            found.append(socket.inet_ntoa(answer[20:24]))
    return list(dict.fromkeys(found))


def _prober(interface: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)  # noqa: FBT003 - the name says it
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
        made.bind((interface, 0))
    except OSError:
        made.close()
        raise
    return made


def _unbound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)  # noqa: FBT003 - the name says it
    made.bind(("", 0))
    return made


def listener(interfaces: Sequence[str], port: int) -> socket.socket:
    """Return a socket that hears what is said to everybody; others on this machine hear it as well."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)  # noqa: FBT003 - the name says it
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((GROUP, port))
        for interface in interfaces:
            request = socket.inet_aton(GROUP) + socket.inet_aton(interface)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    except OSError:
        made.close()
        raise
    return made


@asynccontextmanager
async def _open(made: socket.socket, findings: _Findings) -> AsyncIterator[asyncio.DatagramTransport]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: findings, sock=made)
    try:
        yield transport
    finally:
        transport.close()


async def discover(
    *,
    clock: Clock,
    timeout_s: float = 4.0,
    interfaces: Sequence[str] | None = None,
    unicast: Sequence[str] = (),
    port: int = PORT,
) -> list[DiscoveredDevice]:
    """Return the cameras heard within ``timeout_s``.

    Args:
        clock: waits for the answers.
        timeout_s: how long to listen.
        interfaces: IPv4 addresses of the interfaces to ask on; all, where None; none, where empty.
        unicast: addresses or ranges (``192.0.2.0/24``) to probe one by one besides.
        port: WS-Discovery's, but in tests.

    Raises:
        CameraNotOnvifError: ``unicast`` holds something that is no address or range, or too many.
    """
    single = expand(unicast)
    chosen = local_addresses() if interfaces is None else list(interfaces)
    findings = _Findings()
    async with AsyncExitStack() as stack:
        probers = await _probers(chosen, findings, stack)
        anywhere = await stack.enter_async_context(_open(_unbound(), findings)) if single else None
        await _listen(chosen, findings, stack, port)
        async with asyncio.TaskGroup() as tasks:
            asking = [tasks.create_task(_ask_all(probers, clock, port))]
            if anywhere is not None:
                asking.append(tasks.create_task(_ask_each(anywhere, single, clock, port)))
            await clock.sleep(timeout_s)
            for task in asking:
                task.cancel()
    log.info("discovery.done", found=len(findings.devices), interfaces=len(probers), unreadable=findings.unreadable)
    return sorted(findings.devices.values(), key=lambda device: (device.addresses, device.urn))


async def _probers(
    interfaces: list[str], findings: _Findings, stack: AsyncExitStack
) -> list[asyncio.DatagramTransport]:
    """Open a socket to ask by on each interface; one that refuses is passed over."""
    opened = []
    for interface in interfaces:
        try:
            opened.append(await stack.enter_async_context(_open(_prober(interface), findings)))
        except OSError as error:
            log.info("discovery.interface_refused", interface=interface, error=str(error))
    return opened


async def _listen(interfaces: list[str], findings: _Findings, stack: AsyncExitStack, port: int) -> None:
    """Open the socket that hears Hello and Bye; without it the probes' answers must do."""
    try:
        await stack.enter_async_context(_open(listener(interfaces, port), findings))
    except OSError as error:
        log.info("discovery.not_listening", error=str(error))


def _probe(types: str) -> bytes:
    asked = f"<d:Types>{types}</d:Types>" if types else ""
    return _PROBE.format(uuid=uuid4(), types=asked).encode()


async def _ask_all(probers: list[asyncio.DatagramTransport], clock: Clock, port: int) -> None:
    for number in range(PROBES):
        if number:
            await clock.sleep(BETWEEN_S)
        for types in _TYPES:
            probe = _probe(types)
            for prober in probers:
                prober.sendto(probe, (GROUP, port))


async def _ask_each(prober: asyncio.DatagramTransport, hosts: list[str], clock: Clock, port: int) -> None:
    for _ in range(PROBES):
        for start in range(0, len(hosts), _SLICE):
            probe = _probe(_TYPES[0])
            for host in hosts[start : start + _SLICE]:
                prober.sendto(probe, (host, port))
            await clock.sleep(_SLICE_S)
        await clock.sleep(BETWEEN_S)
