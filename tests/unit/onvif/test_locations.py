"""Addresses made into addresses that reach."""

import pytest
from pydantic import SecretStr

from drivers.errors import CameraAnswerError, CameraNotOnvifError
from drivers.model import CameraTarget, Credentials
from drivers.onvif.locations import Locations, candidates, without_credentials
from drivers.onvif.quirks import Quirks

WHO = Credentials(username="u", password=SecretStr("p"))


def urls(address: str) -> tuple[str, ...]:
    """Return the candidates of what an operator typed."""
    return candidates(CameraTarget(address=address, credentials=WHO))


def test_a_port_or_a_url_is_taken_at_its_word() -> None:
    """With a port there is one candidate; 443 means TLS; a path is kept; IPv6 gets its brackets."""
    assert urls("192.0.2.1:8080") == ("http://192.0.2.1:8080/onvif/device_service",)
    assert urls("camera:443") == ("https://camera/onvif/device_service",)
    assert urls("https://camera/own/path") == ("https://camera/own/path",)
    assert urls("http://u:p@camera:81") == ("http://camera:81/onvif/device_service",)
    assert urls("[2001:db8::1]:81") == ("http://[2001:db8::1]:81/onvif/device_service",)


def test_a_bare_host_is_tried_on_the_usual_ports() -> None:
    """Without a port the usual ones come in turn, Tapo's 2020 among them."""
    found = urls(" 2001:db8::1 ")
    assert found[0] == "http://[2001:db8::1]/onvif/device_service"
    assert "http://[2001:db8::1]:2020/onvif/device_service" in found
    assert found[1].startswith("https://")


@pytest.mark.parametrize("address", ["", "ftp://camera", "http://", "camera:99999", "a b", "http://[::1", "camera:x"])
def test_what_is_no_address(address: str) -> None:
    """Anything else is told to whoever typed it."""
    with pytest.raises(CameraNotOnvifError, match="not the address"):
        urls(address)


def reached(url: str, device_url: str = "http://198.51.100.9:8000/onvif/device_service") -> tuple[str, Quirks]:
    """Return what becomes of an address that the camera gave."""
    quirks = Quirks()
    return Locations(device_url=device_url, port_map={554: 10554, 80: 8000}, quirks=quirks).reach(url), quirks


def test_the_host_is_replaced_and_ports_are_mapped() -> None:
    """A private host becomes the one that reached it; port and path stay, but for forwarded ports."""
    url, quirks = reached("rtsp://admin:secret@192.168.1.64/ch1?x=1")
    assert url == "rtsp://198.51.100.9:10554/ch1?x=1"
    assert "private-addresses" in quirks
    assert reached("http://198.51.100.9:80/a")[0] == "http://198.51.100.9:8000/a"
    assert "private-addresses" not in reached("http://198.51.100.9/a")[1]


def test_a_camera_reached_by_name_is_no_fault() -> None:
    """A camera enrolled by name may tell its number."""
    url, quirks = reached("http://192.168.1.64:81/a", "http://camera.example/onvif/device_service")
    assert url == "http://camera.example:81/a"
    assert "private-addresses" not in quirks


def test_double_ports_and_relative_addresses() -> None:
    """host:port:port loses the second port; a bare path is on the camera."""
    url, quirks = reached("http://192.168.1.106:8106:8106/onvif/Subscription?Idx=43")
    assert url == "http://198.51.100.9:8106/onvif/Subscription?Idx=43"
    assert "double-port" in quirks
    assert reached("/onvif/media")[0] == "http://198.51.100.9:8000/onvif/media"


def test_ipv6_hosts_keep_their_brackets() -> None:
    """An IPv6 camera is reached by an IPv6 address."""
    assert reached("http://[fe80::1]:81/a", "http://[2001:db8::1]/x")[0] == "http://[2001:db8::1]:81/a"


@pytest.mark.parametrize("url", ["http://[bad/a", "gopher://camera/x", "http://camera:port/", "file:///etc/passwd"])
def test_senseless_addresses_are_an_error(url: str) -> None:
    """What is no URL of ours is told, without credentials."""
    with pytest.raises(CameraAnswerError, match="address that is none"):
        reached(url)


def test_credentials_are_cut_out() -> None:
    """User name and password vanish, also with an @ in the password."""
    assert without_credentials("http://u:p@ss@h:1/a@b") == "http://h:1/a@b"
    assert without_credentials("no url") == "no url"
