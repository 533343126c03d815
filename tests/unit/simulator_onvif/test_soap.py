"""What a camera makes of requests, good and bad."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.faults import Faults
from drivers.simulator.onvif import device_url, markup, onvif_server, values
from drivers.simulator.onvif.markup import UnreadableError, el, parse
from drivers.simulator.tours import Tour
from kernel.clock import NS_PER_S, to_ns, utc
from kernel.head import Position, Preset
from tests.fakes.clock import ManualClock
from tests.unit.simulator_onvif.stand import PROFILE, Wire, a_device, on_the_wire

ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"


@pytest.fixture
def device(clock: ManualClock) -> SimulatedDevice:
    """Return a camera."""
    return a_device(clock)


@pytest_asyncio.fixture
async def wire(device: SimulatedDevice) -> AsyncIterator[Wire]:
    """Return a connection to it."""
    async with on_the_wire(device) as wire:
        yield wire


def nested(depth: int) -> str:
    """Return an envelope whose body is that deep."""
    return f'<e:Envelope xmlns:e="{ENVELOPE}"><e:Body>{"<a>" * depth}{"</a>" * depth}</e:Body></e:Envelope>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not XML",
        b"\xff\xfe\x00",
        b"<a/>",
        f'<e:Envelope xmlns:e="{ENVELOPE}"/>'.encode(),
        f'<e:Envelope xmlns:e="{ENVELOPE}"><e:Body/></e:Envelope>'.encode(),
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><a/></e:Body></e:Envelope>',
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        nested(200).encode(),
        b"<a>" + b" " * (markup.LARGEST_REQUEST_BYTES + 1) + b"</a>",
        '<?xml version="1.0" encoding="utf-16"?><a/>'.encode("utf-16"),
    ],
)
async def test_a_request_that_cannot_be_read_is_a_fault(wire: Wire, body: bytes) -> None:
    """Garbage, bombs and other protocols are answered with ter:WellFormed, and the camera goes on."""
    answer = await wire.post(body)
    assert (answer.status, answer.fault) == (400, ["WellFormed"])
    assert (await wire.call("tds", "GetHostname")).status == 200


@pytest.mark.parametrize("prefix", ["tds", "wsnt", "tt"])
async def test_an_unknown_operation_is_a_fault(wire: Wire, prefix: str) -> None:
    """ter:ActionNotSupported, whatever the service."""
    answer = await wire.call(prefix, "MakeTea")
    assert (answer.status, answer.fault) == (500, ["ActionNotSupported"])


@pytest.mark.parametrize(
    ("prefix", "name", "arguments"),
    [
        ("tptz", "ContinuousMove", '<p:Velocity><tt:PanTilt x="{0}" y="0"/><tt:Zoom x="{0}"/></p:Velocity>'),
        ("tptz", "ContinuousMove", '<p:Velocity><tt:Zoom x="1"/></p:Velocity><p:Timeout>PT{0}S</p:Timeout>'),
        ("tptz", "AbsoluteMove", '<p:Position><tt:Zoom x="{0}"/></p:Position>'),
        ("tptz", "RelativeMove", '<p:Translation><tt:PanTilt x="0" y="{0}"/></p:Translation>'),
        ("tptz", "GotoHomePosition", '<p:Speed><tt:PanTilt x="{0}" y="0"/></p:Speed>'),
        ("tptz", "GotoPreset", '<p:PresetToken>1</p:PresetToken><p:Speed><tt:Zoom x="{0}"/></p:Speed>'),
        (
            "tptz",
            "ModifyPresetTour",
            (
                '<p:PresetTour token="t"><tt:StartingCondition><tt:RecurringTime>{0}</tt:RecurringTime>'
                "</tt:StartingCondition></p:PresetTour>"
            ),
        ),
        ("trt", "SetVideoEncoderConfiguration", '<p:Configuration token="encoder-main" GovLength="{0}"/>'),
        (
            "trt",
            "SetVideoEncoderConfiguration",
            (
                '<p:Configuration token="encoder-main"><tt:Resolution><tt:Width>{0}</tt:Width></tt:Resolution>'
                "</p:Configuration>"
            ),
        ),
        (
            "timg",
            "Move",
            (
                "<p:VideoSourceToken>video-source-1</p:VideoSourceToken><p:Focus><tt:Relative><tt:Distance>{0}</tt:Distance>"
                "</tt:Relative></p:Focus>"
            ),
        ),
        ("tev", "CreatePullPointSubscription", "<p:InitialTerminationTime>PT{0}S</p:InitialTerminationTime>"),
        (
            "tds",
            "SetSystemDateAndTime",
            (
                "<p:DateTimeType>Manual</p:DateTimeType><p:UTCDateTime><tt:Time><tt:Hour>1</tt:Hour><tt:Minute>1</tt:Minute>"
                "<tt:Second>1</tt:Second></tt:Time><tt:Date><tt:Year>{0}</tt:Year><tt:Month>1</tt:Month><tt:Day>1</tt:Day>"
                "</tt:Date></p:UTCDateTime>"
            ),
        ),
    ],
)
async def test_no_number_breaks_it(wire: Wire, device: SimulatedDevice, prefix: str, name: str, arguments: str) -> None:
    """Infinite, endless and unreadable numbers end in an answer or a fault, never in a broken camera."""
    device.presets["1"] = Preset("1", "Gate", Position())
    device.tours["t"] = Tour("t")
    for value in ("nan", "inf", "-1e400", "1" * 400, "x", "\N{SUPERSCRIPT TWO}", "", "-0"):
        answer = await wire.call(prefix, name, PROFILE + arguments.format(value))
        assert answer.status == 200 or answer.fault[0] == "InvalidArgVal"


async def test_other_paths_and_methods_are_not_found(wire: Wire) -> None:
    """Only POST to services and GET of snapshots are there."""
    assert (await wire.post(b"", path="/index.html")).status == 404
    async with wire.session.get(device_url(wire.device)) as response:
        assert response.status == 404


async def test_a_port_that_is_taken_is_told(device: SimulatedDevice) -> None:
    """A second camera on the same port does not start."""
    async with onvif_server(device):
        other = a_device(device.clock)
        other.http_port = device.http_port
        with pytest.raises(OSError, match="address already in use"):
            async with onvif_server(other):
                pytest.fail("it started")  # pragma: no cover - that is the point


async def test_a_camera_comes_back_with_what_it_knew(device: SimulatedDevice) -> None:
    """After a reboot it has the same port, its presets and a fresh set of nonces."""
    async with on_the_wire(device) as wire:
        port = device.http_port
        profile = "<p:ProfileToken>profile-main</p:ProfileToken>"
        await wire.call("tptz", "SetPreset", profile + "<p:PresetName>Gate</p:PresetName>")
    async with on_the_wire(device) as wire:
        assert device.http_port == port
        assert (await wire.call("tptz", "GetPresets", profile)).told["Preset/Name"] == "Gate"


async def test_a_camera_without_a_head_has_no_ptz(clock: ManualClock) -> None:
    """No head: no PTZ service, no PTZ configuration, no PTZ scope."""
    async with on_the_wire(a_device(clock, ptz=False)) as wire:
        assert (await wire.call("tptz", "GetNodes")).fault == ["ActionNotSupported"]
        for name in ("GetServices", "GetCapabilities", "GetScopes"):
            content = (await wire.call("tds", name)).body.decode().split("<env:Body>")[1]
            assert "ptz" not in content.lower()
        assert b"PTZConfiguration" not in (await wire.call("trt", "GetProfiles")).body


async def test_a_camera_without_sound_has_no_audio(wire: Wire, device: SimulatedDevice) -> None:
    """No microphone: no audio source, configuration or scope."""
    device.audio = None
    names = {
        "trt": ("GetAudioSources", "GetAudioSourceConfigurations", "GetAudioEncoderConfigurations", "GetProfiles"),
        "tr2": ("GetAudioSourceConfigurations", "GetAudioEncoderConfigurations", "GetAudioEncoderConfigurationOptions"),
    }
    for prefix, operations in names.items():
        for name in operations:
            assert b"audio-" not in (await wire.call(prefix, name)).body
    assert (await wire.call("tr2", "GetServiceCapabilities")).status == 200


async def test_requests_are_remembered(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """The device keeps name, arrival by the monotonic clock, and arguments of its latest requests."""
    await wire.call("tds", "GetServices", "<p:IncludeCapability>true</p:IncludeCapability>")
    (entry,) = device.requests
    assert (entry.name, entry.monotonic_ns) == ("GetServices", clock.monotonic_ns())
    assert entry.arguments == {"IncludeCapability": "true"}


@pytest.mark.parametrize(("host", "told"), [("0.0.0.0", "camera.example"), ("127.0.0.1", "127.0.0.1")])  # noqa: S104
async def test_addresses_follow_what_the_client_calls_it(clock: ManualClock, host: str, told: str) -> None:
    """Bound to every interface it repeats the client's name for it; bound to one it names that."""
    device = a_device(clock)
    device.host = host
    assert device_url(device).startswith("http://127.0.0.1:")
    async with on_the_wire(device) as wire:
        answer = await wire.call("tds", "GetServices", Host="camera.example:80")
    assert f"http://{told}:{device.http_port}/onvif/" in answer.told["Service/XAddr"]


