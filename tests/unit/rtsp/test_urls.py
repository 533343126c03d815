"""Stream addresses."""

import pytest

from drivers.errors import CameraAnswerError, CameraUnreachableError
from drivers.rtsp.urls import control, here, parse, redirected

URL = parse("rtsp://10.1.2.3:8554/live?channel=1")


def test_an_address_is_taken_apart_without_its_secrets() -> None:
    """Credentials are kept apart, decoded, and stand in no text form."""
    url = parse("rtsp://us%40er:p%3Ass@cam.example/main")
    assert (url.host, url.port, url.username, url.password) == ("cam.example", 554, "us@er", "p:ss")
    assert str(url) == "rtsp://cam.example/main"
    assert "p:ss" not in repr(url)


def test_tls_has_its_own_port() -> None:
    """Rtsps goes to 322 unless told otherwise, and IPv6 hosts lose their brackets."""
    url = parse("rtsps://[fd00::9]/main")
    assert (url.tls, url.port, url.host, str(url)) == (True, 322, "fd00::9", "rtsps://[fd00::9]/main")


@pytest.mark.parametrize("text", ["http://cam/x", "rtsp:///x", "cam", "rtsp://cam:99999/", "rtsp://cam/a\r\nX: y", ""])
def test_what_is_no_stream_address_is_said_to_be_none(text: str) -> None:
    """Other schemes, no host, bad ports and line breaks are refused."""
    with pytest.raises(CameraUnreachableError, match="not an rtsp"):
        parse(text)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", "rtsp://10.1.2.3/base"),
        ("*", "rtsp://10.1.2.3/base"),
        ("trackID=1", "rtsp://10.1.2.3/base/trackID=1"),
        ("/trackID=1", "rtsp://10.1.2.3/base/trackID=1"),
        ("rtsp://192.168.1.64:554/live/track1?x=1", "rtsp://10.1.2.3:8554/live/track1?x=1"),
        ("rtsp://127.0.0.1/live/track1", "rtsp://10.1.2.3:8554/live/track1"),
    ],
)
def test_controls_stay_at_the_host_we_reached(given: str, wanted: str) -> None:
    """Relative controls are joined, absolute ones keep their path and lose their host."""
    assert control("rtsp://10.1.2.3/base", given, URL) == wanted


def test_a_relative_base_is_left_as_it_is() -> None:
    """Only what names a host is moved."""
    assert here(URL, "live/") == "live/"


def test_a_redirect_stays_at_its_host() -> None:
    """Path and port of a redirect count, its host does not: loopback and others are never visited."""
    assert str(redirected(URL, "rtsp://127.0.0.1:9/other?x=2")) == "rtsp://10.1.2.3:9/other?x=2"
    assert str(redirected(parse("rtsp://[fd00::9]/a"), "rtsps://evil.example/b")) == "rtsps://[fd00::9]:322/b"


@pytest.mark.parametrize("location", ["", "http://10.1.2.3/", "../elsewhere"])
def test_a_redirect_to_nowhere_is_an_error(location: str) -> None:
    """A redirect without a stream's address is refused."""
    with pytest.raises(CameraAnswerError, match="no stream"):
        redirected(URL, location)


def test_a_redirect_out_of_tls_is_refused() -> None:
    """An encrypted stream does not become an open one by the camera's word."""
    with pytest.raises(CameraAnswerError, match="encrypted"):
        redirected(parse("rtsps://cam/a"), "rtsp://cam/b")
