"""Knobs that bend what a camera says of itself, and the XML it says it in."""

from collections.abc import AsyncIterator
from datetime import datetime
from xml.etree import ElementTree as ET

import pytest
import pytest_asyncio

from drivers.simulator.device import SimulatedDevice
from kernel.clock import utc
from tests.fakes.clock import ManualClock
from tests.unit.simulator_onvif.stand import PROFILE, Wire, a_device, on_the_wire

CREATE = "CreatePullPointSubscription"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"


@pytest.fixture
def device(clock: ManualClock) -> SimulatedDevice:
    """Return a camera."""
    return a_device(clock)


@pytest_asyncio.fixture
async def wire(device: SimulatedDevice) -> AsyncIterator[Wire]:
    """Return a connection to it."""
    async with on_the_wire(device) as wire:
        yield wire


async def test_hides_pullpoint(wire: Wire, device: SimulatedDevice) -> None:
    """hides_pullpoint: every flag denies it, and it works."""
    device.faults.hides_pullpoint = True
    flags = (await wire.call("tev", "GetServiceCapabilities")).told
    assert (flags["Capabilities@WSPullPointSupport"], flags["Capabilities@MaxPullPoints"]) == ("false", "0")
    older = (await wire.call("tds", "GetCapabilities")).told
    assert older["Capabilities/Events/WSPullPointSupport"] == "false"
    assert (await wire.call("tev", CREATE)).status == 200


async def test_claims_pullpoint(wire: Wire, device: SimulatedDevice) -> None:
    """claims_pullpoint: the flags promise it, and it faults."""
    device.faults.claims_pullpoint = True
    assert (await wire.call("tev", "GetServiceCapabilities")).told["Capabilities@WSPullPointSupport"] == "true"
    assert (await wire.call("tev", CREATE)).fault == ["ActionNotSupported"]


async def test_no_get_services(wire: Wire, device: SimulatedDevice) -> None:
    """no_get_services: GetServices faults, GetCapabilities answers."""
    device.faults.no_get_services = True
    assert (await wire.call("tds", "GetServices")).fault == ["ActionNotSupported"]
    assert (await wire.call("tds", "GetCapabilities")).told["Capabilities/Media/XAddr"].endswith("/onvif/media_service")


async def test_no_media2(wire: Wire, device: SimulatedDevice) -> None:
    """no_media2: it is neither listed nor answered; Media 1 is."""
    device.faults.no_media2 = True
    assert MEDIA2 not in (await wire.call("tds", "GetServices")).body.decode().split("<env:Body>")[1]
    assert (await wire.call("tr2", "GetProfiles")).fault == ["ActionNotSupported"]
    assert (await wire.call("trt", "GetProfiles")).status == 200


async def test_private_addresses(wire: Wire, device: SimulatedDevice) -> None:
    """private_addresses: services, stream, snapshot and subscription name an address of another network."""
    device.faults.private_addresses = True
    setup = "<p:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream></p:StreamSetup>"
    told = [
        (await wire.call("tds", "GetCapabilities")).told["Capabilities/Device/XAddr"],
        (await wire.call("trt", "GetStreamUri", setup + PROFILE)).told["MediaUri/Uri"],
        (await wire.call("tr2", "GetSnapshotUri", PROFILE)).told["Uri"],
        (await wire.call("tev", CREATE)).told["SubscriptionReference/Address"],
    ]
    assert [address.split("://")[1].split(":")[0] for address in told] == ["192.168.1.64"] * 4


async def test_double_port(wire: Wire, device: SimulatedDevice) -> None:
    """double_port: XAddrs read host:port:port."""
    device.faults.double_port = True
    told = (await wire.call("tds", "GetServices")).told["Service/XAddr"]
    assert f"127.0.0.1:{device.http_port}:{device.http_port}/onvif/" in told


async def test_unquoted_attributes(wire: Wire, device: SimulatedDevice) -> None:
    """unquoted_attributes: attributes come without quotes, and XML parsers refuse them."""
    device.faults.unquoted_attributes = True
    body = (await wire.call("trt", "GetProfiles")).body
    assert b"token=profile-main" in body
    with pytest.raises(ET.ParseError):
        ET.fromstring(body)  # noqa: S314 - our own camera's


async def test_undeclared_prefixes(wire: Wire, device: SimulatedDevice) -> None:
    """undeclared_prefixes: tt is used and never declared."""
    device.faults.undeclared_prefixes = True
    body = (await wire.call("trt", "GetProfiles")).body
    assert b"<tt:Name>" in body
    assert b"xmlns:tt=" not in body


async def test_bad_utf8(wire: Wire, device: SimulatedDevice) -> None:
    """bad_utf8: documents that declare UTF-8 hold Latin-1 bytes, also in what is read out of them."""
    device.faults.bad_utf8 = True
    body = (await wire.call("tds", "GetDeviceInformation")).body
    assert b'encoding="UTF-8"' in body
    assert "Simulated Dome Caméra".encode("latin-1") in body
    with pytest.raises(UnicodeDecodeError):
        body.decode()


async def test_odd_times(wire: Wire, device: SimulatedDevice) -> None:
    """odd_times: minutes run past 59, and add up to the right time."""
    device.faults.odd_times = True
    now = utc(device.wall_ns())
    told = (await wire.call("tds", "GetSystemDateAndTime")).told
    prefix = "SystemDateAndTime/UTCDateTime/Time"
    hour, minute = int(told[f"{prefix}/Hour"]), int(told[f"{prefix}/Minute"])
    assert minute >= 60
    assert hour * 60 + minute == now.hour * 60 + now.minute
    stamp = (await wire.call("tptz", "GetStatus", PROFILE)).told["PTZStatus/UtcTime"]
    with pytest.raises(ValueError, match="minute"):
        datetime.fromisoformat(stamp)


async def test_minutes_as_seconds(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """minutes_as_seconds: a subscription of PT1M is over after a second."""
    device.faults.minutes_as_seconds = True
    created = await wire.call("tev", CREATE, "<p:InitialTerminationTime>PT1M</p:InitialTerminationTime>")
    path = "/onvif/" + created.told["SubscriptionReference/Address"].split("/onvif/")[1]
    await clock.turn(1.1)
    pulled = await wire.call("tev", "PullMessages", "<p:Timeout>PT0S</p:Timeout>", path=path)
    assert pulled.fault == ["InvalidArgVal", "ResourceUnknown"]


async def test_fault_with_200(wire: Wire, device: SimulatedDevice) -> None:
    """fault_with_200: a fault looks like success to HTTP."""
    device.faults.fault_with_200 = True
    answer = await wire.call("tptz", "GetNode", "<p:NodeToken>other</p:NodeToken>")
    assert (answer.status, answer.fault) == (200, ["InvalidArgVal", "NoEntity"])
