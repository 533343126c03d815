"""Finding out by trial what heads do, and steering them with what was found."""

import math

import pytest

from drivers.errors import CameraFaultError
from kernel.head import Axis, HeadAbilities, Position, Velocity
from ptz.ports import Head
from tests.fakes.hasty import HastyClock
from tests.fakes.onvif_camera import Camera, onvif_camera


async def tried(camera: Camera) -> tuple[HeadAbilities, set[str]]:
    """Enrol with the trial; check that the head is back; return abilities and quirks."""
    assert camera.device.head is not None
    await _aim(camera, pan=0.2, zoom=0.3)
    told = (await camera.enrol(try_head=True)).description
    aim = camera.device.head.position()
    assert (aim.pan, aim.tilt, aim.zoom) == pytest.approx((0.2, 0.7, 0.3), abs=0.003)
    assert not camera.device.head.aim().moving
    abilities = told.views[0].head
    assert abilities is not None
    return abilities, set(told.quirks)


async def _aim(camera: Camera, *, pan: float, zoom: float) -> None:
    assert camera.device.head is not None
    camera.device.head.go_to(Position(pan, 0.7, zoom))
    while camera.device.head.aim().moving:
        await camera.clock.sleep(0.1)


async def test_a_head_in_order() -> None:
    """Axes, spaces, limits, stop and true FOV moves are found, the lens is measured, and the head is put back."""
    async with onvif_camera(HastyClock()) as camera:
        abilities, quirks = await tried(camera)
        lens = camera.device.mount.lens
    assert quirks == set()
    assert abilities.axes == {Axis.PAN, Axis.TILT, Axis.ZOOM}
    assert abilities.fov_relative
    assert abilities.stop_works
    assert not abilities.pulse
    assert not abilities.presets_only
    assert abilities.pan_deg == (-170.0, 170.0)
    assert abilities.tilt_deg == (-85.0, 15.0)
    assert abilities.hfov_deg is not None
    wide, tele = abilities.hfov_deg
    assert wide == pytest.approx(lens.wide_deg, rel=0.06)
    assert tele == pytest.approx(lens.tele_deg, rel=0.15)
    assert "tt:Wiper|On" in abilities.auxiliary


