"""Enrolling a simulated camera with each of its knobs turned: what is found, and what is said of it."""

import asyncio
from contextlib import suppress

import pytest
from pydantic import SecretStr

from drivers.addresses import AddressPolicy
from drivers.errors import (
    CameraAnswerError,
    CameraAuthenticationError,
    CameraBusyError,
    CameraClockError,
    CameraError,
    CameraNoMediaError,
    CameraNotOnvifError,
    CameraRefusedAddressError,
    CameraUnreachableError,
)
from drivers.model import CameraTarget, Credentials
from drivers.onvif import EnrolLimits, Limits, enrol
from drivers.simulator.device import SimulatedDevice
from drivers.simulator.onvif import onvif_server
from kernel.clock import SystemClock
from kernel.ids import StreamName
from kernel.media import VideoCodec
from tests.fakes.hasty import HastyClock
from tests.fakes.onvif_camera import LOOPBACK, QUICK, onvif_camera
from tests.unit.simulator_onvif.stand import a_device


async def test_a_camera_in_order_is_described_whole() -> None:
    """Identity, streams, services, events, relays, clock and a snapshot are found, and nothing is remarked."""
    async with onvif_camera(HastyClock()) as camera:
        result = await camera.enrol()
        device = camera.device
    told = result.description
    (view,) = told.views
    assert told.identity.urn == device.urn
    assert (told.identity.serial, told.identity.manufacturer) == (device.serial, "Sightline")
    assert (view.main.width, view.main.height, view.main.codec) == (1280, 720, VideoCodec.H264)
    assert view.sub is not None
    assert (view.sub.width, view.sub.frame_rate) == (640, 12.5)
    assert view.main.rtsp_url == "rtsp://127.0.0.1:8554/main"
    assert (view.main.gop_frames, view.main.bitrate_kbit, view.main.audio) == (25, 2000, "PCMU")
    assert told.events
    assert told.relays == ("relay-1",)
    assert told.authentication == "digest-md5"
    assert abs(told.clock_offset_s) <= told.clock_uncertainty_s <= 1.0
    assert result.snapshot is not None
    assert result.snapshot.startswith(b"\xff\xd8")
    assert told.remarks == ()
    assert view.head is not None
    assert view.head.home


async def test_h265_is_seen_through_media_2() -> None:
    """Media 2 is asked first, where H.265 can be seen."""
    device = a_device(HastyClock(), codec=VideoCodec.H265, ptz=False)
    async with onvif_server(device):
        result = await enrol(
            CameraTarget(
                address=f"127.0.0.1:{device.http_port}",
                credentials=Credentials(username=device.username, password=SecretStr(device.password)),
            ),
            clock=device.clock,
            policy=LOOPBACK,
            limits=EnrolLimits(http=QUICK),
        )
    assert result.description.views[0].main.codec is VideoCodec.H265
    assert result.description.views[0].head is None


