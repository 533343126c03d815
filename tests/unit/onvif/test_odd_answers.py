"""Devices whose answers are odd: written out by hand, as no simulator would."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from drivers.errors import CameraAnswerError, CameraNoMediaError
from drivers.onvif.bootstrap import find_services, identify, measure_clock
from drivers.onvif.catalogue import Service
from drivers.onvif.device import Device
from drivers.onvif.events import CameraEvent, interpret
from drivers.onvif.locations import Locations
from drivers.onvif.media import Media, find_views
from drivers.onvif.nodes import read_node
from drivers.onvif.soap import Caller
from kernel.clock import SystemClock
from kernel.head import Axis, HeadAbilities
from tests.unit.onvif.test_proof import caller, envelope

CLOCK = SystemClock()
FAULT = "<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code></s:Fault>"


@asynccontextmanager
async def answering(**answers: str) -> AsyncIterator[tuple[Caller, Locations]]:
    """Serve these contents by operation; anything else is a fault."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        body = (await request.read()).decode()
        found = re.search(r"Body><\w+:(\w+)", body)
        name = found.group(1) if found else ""
        content = f"<{name}Response>{answers[name]}</{name}Response>" if name in answers else FAULT
        return web.Response(text=envelope(content), status=200 if name in answers else 500)

    async with caller(handler) as (made, url):
        yield made, Locations(device_url=url, quirks=made.quirks)


@pytest.mark.parametrize("told", ["", "<SystemDateAndTime><UTCDateTime><Time/></UTCDateTime></SystemDateAndTime>"])
async def test_a_camera_that_tells_no_time(told: str) -> None:
    """A missing or empty time is an error with its cure, never a wrong offset."""
    async with answering(GetSystemDateAndTime=told) as (made, at):
        with pytest.raises(CameraAnswerError, match="does not tell its time"):
            await measure_clock(made, at.device_url, clock=CLOCK)


async def test_a_clock_that_jumps_between_answers() -> None:
    """When two answers cannot both be true, the later one counts."""
    times = iter([2000, 2030, 2030, 2030])

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        date = f"<Date><Year>{next(times)}</Year><Month>1</Month><Day>1</Day></Date>"
        time = "<Time><Hour>0</Hour><Minute>0</Minute><Second>0</Second></Time>"
        told = f"<SystemDateAndTime><UTCDateTime>{date}{time}</UTCDateTime></SystemDateAndTime>"
        return web.Response(text=envelope(f"<GetSystemDateAndTimeResponse>{told}</GetSystemDateAndTimeResponse>"))

    async with caller(handler) as (made, url):
        reading = await measure_clock(made, url, clock=CLOCK, samples=2)
    assert reading.offset_s > 365 * 86400
    assert reading.uncertainty_s <= 0.6


async def test_services_with_odd_names_and_addresses() -> None:
    """Namespaces match in any case and with a slash; an unknown service is passed over, a bad address is remarked."""
    listed = "".join(
        f"<Service><Namespace>{namespace}</Namespace><XAddr>{address}</XAddr></Service>"
        for namespace, address in (
            ("http://www.onvif.org/ver10/media/wsdl/", "/onvif/m"),
            ("HTTP://www.onvif.org/ver10/deviceio/wsdl", "http://x/io"),
            ("http://www.onvif.org/ver20/ptz/wsdl", "gopher://x/"),
            ("http://vendor.example/own", "http://x/own"),
            ("http://www.onvif.org/ver10/events/wsdl", ""),
        )
    )
    async with answering(GetServices=listed) as (made, at):
        services, _ = await find_services(made, at)
        assert set(services) == {Service.DEVICE, Service.MEDIA, Service.DEVICE_IO}
        assert any("ptz service cannot be used" in remark.text for remark in made.quirks.remarks)


async def test_a_camera_without_endpoint_reference() -> None:
    """Serial number, or failing that the address, stands in for the URN."""
    told = "<Manufacturer>Big Co</Manufacturer><Model>M</Model><SerialNumber>S1</SerialNumber>"
    async with answering(GetDeviceInformation=told) as (made, at):
        assert (await identify(made, at.device_url)).urn == "urn:sightline:big-co:m:s1"
    async with answering(GetDeviceInformation="") as (made, at):
        found = await identify(made, at.device_url)
        assert found.manufacturer == "unknown"
        assert at.device_url in found.urn
        assert "known by address only" in made.quirks.remarks[0].text
    async with answering(GetDeviceInformation=told, GetEndpointReference="<GUID>abc</GUID>") as (made, at):
        assert (await identify(made, at.device_url)).urn == "urn:uuid:abc"


def profile(encoding: str, size: str = "<Resolution><Width>640</Width><Height>360</Height></Resolution>") -> str:
    """Return a Media 1 profile."""
    source = "<VideoSourceConfiguration token='c'><SourceToken>s</SourceToken></VideoSourceConfiguration>"
    coding = f"<VideoEncoderConfiguration><Encoding>{encoding}</Encoding>{size}</VideoEncoderConfiguration>"
    return f"<Profiles token='{encoding}'><Name>{encoding}</Name>{source}{coding}</Profiles>"


async def test_profiles_that_cannot_be_used_are_named() -> None:
    """JPEG, missing sizes and profiles without coding are left out with a reason; none left is its own error."""
    bad = profile("JPEG") + profile("H264", "") + "<Profiles token='audio'><Name>audio</Name></Profiles>"
    async with answering(GetProfiles=bad) as (made, at):
        with pytest.raises(CameraNoMediaError, match=r"JPEG coding cannot be recorded.*tells no resolution"):
            await find_views(made, {Service.MEDIA: at.device_url}, at)