@pytest.mark.parametrize(
    ("faults", "quirks", "expected"),
    [
        (("stuck_moving",), {"stuck-moving"}, {"stop_works": True}),
        (("timeout_faults",), {"timeout-refused"}, {"stop_works": True}),
        (("timeout_ignored",), {"timeout-ignored"}, {"stop_works": True, "pulse": False}),
        (("timeout_zero",), {"timeout-zero"}, {"stop_works": True}),
        (("stop_unsupported",), {"stop-ineffective"}, {"stop_works": False, "presets_only": False}),
        (("stop_ignored",), {"stop-ineffective"}, {"stop_works": False, "pulse": False}),
        (("stop_ignored", "zero_velocity_ignored"), {"stop-ineffective", "zero-velocity-ineffective"},
         {"stop_works": False, "pulse": True, "presets_only": False}),
        (("stop_ignored", "zero_velocity_ignored", "timeout_ignored"),
         {"stop-ineffective", "zero-velocity-ineffective", "timeout-ignored"}, {"presets_only": True}),
        (("stop_unsupported", "zero_velocity_ignored", "timeout_faults"),
         {"stop-ineffective", "zero-velocity-ineffective", "timeout-refused"}, {"presets_only": True}),
        (("fixed_speed",), {"fixed-speed"}, {"pulse": True}),
        (("split_axes",), {"split-axes"}, {"stop_works": True, "fov_relative": True}),
        (("split_axes", "timeout_faults"), {"split-axes", "timeout-refused"}, {"stop_works": True}),
        (("fov_untrue",), {"fov-untrue"}, {"fov_relative": False}),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_head_is_found_out(
    faults: tuple[str, ...], quirks: set[str], expected: dict[str, bool]
) -> None:
    """Each fault is found by trial, the abilities say what to do, and the head stands where it stood."""
    async with onvif_camera(HastyClock(), *faults) as camera:
        abilities, found = await tried(camera)
    assert found == quirks
    assert {name: getattr(abilities, name) for name in expected} == expected


async def test_a_head_without_zoom() -> None:
    """A pan and tilt head has no zoom axis and is never sent one."""
    async with onvif_camera(HastyClock(), "no_zoom") as camera:
        result = await camera.enrol(try_head=True)
        abilities = result.description.views[0].head
        assert abilities is not None
        assert abilities.axes == {Axis.PAN, Axis.TILT}
        assert not any("Zoom" in path for move in camera.asked("ContinuousMove") for path in move)


async def test_all_axes_are_sent() -> None:
    """An axis that stands is sent as zero: left out it would keep moving."""
    async with onvif_camera(HastyClock()) as camera:
        result = await camera.enrol()
        async with camera.opened(result) as device:
            head: Head = device.head(result.description.views[0])
            await head.status()  # brings the digest challenge that every new session meets once
            await head.move(Velocity(pan=0.5), timeout_s=1.0)
            (move,) = camera.asked("ContinuousMove")
            assert move["Velocity/PanTilt@x"] == "0.5"
            assert float(move["Velocity/PanTilt@y"]) == float(move["Velocity/Zoom@x"]) == 0.0
            assert move["Timeout"] == "PT1S"
            await head.stop()


async def test_axes_apart_where_the_head_wants_it() -> None:
    """With split axes pan and tilt go in one request, zoom in another, and a standing axis needs none."""
    async with onvif_camera(HastyClock(), "split_axes") as camera:
        result = await camera.enrol(try_head=True)
        async with camera.opened(result) as device:
            head = device.head(result.description.views[0])
            await head.status()
            camera.device.requests.clear()
            await head.move(Velocity(pan=0.3, zoom=0.2), timeout_s=1.0)
            await head.move(Velocity(pan=0.4), timeout_s=1.0)
            await head.move(Velocity(pan=0.4), timeout_s=1.0)
            await head.move(Velocity(), timeout_s=1.0)
            await head.move(Velocity(), timeout_s=1.0)
            await head.move_to(Position(0.1, 0.2, 0.3), speed=0.5)
        sent = ["Zoom" if "Velocity/Zoom@x" in move else "PanTilt" for move in camera.asked("ContinuousMove")]
        assert sent == ["PanTilt", "Zoom", "PanTilt", "Zoom", "PanTilt", "PanTilt", "PanTilt"]
        assert len(camera.asked("AbsoluteMove")) == 2


async def test_moves_and_status_are_true() -> None:
    """Absolute, relative and FOV moves land where they should, and the status says so."""
    async with onvif_camera(HastyClock()) as camera:
        assert camera.device.head is not None
        result = await camera.enrol()
        async with camera.opened(result) as device:
            head = device.head(result.description.views[0])

            async def stand() -> Position:
                while camera.device.head is not None and camera.device.head.aim().moving:
                    await camera.clock.sleep(0.05)
                status = await head.status()
                assert status.position is not None
                assert status.moving is False
                return status.position

            await head.move_to(Position(0.2, 0.6, 0.0))
            assert vars_of(await stand()) == pytest.approx((0.2, 0.6, 0.0), abs=1e-3)
            await head.move_by(Position(pan=-0.1, zoom=0.5))
            assert vars_of(await stand()) == pytest.approx((0.1, 0.6, 0.5), abs=1e-3)
            before = camera.device.head.aim()
            await head.move_in_view(1.0, 0.0)
            await stand()
            turned = camera.device.head.aim().pan_deg - before.pan_deg
            expected = math.degrees(
                math.atan(math.tan(math.radians(before.hfov_deg / 2)) / math.cos(math.radians(before.tilt_deg)))
            )
            assert turned == pytest.approx(expected, abs=0.2)
            await head.set_home()
            await head.move_to(Position())
            await stand()
            await head.go_home()
            assert (await stand()).pan != pytest.approx(0.0, abs=0.01)


def vars_of(position: Position) -> tuple[float, float, float]:
    """Return its numbers."""
    return position.pan, position.tilt, position.zoom


async def test_presets_are_kept_and_placeholders_hidden() -> None:
    """Ours are stored, listed, recalled and removed; the factory's are hidden, the rebooting one is not recalled."""
    async with onvif_camera(HastyClock(), "factory_presets=300", "preset_reboots") as camera:
        result = await camera.enrol()
        async with camera.opened(result) as device:
            head = device.head(result.description.views[0])
            assert await head.presets() == []
            assert "placeholder-presets" in device.quirks
            stored = await head.store("Town hall")
            again = await head.store("Town hall door", stored.token)
            assert again.token == stored.token
            assert [preset.name for preset in await head.presets()] == ["Town hall door"]
            await head.recall(stored.token)
            for token in ("94", "1", "no such"):
                with pytest.raises(CameraFaultError, match="has no preset"):
                    await head.recall(token)
            await head.remove(stored.token)
            assert await head.presets() == []
        assert camera.reboots == []
        assert len(camera.asked("GotoPreset")) == 1


async def test_a_preset_is_refused_while_the_head_moves() -> None:
    """The fault of a head that stores nothing while it moves reaches the caller, who lets it stand first."""
    async with onvif_camera(HastyClock(), "setpreset_fails_moving") as camera:
        result = await camera.enrol()
        async with camera.opened(result) as device:
            head = device.head(result.description.views[0])
            await head.move(Velocity(pan=0.5), timeout_s=20.0)
            with pytest.raises(CameraFaultError, match="moving") as caught:
                await head.store("Nowhere")
            assert caught.value.facts["fault"] == "MovingPTZ"
            await head.stop()


async def test_only_advertised_auxiliary_commands_are_sent() -> None:
    """The wiper is switched by its advertised string; anything else is refused before it is sent."""
    async with onvif_camera(HastyClock()) as camera:
        result = await camera.enrol()
        async with camera.opened(result) as device:
            head = device.head(result.description.views[0])
            await head.status()
            await head.auxiliary("tt:Wiper|On")
            assert camera.device.wiper
            with pytest.raises(CameraFaultError, match="no auxiliary command"):
                await head.auxiliary("tt:Cannon|Fire")
        assert len(camera.asked("SendAuxiliaryCommand")) == 1


async def test_no_addressing_on_ptz_calls() -> None:
    """A head that faults on WS-Addressing headers is steered: they are for event calls only."""
    async with onvif_camera(HastyClock(), "addressing_breaks_ptz") as camera:
        result = await camera.enrol(try_head=True)
        assert result.description.quirks == ()


async def test_a_camera_without_head_has_none_to_give() -> None:
    """A fixed camera is enrolled without a head, and asking for one is a plain error."""
    async with onvif_camera(HastyClock(), ptz=False) as camera:
        result = await camera.enrol(try_head=True)
        (view,) = result.description.views
        assert view.head is None
        async with camera.opened(result) as device:
            with pytest.raises(CameraFaultError, match="cannot be steered"):
                device.head(view)
