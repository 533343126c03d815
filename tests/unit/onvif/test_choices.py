"""Choosing streams, telling presets from placeholders, and the table of quirks."""

from dataclasses import fields

import pytest

from drivers.onvif.catalogue import Service, catalogue
from drivers.onvif.head import MANY_PRESETS, real_presets
from drivers.onvif.media import Offer, Profile
from drivers.onvif.quirks import TABLE, Quirks
from drivers.simulator.faults import Faults
from kernel.head import Position, Preset
from kernel.media import VideoCodec


def profile(token: str, width: int, height: int, **changed: object) -> Profile:
    """Return a profile of a source."""
    told: dict[str, object] = {
        "token": token, "name": token, "source": "s", "codec": VideoCodec.H264, "width": width, "height": height,
        "frame_rate": 25.0, "bitrate_kbit": None, "gop_frames": None, "audio": None, "ptz_node": None, "ptz": False,
    }  # fmt: skip
    return Profile(**(told | changed))  # type: ignore[arg-type]


def test_main_is_the_largest_then_the_fastest() -> None:
    """Resolution decides, then rate."""
    slow, fast = profile("slow", 1920, 1080, frame_rate=5.0), profile("fast", 1920, 1080)
    assert Offer(source="s", profiles=[profile("small", 640, 360), slow, fast]).main is fast


def test_sub_is_the_one_nearest_to_640_by_360() -> None:
    """A sub stream is clearly smaller than main and near 640x360; H.264 is preferred among equals."""
    main, mid = profile("main", 3840, 2160), profile("mid", 1920, 1080)
    sub, odd = profile("sub", 640, 360), profile("odd", 640, 360, codec=VideoCodec.H265)
    tiny = profile("tiny", 160, 90)
    assert Offer(source="s", profiles=[main, mid, odd, sub, tiny]).sub is sub
    assert Offer(source="s", profiles=[main, mid]).sub is None
    assert Offer(source="s", profiles=[profile("a", 640, 480), profile("b", 640, 360)]).sub is None


def test_the_ptz_profile_is_chosen_on_its_own() -> None:
    """Main steers if it can, else another that does, else none."""
    main, other = profile("main", 1920, 1080), profile("other", 640, 360, ptz=True)
    assert Offer(source="s", profiles=[main, other]).ptz is other
    assert Offer(source="s", profiles=[profile("m", 1920, 1080, ptz=True), other]).ptz is not other
    assert Offer(source="s", profiles=[main]).ptz is None


def test_functions_and_empty_slots_are_no_presets() -> None:
    """Named functions are hidden; where positions are told, factory slots without one are too."""
    here = Position(0.1, 0.2, 0.3)
    listed = [Preset("1", "Preset 1"), Preset("2", "Square", here), Preset("94", "Remote reboot"), Preset("5", "Bank")]
    assert [one.token for one in real_presets(listed)] == ["2", "5"]


def test_without_positions_only_great_numbers_are_placeholders() -> None:
    """A camera that tells no positions keeps a few plainly named presets, and loses three hundred."""
    few = [Preset(str(n), f"Preset {n}") for n in range(1, MANY_PRESETS + 1)]
    assert real_presets(few) == few
    many = [Preset(str(n), f"Preset {n}") for n in range(1, 301)]
    assert real_presets([*many, Preset("301", "Church")]) == [Preset("301", "Church")]


def test_a_preset_named_like_a_function_with_a_position_is_kept() -> None:
    """Somebody who stored "Patrol 1" gets it back."""
    kept = Preset("7", "Patrol 1", Position())
    assert real_presets([kept]) == [kept]


KNOBS = {
    "digest_only": "digest-only", "two_challenges": "two-challenges", "sha256_broken": "sha256-refused",
    "wsse_only": "token-only", "qop_auth_int": "qop-auth-int", "replay_skew_s": "clock-skew-replay",
    "rejects_plus_zero": "zulu-times", "clock_needs_auth": "clock-needs-password",
    "hides_pullpoint": "pullpoint-denied", "claims_pullpoint": "pullpoint-claimed",
    "no_get_services": "no-get-services", "no_media2": "no-media2", "private_addresses": "private-addresses",
    "double_port": "double-port", "unquoted_attributes": "unquoted-attributes",
    "undeclared_prefixes": "undeclared-prefixes", "bad_utf8": "bad-utf8", "odd_times": "odd-times",
    "minutes_as_seconds": "minutes-as-seconds", "fault_with_200": "fault-with-200",
    "needs_reference_parameters": "reference-parameters", "needs_termination_time": "termination-time",
    "renew_needs_addressing": "addressing-on-events", "addressing_breaks_ptz": "addressing-on-events",
    "unsubscribe_kills_all": "unsubscribe-kills-all", "subscription_slots": "few-subscriptions",
    "stuck_moving": "stuck-moving", "timeout_faults": "timeout-refused", "timeout_ignored": "timeout-ignored",
    "timeout_zero": "timeout-zero", "stop_unsupported": "stop-ineffective", "stop_ignored": "stop-ineffective",
    "zero_velocity_ignored": "zero-velocity-ineffective", "fixed_speed": "fixed-speed", "split_axes": "split-axes",
    "no_zoom": "no-zoom", "fov_untrue": "fov-untrue", "factory_presets": "placeholder-presets",
    "preset_reboots": "placeholder-presets", "setpreset_fails_moving": "store-while-moving",
    "burst_reboots": "burst-reboots",
}  # fmt: skip
"""Knob of the simulator -> entry of the table."""


def test_every_quirk_of_the_simulator_has_an_entry() -> None:
    """Each knob about SOAP and heads stands in the table, and each entry says who, what, how and the cure."""
    names = [field.name for field in fields(Faults)]
    about_us = names[: names.index("drop_link")]
    assert set(KNOBS) == set(about_us)
    assert set(KNOBS.values()) <= set(TABLE)
    assert all(quirk.who and quirk.shows and quirk.cure and quirk.detected for quirk in TABLE.values())


def test_quirks_are_learned_once_and_remarked() -> None:
    """A quirk is news once, keeps its first detail, may be taken back; unknown old names are dropped."""
    quirks = Quirks(["split-axes", "from-a-later-version"])
    assert list(quirks) == ["split-axes"]
    assert quirks.learn("bad-utf8", "First seen here.")
    assert not quirks.learn("bad-utf8", "And there.")
    quirks.note("Something else.")
    quirks.note("Something else.")
    assert [remark.quirk for remark in quirks.remarks] == ["split-axes", "bad-utf8", None]
    assert quirks.remarks[1].text.endswith("First seen here.")
    quirks.forget("split-axes")
    assert "split-axes" not in quirks
    with pytest.raises(KeyError):
        quirks.learn("no such quirk")


async def test_descriptions_are_parsed_once_and_shared() -> None:
    """Every camera gets the same catalogue."""
    assert await catalogue() is await catalogue()


async def test_requests_are_checked_against_their_schema() -> None:
    """A field that the operation does not have, or an operation that the service does not have, is our own mistake."""
    parsed = await catalogue()
    request = parsed.request(Service.PTZ, "Stop", {"ProfileToken": "p", "PanTilt": True, "Zoom": False})
    assert request.action == "http://www.onvif.org/ver20/ptz/wsdl/Stop"
    with pytest.raises(TypeError):
        parsed.request(Service.PTZ, "Stop", {"Nonsense": 1})
    with pytest.raises(ValueError, match="No such operation"):
        parsed.request(Service.PTZ, "Explode", {})
