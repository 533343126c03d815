"""Who makes a request: where the browser is, and what people call it."""

import pytest

from gateway.access.passkeys import Site
from gateway.api.visitors import browser_name, site_of


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        ("https://cctv.example.org", Site(rp_id="cctv.example.org", origin="https://cctv.example.org")),
        ("https://CCTV.example.org:8443", Site(rp_id="cctv.example.org", origin="https://cctv.example.org:8443")),
        ("http://localhost:8080", Site(rp_id="localhost", origin="http://localhost:8080")),
        ("http://cctv.example.org", None),
        ("https://192.0.2.1", None),
        ("https://[2001:db8::1]:8443", None),
        ("null", None),
        ("", None),
    ],
)
def test_passkeys_need_a_name_and_tls(origin: str, site: Site | None) -> None:
    """As browsers see it: a secure page at a name, or localhost."""
    assert site_of(origin) == site


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 on Windows"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0",
            "Edge 139 on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/139.0.0.0 Mobile Safari/537.36",
            "Chrome 139 on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1",
            "Safari 18 on iPhone",
        ),
        ("curl/8.5.0", "curl"),
        ("", ""),
        ("x" * 500, "x" * 40),
    ],
)
def test_a_browser_has_a_name_that_people_know(user_agent: str, name: str) -> None:
    """Whatever it sends, it is short."""
    assert browser_name(user_agent) == name