@pytest.mark.parametrize(
    ("faults", "authentication", "quirks"),
    [
        (("digest_only",), "digest-md5", set()),
        (("two_challenges",), "digest-sha256", {"two-challenges"}),
        (("two_challenges", "sha256_broken"), "digest-md5", {"two-challenges", "sha256-refused"}),
        (("wsse_only",), "wsse", {"token-only"}),
        (("qop_auth_int",), "digest-md5", {"qop-auth-int"}),
        (("wsse_only", "rejects_plus_zero"), "wsse", {"token-only"}),
        (("wsse_only", "replay_skew_s=5", "clock_error_s=-120"), "wsse", {"token-only"}),
        (("clock_needs_auth",), "digest-md5", {"clock-needs-password"}),
        (("clock_needs_auth", "wsse_only"), "wsse", {"clock-needs-password", "token-only"}),
        (("hides_pullpoint",), "digest-md5", {"pullpoint-denied"}),
        (("no_get_services",), "digest-md5", {"no-get-services", "no-media2"}),
        (("no_media2",), "digest-md5", {"no-media2"}),
        (("private_addresses",), "digest-md5", {"private-addresses"}),
        (("double_port",), "digest-md5", {"double-port"}),
        (("unquoted_attributes",), "digest-md5", {"unquoted-attributes"}),
        (("undeclared_prefixes",), "digest-md5", {"undeclared-prefixes"}),
        (("bad_utf8",), "digest-md5", {"bad-utf8"}),
        (("unquoted_attributes", "undeclared_prefixes", "bad_utf8"), "digest-md5",
         {"unquoted-attributes", "undeclared-prefixes", "bad-utf8"}),
        (("odd_times",), "digest-md5", {"odd-times"}),
        (("minutes_as_seconds",), "digest-md5", set()),
        (("fault_with_200", "no_get_services"), "digest-md5", {"fault-with-200", "no-get-services", "no-media2"}),
        (("needs_reference_parameters",), "digest-md5", {"reference-parameters"}),
        (("needs_termination_time",), "digest-md5", set()),
        (("renew_needs_addressing", "addressing_breaks_ptz"), "digest-md5", set()),
        (("unsubscribe_kills_all",), "digest-md5", {"unsubscribe-kills-all"}),
        (("subscription_slots=1",), "digest-md5", {"few-subscriptions"}),
    ],
)  # fmt: skip
async def test_enrols_in_spite_of(faults: tuple[str, ...], authentication: str, quirks: set[str]) -> None:
    """A camera with such a fault is enrolled like any other, with the fault remarked and the way in remembered."""
    async with onvif_camera(HastyClock(), *faults) as camera:
        told = (await camera.enrol()).description
        assert set(told.quirks) == quirks
        assert {remark.quirk for remark in told.remarks} == quirks
        assert told.authentication == authentication
        assert told.events
        (view,) = told.views
        assert view.main.rtsp_url == "rtsp://127.0.0.1:8554/main"
        assert view.sub is not None
        assert view.snapshot_url == f"http://127.0.0.1:{camera.device.http_port}/snapshot/profile-main"
        assert view.head is not None
        true_s = camera.device.faults.clock_error_s
        assert abs(told.clock_offset_s - true_s) <= told.clock_uncertainty_s


async def test_a_promise_of_events_that_is_not_kept() -> None:
    """A camera that claims PullPoint and has none is enrolled without events, and that is remarked."""
    async with onvif_camera(HastyClock(), "claims_pullpoint") as camera:
        told = (await camera.enrol()).description
    assert not told.events
    assert told.quirks == ("pullpoint-claimed",)


async def test_no_subscription_is_left_open() -> None:
    """After enrolment the camera's one subscription slot is free."""
    async with onvif_camera(HastyClock(), "subscription_slots=1") as camera:
        await camera.enrol()
        async with camera.opened() as device:
            events = device.event_service
            subscription = await events.subscribe()
            with pytest.raises(CameraBusyError, match="no room"):
                await events.subscribe()
            await events.unsubscribe(subscription)


async def test_what_was_learned_spares_asking_again() -> None:
    """A camera opened with its description proves itself at once in the way that worked."""
    async with onvif_camera(HastyClock(), "two_challenges", "sha256_broken") as camera:
        result = await camera.enrol()
        camera.device.requests.clear()
        async with camera.opened(result) as device:
            await device.relays()
        assert len(camera.asked("GetRelayOutputs")) == 2  # the challenge, and MD5 straight away


async def test_a_burst_does_not_reboot_it() -> None:
    """Requests are paced: a camera that reboots at more than a dozen in a second lives through its enrolment."""
    async with onvif_camera(HastyClock(), "burst_reboots=12") as camera:
        await camera.enrol(http=Limits())
        assert camera.reboots == []


async def test_forwarded_ports_are_mapped() -> None:
    """Where the camera names ports of its own, the map of forwarded ports leads to it."""
    async with onvif_camera(HastyClock()) as camera:
        target = camera.target.model_copy(update={"port_map": {8554: 18554}})
        result = await enrol(
            target, clock=camera.clock, policy=LOOPBACK, limits=EnrolLimits(http=QUICK, try_head=False)
        )
    assert result.description.views[0].main.rtsp_url == "rtsp://127.0.0.1:18554/main"


@pytest.mark.parametrize("faults", [(), ("wsse_only",), ("two_challenges",), ("fault_with_200", "wsse_only")])
async def test_a_wrong_password_is_told_and_tried_at_most_three_times(faults: tuple[str, ...]) -> None:
    """A wrong password is its own error, and no more attempts are made than there are ways."""
    async with onvif_camera(HastyClock(), *faults) as camera:
        with pytest.raises(CameraAuthenticationError, match="does not accept the user name and password"):
            await enrol(camera.target_as("wrong"), clock=camera.clock, policy=LOOPBACK, limits=EnrolLimits(http=QUICK))
        assert len(camera.asked("GetDeviceInformation")) <= 4  # the first asks without