async def test_media_2_that_fails_falls_back() -> None:
    """A Media 2 that faults is passed over for Media 1."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        body = (await request.read()).decode()
        if "ver20/media" in body:
            return web.Response(text=envelope(FAULT), status=500)
        return web.Response(text=envelope(f"<GetProfilesResponse>{profile('H264')}</GetProfilesResponse>"))

    async with caller(handler) as (made, url):
        at = Locations(device_url=url, quirks=made.quirks)
        media, offers = await find_views(made, {Service.MEDIA2: url, Service.MEDIA: url}, at)
        assert media.service is Service.MEDIA
        assert offers[0].main.token == "H264"
        device = Device(made, at, {Service.MEDIA2: url, Service.MEDIA: url}, clock=CLOCK)
        assert device.media.service is Service.MEDIA
    async with caller(_nonsense) as (made, url):
        with pytest.raises(CameraAnswerError):
            await find_views(made, {Service.MEDIA2: url}, Locations(device_url=url, quirks=made.quirks))


async def _nonsense(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text="nonsense")


async def test_streams_and_snapshots_that_are_not_there() -> None:
    """A stream without address is an error, a snapshot without one is none; keyframes fall back to Media 1."""
    async with answering(GetProfiles=profile("H264"), GetStreamUri="", GetSnapshotUri="") as (made, at):
        services = {Service.MEDIA: at.device_url, Service.MEDIA2: at.device_url}
        _, offers = await find_views(made, {Service.MEDIA: at.device_url}, at)
        for service in services:
            media = Media(made, services, at, service)
            with pytest.raises(CameraAnswerError, match="address that is none"):
                await media.stream(offers[0].main)
            assert await media.snapshot_url("H264") is None
        made.quirks.forget("no-media2")
    async with answering(GetStreamUri="<MediaUri><Uri>http://x/film.m3u8</Uri></MediaUri>") as (made, at):
        media = Media(made, {Service.MEDIA: at.device_url}, at, Service.MEDIA)
        with pytest.raises(CameraAnswerError, match="not RTSP"):
            await media.stream(offers[0].main)
    async with answering() as (made, at):
        media = Media(made, {Service.MEDIA2: at.device_url}, at, Service.MEDIA2)
        assert await media.snapshot_url("x") is None


async def test_a_node_is_found_by_any_way() -> None:
    """Where GetNode faults, GetNodes is asked and the named node picked; without nodes there is no head."""
    node = (
        "<PTZNode token='a'/><PTZNode token='b'><SupportedPTZSpaces><ContinuousZoomVelocitySpace/>"
        "</SupportedPTZSpaces><HomeSupported>yes</HomeSupported></PTZNode>"
    )
    async with answering(GetNodes=node) as (made, at):
        found = await read_node(made, at.device_url, "b")
        assert found is not None
        assert found.abilities.axes == {Axis.ZOOM}
        assert found.abilities.home
        other = await read_node(made, at.device_url, None)
        assert other is not None
        assert other.token == "a"
    async with answering() as (made, at):
        assert await read_node(made, at.device_url, "b") is None


async def test_a_status_in_degrees_or_without_position() -> None:
    """Degrees are turned into generic units; empty and unfilled values are unknown, not zero."""
    degrees = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SphericalPositionSpaceDegrees"
    abilities = HeadAbilities(axes=frozenset(Axis), pan_deg=(-180.0, 180.0), tilt_deg=(-90.0, 0.0))
    status = f"<PTZStatus><Position><PanTilt x='90' y='-45' space='{degrees}'/></Position></PTZStatus>"
    for told, expected in ((status, (0.5, 0.0)), ("", None), ("<PTZStatus><Position/></PTZStatus>", None)):
        async with answering(GetStatus=told) as (made, at):
            device = Device(made, at, {Service.PTZ: at.device_url}, clock=CLOCK)
            position = (await device.head_of("p", abilities).status()).position
            assert (position and (position.pan, position.tilt)) == expected
    async with answering(SetPreset="") as (made, at):
        device = Device(made, at, {Service.PTZ: at.device_url}, clock=CLOCK)
        with pytest.raises(CameraAnswerError, match="where it stored"):
            await device.head_of("p", abilities).store("x")


async def test_events_with_odd_contents() -> None:
    """Messages without topic or content are dropped, times that are none are ours, foreign prefixes are ours too."""
    topics = "xmlns:q='http://www.onvif.org/ver10/topics'"
    message = "<Message UtcTime='never'><Source/><Data><SimpleItem Name='State' Value='1'/></Data></Message>"
    content = (
        f"<NotificationMessage><Topic {topics}>q:Device/q:Trigger/v:Own</Topic><Message>{message}</Message>"
        "</NotificationMessage><NotificationMessage><Topic>x</Topic></NotificationMessage>"
        "<NotificationMessage><Message UtcTime='2026-01-01T00:00:00Z'/></NotificationMessage>"
    )
    async with answering(CreatePullPointSubscription="", PullMessages=content) as (made, at):
        device = Device(made, at, {Service.EVENTS: at.device_url}, clock=CLOCK)
        events = device.event_service
        subscription = await events.subscribe()
        assert subscription.url == at.device_url
        (heard,) = await events.pull(subscription)
        assert heard.topic == "tns1:Device/tns1:Trigger/v:Own"
        assert heard.active is True
        assert abs(heard.wall_ns - CLOCK.wall_ns()) < 10**10
        assert "unusable-values" in made.quirks


async def test_unknown_topics_keep_their_face() -> None:
    """A topic that nobody knows passes as it is, and so does a known one with contents that do not fit."""
    odd = CameraEvent(topic="v:Own", source={}, data={"a": "b"}, wall_ns=0)
    assert await interpret(odd) is odd
    empty = CameraEvent(topic="tns1:VideoSource/MotionAlarm", source={}, data={}, wall_ns=0)
    assert await interpret(empty) is empty
