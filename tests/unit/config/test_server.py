"""The server's settings hold together."""

import pytest

from config.errors import BadValueError
from config.loader import load
from config.map import MapSettings
from config.server import ServerSettings


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.5.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("cctv", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host: str, *, loopback: bool) -> None:
    """Plain HTTP hangs on it."""
    assert ServerSettings(host=host).loopback is loopback


def test_a_database_that_is_not_sqlite_is_refused_with_the_cure() -> None:
    """One sentence, and no password in it."""
    with pytest.raises(BadValueError, match=r"SQLite only: use .sqlite") as caught:
        load(environment={"SIGHTLINE_SERVER__DATABASE_URL": "postgresql+psycopg://s:hush@db/sightline"})
    assert "hush" not in caught.value.message


def test_https_of_a_proxy_counts_as_tls() -> None:
    """Secure cookies and HSTS hang on it."""
    plain = ServerSettings(host="127.0.0.1", plain_http=True)
    proxied = ServerSettings(host="127.0.0.1", plain_http=True, public_urls=("https://cctv.example.org",))
    assert [plain.behind_tls, proxied.behind_tls, ServerSettings().behind_tls] == [False, True, True]


def test_plain_http_is_allowed_on_loopback() -> None:
    """The demo may."""
    assert ServerSettings(host="127.0.0.1", plain_http=True).plain_http


def test_public_urls_are_kept_as_origins() -> None:
    """They are compared with Origin headers, so case and the last slash do not count."""
    assert ServerSettings(public_urls=("HTTPS://CCTV.example.org/",)).public_urls == ("https://cctv.example.org",)


def test_a_map_without_tiles_is_good() -> None:
    """The map draws its own ground then."""
    assert MapSettings(tiles_url=None).tiles_url is None


def test_a_tile_server_is_taken() -> None:
    """A template with its three places is kept as it is."""
    url = "https://tiles.example.org/{z}/{x}/{y}.png"
    assert MapSettings(tiles_url=url).tiles_url == url