async def test_a_clock_far_off_is_told() -> None:
    """A clock that was never set is its own error, with how far it is off."""
    async with onvif_camera(HastyClock(), "clock_error_s=-4000") as camera:
        with pytest.raises(CameraClockError, match="4000 s behind"):
            await camera.enrol()
        assert (await camera.enrol(max_offset_s=5000.0)).description.clock_offset_s == pytest.approx(-4000, abs=1.0)


async def test_a_camera_without_media_is_told() -> None:
    """A camera that shows no video profile is its own error."""
    device = a_device(HastyClock(), ptz=False)
    device.streams.clear()
    async with onvif_server(device):
        with pytest.raises(CameraNoMediaError, match="no video that can be recorded"):
            await _enrol(device)


async def _enrol(device: SimulatedDevice, limits: Limits = QUICK) -> None:
    target = CameraTarget(
        address=f"127.0.0.1:{device.http_port}",
        credentials=Credentials(username=device.username, password=SecretStr(device.password)),
    )
    await enrol(target, clock=device.clock, policy=LOOPBACK, limits=EnrolLimits(http=limits))


@pytest.mark.parametrize(
    ("fault", "error", "cause"),
    [
        ("garbage", CameraAnswerError, "garbage"),
        ("endless_body", CameraAnswerError, "too-long"),
        ("entity_bomb", CameraAnswerError, "dtd"),
        ("gzip_bomb", CameraAnswerError, "decompression-bomb"),
        ("redirect_to_loopback", CameraRefusedAddressError, "redirect"),
        ("drop_link", CameraUnreachableError, "timeout"),
        ("refuse_connections", CameraUnreachableError, "refused"),
    ],
)
async def test_a_broken_or_hostile_camera_is_a_clear_error(fault: str, error: type[CameraError], cause: str) -> None:
    """Garbage, endless and exploding answers, redirects and silence each end in their own error with a cure."""
    async with onvif_camera(SystemClock()) as camera:
        camera.device.faults.set(fault)
        if fault == "refuse_connections":
            await _until_closed(camera.device)
        with pytest.raises(error) as caught:
            await camera.enrol(http=Limits(request_s=1.5 if fault == "drop_link" else 10.0, per_second=200))
        camera.device.faults.set(f"{fault}=off")
    assert caught.value.facts["cause"] == cause
    assert caught.value.cure
    assert camera.device.password not in str(caught.value)


async def _until_closed(device: SimulatedDevice) -> None:

    for _ in range(500):
        try:
            _, writer = await asyncio.open_connection(device.host, device.http_port)
        except OSError:
            return
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    raise AssertionError("it still listens")


async def test_a_camera_on_loopback_is_refused_unless_allowed() -> None:
    """Without the setting, enrolment does not even connect to loopback."""
    async with onvif_camera(HastyClock()) as camera:
        with pytest.raises(CameraRefusedAddressError, match="loopback"):
            await enrol(camera.target, clock=camera.clock, policy=AddressPolicy())
        assert len(camera.device.requests) == 0


async def test_something_else_is_told_from_a_camera() -> None:
    """A web server that is no camera is its own error."""
    async with onvif_camera(HastyClock()) as camera:
        target = camera.target.model_copy(update={"address": f"http://{camera.target.address}/somewhere/else"})
        with pytest.raises(CameraNotOnvifError, match="does not speak ONVIF"):
            await enrol(target, clock=camera.clock, policy=LOOPBACK)


async def test_main_and_sub_are_chosen_by_size_not_by_name() -> None:
    """Streams whose names are swapped are still chosen by resolution."""
    device = a_device(HastyClock(), ptz=False)
    main, sub = device.streams[StreamName.MAIN], device.streams[StreamName.SUB]
    main.width, main.height, sub.width, sub.height = 640, 360, 1920, 1080
    async with onvif_server(device):
        target = CameraTarget(
            address=f"127.0.0.1:{device.http_port}",
            credentials=Credentials(username=device.username, password=SecretStr(device.password)),
        )
        result = await enrol(target, clock=device.clock, policy=LOOPBACK, limits=EnrolLimits(http=QUICK))
    (view,) = result.description.views
    assert view.main.token == "profile-sub"
    assert view.sub is not None
    assert view.sub.token == "profile-main"
