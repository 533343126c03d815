"""A device that is enrolled: events, relays, lens, pictures, clock, reboot."""

import asyncio
from contextlib import aclosing

import pytest

from drivers.errors import CameraAnswerError, CameraAuthenticationError, CameraBusyError, CameraFaultError
from drivers.onvif import CameraEvent, Device, open_device
from drivers.onvif.catalogue import Service
from drivers.simulator import happenings
from drivers.simulator.device import DeviceEvent
from kernel.clock import NS_PER_S, SystemClock
from tests.fakes.hasty import HastyClock
from tests.fakes.onvif_camera import LOOPBACK, QUICK, Camera, onvif_camera
from tests.fakes.waiting import until

MOTION = "tns1:VideoSource/MotionAlarm"


def motion(camera: Camera, *, on: bool) -> None:
    """Let the camera see something move."""
    told = {"State": "true" if on else "false"}
    event = DeviceEvent(MOTION, {"Source": "video-source-1"}, told, camera.device.wall_ns())
    camera.device.emit(event)


async def changed(device: Device, camera: Camera) -> CameraEvent:
    """Subscribe, let something move, and return what was heard of it."""
    async with aclosing(device.events()) as events:
        async for event in events:
            if event.operation == "Initialized" and event.topic == MOTION:
                motion(camera, on=True)
            if event.operation == "Changed":
                return event
    raise AssertionError


@pytest.mark.parametrize(
    "faults",
    [
        (),
        ("hides_pullpoint",),
        ("needs_reference_parameters",),
        ("needs_termination_time",),
        ("wsse_only",),
        ("private_addresses", "double_port"),
        ("undeclared_prefixes",),
        ("unquoted_attributes",),
        ("clock_error_s=100",),
        ("odd_times",),
        ("renew_needs_addressing",),
    ],
)
async def test_events_arrive(faults: tuple[str, ...]) -> None:
    """State is told after subscribing and changes as they come, in our time, whatever the camera does wrong."""
    async with onvif_camera(SystemClock(), *faults) as camera:
        result = await camera.enrol()
        async with camera.opened(result) as device:
            event = await changed(device, camera)
    assert event.topic == MOTION
    assert event.data == {"State": "true"}
    assert event.active is True
    assert event.meaning == "Motion Alarm"
    assert abs(event.wall_ns - camera.clock.wall_ns()) < 20 * NS_PER_S


async def test_a_subscription_is_ended_when_left() -> None:
    """Leaving the events gives the camera its slot back."""
    async with onvif_camera(SystemClock(), "subscription_slots=1") as camera:
        result = await camera.enrol()
        async with camera.opened(result) as device:
            for _ in range(2):
                assert (await changed(device, camera)).topic == MOTION


async def test_subscriptions_are_left_to_lapse_where_ending_one_ends_all() -> None:
    """A camera known to end all subscriptions is never sent Unsubscribe again."""
    async with onvif_camera(SystemClock(), "unsubscribe_kills_all") as camera:
        result = await camera.enrol()
        camera.device.requests.clear()
        async with camera.opened(result) as device:
            await changed(device, camera)
        assert camera.asked("Unsubscribe") == []


async def test_a_lost_subscription_is_made_anew() -> None:
    """When the camera forgets the subscription another is made, and nothing reaches the listener but events."""
    async with onvif_camera(SystemClock()) as camera:
        result = await camera.enrol()
        async with camera.opened(result) as device, camera.opened(result) as somebody_else:
            heard: list[CameraEvent] = []
            listening = asyncio.create_task(_keep(device, heard))
            await until(lambda: heard, what="the first events")
            camera.device.faults.unsubscribe_kills_all = True
            theirs = await somebody_else.event_service.subscribe()
            await somebody_else.event_service.unsubscribe(theirs)
            seen = len(heard)
            await until(lambda: len(heard) > seen, what="events of a new subscription")
            assert {event.operation for event in heard} == {"Initialized"}
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _keep(device: Device, heard: list[CameraEvent]) -> None:
    async with aclosing(device.events()) as events:
        async for event in events:
            heard.append(event)  # noqa: PERF401 - it never ends


async def test_renewing_keeps_a_subscription_alive() -> None:
    """Where pulling does not prolong the subscription, Renew does: one subscription outlives its first term."""
    async with onvif_camera(HastyClock(30), "renew_needs_addressing") as camera:
        result = await camera.enrol()
        camera.device.requests.clear()
        async with camera.opened(result) as device:
            hearing = asyncio.create_task(_keep(device, []))
            await until(lambda: len(camera.asked("Renew")) >= 2, what="renewals")
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            assert "renew-asked" in device.quirks
        # One that met the challenge, one that was made.
        assert len(camera.asked("CreatePullPointSubscription")) <= 2


async def test_a_wrong_password_ends_the_events() -> None:
    """Events are not asked for again with a password that is wrong: that would lock the account."""
    async with onvif_camera(SystemClock()) as camera:
        result = await camera.enrol()
        camera.device.password = "changed"
        camera.device.requests.clear()
        target = camera.target_as("simulated")
        async with open_device(target, result.description, clock=camera.clock, policy=LOOPBACK, limits=QUICK) as device:
            with pytest.raises(CameraAuthenticationError):
                await changed(device, camera)
        assert len(camera.asked("CreatePullPointSubscription")) <= 3


