"""A device at another address: every address of its is one there, and it must be the same device."""

import pytest
from pydantic import SecretStr

from drivers.model import CameraTarget, Credentials
from gateway.fleet.errors import AnotherDeviceError
from gateway.fleet.pointing import Spot, check_same, pointed
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