text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)


@given(text, text)
def test_what_is_written_is_read_back(content: str, attribute: str) -> None:
    """Text and attributes survive whatever characters they hold."""
    root = parse(el("sim:a", content, x=attribute).render(markup.NAMESPACES).encode())
    assert (root.text or "").strip("\ufffe\uffff") == content.replace("\ufffe", "").replace("\uffff", "")
    assert root.get("x") == attribute.replace("\ufffe", "").replace("\uffff", "")


def test_a_broken_character_is_left_out() -> None:
    """What XML cannot hold is dropped, not sent."""
    assert el("a", "x\x00y", b="\x01z").render() == '<a b="z">xy</a>'


@given(st.floats(0.0, 1e6).map(lambda seconds: round(seconds, 3)))
def test_durations_go_both_ways(seconds: float) -> None:
    """A duration written is read as the same number of seconds, to the millisecond."""
    assert values.duration_s(values.duration(seconds), Faults()) == pytest.approx(seconds, abs=1e-3)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("PT1M", 60), ("P1DT1H", 90_000), ("-PT2S", -2), ("P1Y", 31_536_000), ("P1M", 2_592_000), ("PT0.5S", 0.5)],
)
def test_durations_are_read(written: str, seconds: float) -> None:
    """Every part of an xs:duration counts."""
    assert values.duration_s(written, Faults()) == seconds


@given(st.datetimes(datetime(2000, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - given a zone
def test_odd_times_are_the_same_instant(moment: datetime) -> None:
    """Hours and overflowing minutes, added up, are the time that was meant."""
    day, hour, minute, second = values.odd(moment)
    start = to_ns(day.replace(hour=0, minute=0, second=0, microsecond=0))
    assert start + (hour * 3600 + minute * 60 + second) * NS_PER_S == to_ns(moment.replace(microsecond=0))


@given(st.integers(0, 4_000_000_000_000).map(lambda ms: ms * 1_000_000))
def test_instants_go_both_ways(wall_ns: int) -> None:
    """A time written in milliseconds is read as the same."""
    assert values.parse_instant(values.instant(wall_ns, Faults())) == wall_ns
    assert values.parse_instant(utc(wall_ns).replace(tzinfo=None).isoformat()) == wall_ns


def test_the_parser_refuses_entities_in_any_disguise() -> None:
    """A document type is refused even where nothing uses it."""
    for body in (b"<!DOCTYPE a><a/>", b"\xef\xbb\xbf<!DOCTYPE a><a/>"):
        with pytest.raises(UnreadableError, match="document type"):
            parse(body)