async def test_relays_are_switched() -> None:
    """A relay is listed, switched on and off, by DeviceIO and where that is missing by the device service."""
    async with onvif_camera(SystemClock()) as camera:
        result = await camera.enrol()
        async with camera.opened(result) as device:
            assert await device.relays() == ("relay-1",)
            await device.relay("relay-1", on=True)
            assert camera.device.relays["relay-1"]
            del device.services[Service.DEVICE_IO]
            await device.relay("relay-1", on=False)
            assert not camera.device.relays["relay-1"]
            with pytest.raises(CameraFaultError, match="refuses SetRelayOutputState"):
                await device.relay("relay-9", on=True)


async def test_the_lens() -> None:
    """Focus turns and stops, autofocus is given back."""
    async with onvif_camera(SystemClock()) as camera:
        result = await camera.enrol()
        (view,) = result.description.views
        async with camera.opened(result) as device:
            await device.focus(view, 0.5)
            assert not camera.device.autofocus
            await device.focus(view, 0.0)
            await device.autofocus(view, on=True)
            assert camera.device.autofocus


async def test_picture_keyframe_clock_and_reboot() -> None:
    """A snapshot is a JPEG, a keyframe can be asked for, the clock is measured again, and it reboots."""
    async with onvif_camera(SystemClock()) as camera:
        result = await camera.enrol()
        (view,) = result.description.views
        async with camera.opened(result) as device:
            assert (await device.snapshot(view)).startswith(b"\xff\xd8")
            await device.set_synchronization_point(view.main.token)
            assert camera.asked("SetSynchronizationPoint")[-1] == {"ProfileToken": view.main.token}
            camera.device.faults.clock_error_s = 7.0
            offset_s, uncertainty_s = await device.clock_offset()
            assert abs(offset_s - 7.0) <= uncertainty_s
            await device.reboot()
            await until(lambda: camera.reboots)


async def test_a_snapshot_that_is_none() -> None:
    """A page that is no JPEG is an error, and so is a view without snapshot."""
    async with onvif_camera(SystemClock()) as camera:
        result = await camera.enrol()
        (view,) = result.description.views
        async with camera.opened(result) as device:
            for feed in camera.device.feeds.values():
                feed.jpeg = _text  # type: ignore[method-assign]
            with pytest.raises(CameraAnswerError, match="not a JPEG"):
                await device.snapshot(view)
            with pytest.raises(CameraFaultError, match="no snapshots"):
                await device.snapshot(view.model_copy(update={"snapshot_url": None}))
            with pytest.raises(CameraFaultError, match="no picture"):
                await device.snapshot(view.model_copy(update={"snapshot_url": f"{view.snapshot_url}-none"}))


async def _text() -> bytes:
    return b"no picture today"


async def test_a_camera_opened_without_description_finds_its_services() -> None:
    """A device can be opened knowing nothing of it."""
    async with onvif_camera(SystemClock(), "no_get_services") as camera, camera.opened() as device:
        assert Service.PTZ in device.services
        assert await device.relays() == ("relay-1",)


async def test_a_missing_service_is_told() -> None:
    """A call to a service that the device lacks is a plain error."""
    async with onvif_camera(SystemClock()) as camera, camera.opened() as device:
        device.services.pop(Service.IMAGING)
        with pytest.raises(CameraFaultError, match="no imaging service"):
            device.url(Service.IMAGING)


async def test_at_most_two_requests_at_a_time() -> None:
    """However many ask at once, the camera sees two connections."""
    async with onvif_camera(SystemClock()) as camera:
        result = await camera.enrol()
        async with camera.opened(result) as device:
            await asyncio.gather(*(device.relays() for _ in range(12)))
            pool = device.caller.session._client.connector
            assert pool is not None
            assert len(pool._conns) <= 1
            assert sum(len(kept) for kept in pool._conns.values()) <= 2


async def test_a_full_camera_is_told() -> None:
    """A subscription that finds no slot is its own error."""
    async with onvif_camera(SystemClock(), "subscription_slots=1") as camera, camera.opened() as device:
        events = device.event_service
        held = await events.subscribe()
        with pytest.raises(CameraBusyError, match="no room"):
            await events.subscribe()
        await events.unsubscribe(held)
        assert "few-subscriptions" in device.quirks


async def test_happenings_of_inputs() -> None:
    """A digital input is told with its meaning."""
    async with onvif_camera(SystemClock()) as camera:
        result = await camera.enrol()
        async with camera.opened(result) as device, aclosing(device.events()) as events:
            async for event in events:
                if event.operation == "Changed":
                    break
                if "DigitalInput" in event.topic:
                    happenings.digital_input(camera.device, "input-1", on=True)
    assert event.topic == "tns1:Device/Trigger/DigitalInput"
    assert event.active is True
