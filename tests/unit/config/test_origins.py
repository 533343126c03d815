"""Web origins in settings."""

import pytest
from pydantic import ValidationError

from config.live import LiveSettings
from config.origins import origin


def test_an_origin_is_kept_as_browsers_send_it() -> None:
    """In small letters, without a slash behind it."""
    assert origin("https://Wall.example.org:8443/") == "https://wall.example.org:8443"


@pytest.mark.parametrize("url", ["*", "wall.example.org", "ftp://a.example", "https://a.example/page", "https://?q=1"])
def test_what_is_no_origin_is_refused(url: str) -> None:
    """Neither a pattern nor an address with more in it may stand for a site whose pages play."""
    with pytest.raises(ValidationError, match="is not an origin"):
        LiveSettings(player_origins=(url,))
