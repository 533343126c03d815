"""A device at another address: every address of its is one there, and it must be the same device."""

import pytest
from pydantic import SecretStr

from config.telemetry import ReachRule
from drivers.model import CameraTarget, Credentials
from gateway.fleet.errors import AnotherDeviceError
from gateway.fleet.pointing import Spot, check_same, pointed, streams_at, through
from tests.fakes.descriptions import description

TARGET = CameraTarget(address="192.0.2.1", credentials=Credentials(username="root", password=SecretStr("secret")))


def test_every_address_is_one_there() -> None:
    """Services, streams and snapshots keep their paths, and get host and port of the spot."""
    known = description()
    view = known.views[0].model_copy(update={"snapshot_url": "http://192.0.2.1/snap.jpg?n=1"})
    known = known.model_copy(update={"services": {"media": "http://192.0.2.1/onvif/media"}, "views": (view,)})
    spot = Spot(host="2001:db8::9", http_port=8080, rtsp_port=8554)
    target, moved = pointed(TARGET, known, spot)
    assert target.address == moved.device_url == "http://[2001:db8::9]:8080/onvif/device_service"
    assert moved.services == {"media": "http://[2001:db8::9]:8080/onvif/media"}
    assert moved.views[0].main.rtsp_url == "rtsp://[2001:db8::9]:8554/main"
    assert moved.views[0].snapshot_url == "http://[2001:db8::9]:8080/snap.jpg?n=1"
    assert target.credentials == TARGET.credentials


def test_a_port_of_its_own_stays_or_goes_where_it_is_forwarded() -> None:
    """A service beside the device service's port is still on its own, unless a rule says where that is reached."""
    known = description().model_copy(update={"services": {"events": "http://192.0.2.1:8000/events"}})
    plain = Spot(host="192.0.2.9", http_port=80, rtsp_port=554)
    assert pointed(TARGET, known, plain)[1].services == {"events": "http://192.0.2.9:8000/events"}
    forwarded = Spot(host="192.0.2.9", http_port=8017, rtsp_port=5517, port_map={80: 8017, 554: 5517, 8000: 8018})
    target, moved = pointed(TARGET, known, forwarded)
    assert moved.services == {"events": "http://192.0.2.9:8018/events"}
    assert target.port_map == {80: 8017, 554: 5517, 8000: 8018}


def test_there_and_back_is_as_before() -> None:
    """A device that comes back to where it was is known as it was, but that it is there by its own word."""
    target, known = pointed(TARGET, description(), Spot(host="192.0.2.1", http_port=80, rtsp_port=554))
    away = pointed(target, known, Spot(host="192.0.2.9", http_port=8017, rtsp_port=5517))
    assert pointed(*away, Spot(host="192.0.2.1", http_port=80, rtsp_port=554)) == (
        target.model_copy(update={"roams": True}),
        known,
    )


def test_where_it_is_is_its_own_word_once_it_has_moved() -> None:
    """Where people said that it is it does not roam, however its address is written; then it does, and is believed."""
    here = Spot(host="192.0.2.1", http_port=80, rtsp_port=554)
    assert not pointed(TARGET, description(), here)[0].roams
    deserted = TARGET.model_copy(update={"deserted": True})
    away, _ = pointed(deserted, description(), Spot(host="192.0.2.9", http_port=80, rtsp_port=554))
    assert (away.roams, away.deserted) == (True, False)


@pytest.mark.parametrize("other", [{"serial": "SN-2"}, {"urn": "urn:uuid:2"}])
def test_another_device_is_told_apart(other: dict[str, str]) -> None:
    """By its URN or its serial number; other firmware is the same device."""
    known = description().identity
    check_same(known, known.model_copy(update={"firmware": "9.9"}))
    with pytest.raises(AnotherDeviceError):
        check_same(known, known.model_copy(update=other))


PORTS = {80: 8017, 554: 5517}
RULE = ReachRule(units=("D017",), network="192.168.0.0/16", via="203.0.113.7", ports=PORTS)


@pytest.mark.parametrize(
    ("given", "reached", "ports"),
    [
        ("192.168.1.20", "203.0.113.7:8017", PORTS),
        ("192.168.1.20:80", "203.0.113.7:8017", PORTS),
        ("http://192.168.1.20/onvif/device_service", "http://203.0.113.7:8017/onvif/device_service", PORTS),
        ("203.0.113.7:8017", "203.0.113.7:8017", PORTS),
        ("198.51.100.9:8080", "198.51.100.9:8080", {}),
    ],
)
def test_a_units_camera_is_enrolled_through_its_forwarded_ports(
    given: str, reached: str, ports: dict[int, int]
) -> None:
    """Given as the unit says it or as it is met from outside; another unit's rule is none of its own."""
    target = TARGET.model_copy(update={"address": given})
    found = through(target, "D017", [RULE])
    assert (found.address, found.port_map) == (reached, ports)
    assert through(target, "D018", [RULE]) == target


def test_a_device_is_asked_where_its_streams_are() -> None:
    """Of the streams that are known; one that has none of them is not the one that was enrolled."""
    spot = Spot(host="192.0.2.9", http_port=80, rtsp_port=None)
    token = description().views[0].main.token
    assert streams_at(description(), {token: "rtsp://192.0.2.9:8554/main"}, spot).rtsp_port == 8554
    assert streams_at(description(), {token: "rtsp://192.0.2.9/main"}, spot).rtsp_port == 554
    with pytest.raises(AnotherDeviceError):
        streams_at(description(), {"another": "rtsp://192.0.2.9/main"}, spot)
