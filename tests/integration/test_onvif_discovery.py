"""Finding cameras on the network."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from drivers.errors import CameraNotOnvifError
from drivers.model import DiscoveredDevice
from drivers.onvif import discover
from drivers.onvif.discovery import MAX_UNICAST, expand, local_addresses, read_match
from drivers.onvif.reading import parse
from drivers.simulator.device import SimulatedDevice
from drivers.simulator.discovery import announcer
from drivers.simulator.onvif import onvif_server
from kernel.clock import SystemClock
from tests.fakes.clock import ManualClock, passing, settle
from tests.fakes.ports import free_port
from tests.fakes.waiting import until
from tests.unit.simulator_onvif.stand import a_device

CLOCK = SystemClock()


@pytest.fixture
def port() -> int:
    """Return a port for WS-Discovery: other tests may announce cameras of theirs on the usual one."""
    return free_port(socket.SOCK_DGRAM)


@pytest_asyncio.fixture
async def device(port: int) -> AsyncIterator[SimulatedDevice]:
    """Return a camera that announces itself on loopback."""
    made = a_device(CLOCK)
    async with onvif_server(made), announcer([made], CLOCK, port=port):
        yield made


async def search(**where: Any) -> list[DiscoveredDevice]:
    """Return what is found in so many turns of the event loop, however long the machine takes for them."""
    clock = ManualClock()
    async with passing(clock, 0.1):
        return await discover(clock=clock, timeout_s=5.0, **where)


async def test_a_camera_is_found_by_multicast(device: SimulatedDevice, port: int) -> None:
    """A probe on loopback finds it once, with name, hardware and an address that reaches it."""
    (found,) = await search(interfaces=["127.0.0.1"], port=port)
    assert found.urn == device.urn
    assert found.addresses == (f"http://127.0.0.1:{device.http_port}/onvif/device_service",)
    assert (found.name, found.hardware) == (device.name, "Simulated Dome")
    assert "onvif://www.onvif.org/type/ptz" in found.scopes


async def test_a_camera_is_found_by_a_probe_of_its_own(device: SimulatedDevice, port: int) -> None:
    """A unicast probe finds it without any multicast."""
    (found,) = await search(interfaces=[], unicast=["127.0.0.1/32"], port=port)
    assert found.urn == device.urn


async def test_every_interface_is_asked(device: SimulatedDevice, port: int) -> None:
    """Without a choice every interface is asked, loopback among them; one that does not exist is passed over."""
    assert "127.0.0.1" in local_addresses()
    (found,) = await search(port=port)
    assert found.urn == device.urn
    (again,) = await search(interfaces=["203.0.113.1", "127.0.0.1"], port=port)
    assert again.urn == device.urn


async def test_hello_is_heard_and_bye_takes_back(port: int, clock: ManualClock) -> None:
    """A camera that comes while we listen is found, one that leaves is forgotten."""
    staying, leaving = a_device(CLOCK), a_device(CLOCK)
    leaving.urn = "urn:uuid:00000000-0000-4000-8000-0000000000ff"
    async with onvif_server(staying), onvif_server(leaving):
        listening = asyncio.create_task(discover(clock=clock, timeout_s=5.0, interfaces=["127.0.0.1"], port=port))
        await until(lambda: clock.sleepers == 2, what="ears, and the first probes gone unanswered")
        async with announcer([staying], CLOCK, port=port):
            async with announcer([leaving], CLOCK, port=port):
                await settle()
            # On loopback a datagram lies in our socket when sending it returns; turning the clock lets it be read.
            await clock.turn(5.0)
            found = await listening
    assert [one.urn for one in found] == [staying.urn]


async def test_nonsense_on_the_port_is_ignored(device: SimulatedDevice, port: int, clock: ManualClock) -> None:
    """Datagrams that are no XML, or no camera's, harm nobody."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as loud:
        loud.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        loud.setblocking(False)  # noqa: FBT003

        listening = asyncio.create_task(discover(clock=clock, timeout_s=5.0, interfaces=["127.0.0.1"], port=port))
        await until(lambda: clock.sleepers == 2, what="ears")
        for text in (b"\x00\xff", b"<a>", b"<!DOCTYPE x><x/>", b"<e><Hello><Types>Printer</Types></Hello></e>"):
            loud.sendto(text, ("239.255.255.250", port))
        async with announcer([device], CLOCK, port=port):
            await settle()
            await clock.turn(5.0)
            found = await listening
    assert [one.urn for one in found] == [device.urn]


def match(text: str, sender: str = "192.0.2.5") -> DiscoveredDevice | None:
    """Read a ProbeMatch."""
    return read_match(parse(f"<m>{text}</m>".encode(), address="test").root, sender)


ADDRESS = "<EndpointReference><Address>urn:uuid:1</Address></EndpointReference>"
TYPES = "<Types>dn:NetworkVideoTransmitter</Types>"


def test_the_address_that_spoke_comes_first() -> None:
    """A camera that names another address is listed by the one it spoke from too, and credentials are cut out."""
    found = match(f"{ADDRESS}{TYPES}<XAddrs>http://u:p@192.168.1.64:81/onvif/x http://192.168.1.64/y</XAddrs>")
    assert found is not None
    assert found.addresses[0] == "http://192.0.2.5:81/onvif/x"
    assert found.addresses[1] == "http://192.168.1.64:81/onvif/x"
    both = match(f"{ADDRESS}{TYPES}<XAddrs>http://10.0.0.1/x http://192.0.2.5/x</XAddrs>")
    assert both is not None
    assert both.addresses == ("http://192.0.2.5/x", "http://10.0.0.1/x")


def test_matches_without_addresses_or_names() -> None:
    """A camera that gives no address is tried where it spoke from; one without a URN is known by its address."""
    bare = match(f"{ADDRESS}{TYPES}", "2001:db8::5")
    assert bare is not None
    assert bare.addresses == ("http://[2001:db8::5]/onvif/device_service",)
    nameless = match(f"{TYPES}<XAddrs>http://192.0.2.5/x</XAddrs>")
    assert nameless is not None
    assert nameless.urn == "http://192.0.2.5/x"
    assert match(f"{ADDRESS}<Types>wsdp:Device</Types>") is None
    assert match(TYPES) is None
    odd = match(f"{ADDRESS}{TYPES}<XAddrs>http://192.0.2.5:80:80/x http://[bad/</XAddrs>")
    assert odd is not None


def test_ranges_are_expanded_and_bounded() -> None:
    """Hosts and ranges are written out; anything else, or too many, is told."""
    assert expand(["192.0.2.7", "192.0.2.0/30"]) == ["192.0.2.7", "192.0.2.1", "192.0.2.2"]
    with pytest.raises(CameraNotOnvifError, match="neither"):
        expand(["camera.example"])
    with pytest.raises(CameraNotOnvifError, match=f"more than {MAX_UNICAST}"):
        expand(["10.0.0.0/8"])
