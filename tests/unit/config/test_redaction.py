"""What may be shown of settings."""

from pydantic import BaseModel, SecretStr

from config.live import IceServer, LiveSettings
from config.redaction import HIDDEN, redacted, without_password
from config.server import ServerSettings
from config.settings import Settings


def test_a_turn_credential_is_hidden() -> None:
    """The credential of an ICE server is never shown, its user name is."""
    live = LiveSettings(ice_servers=(IceServer(url="turn:t.example.org", username="u", credential=SecretStr("hush")),))
    shown = redacted(Settings(live=live))
    assert "hush" not in str(shown)
    assert shown["live"]["ice_servers"][0]["username"] == "u"


def test_a_database_password_is_hidden() -> None:
    """The password in an address is hidden, the address stays readable."""
    url = "sqlite+aiosqlite://s:hush@db:5432/sightline"
    shown = redacted(Settings(server=ServerSettings(database_url=url)))
    assert shown["server"]["database_url"] == f"sqlite+aiosqlite://s:{HIDDEN}@db:5432/sightline"


def test_the_name_of_a_key_file_is_shown() -> None:
    """Where the key lies is no secret."""
    assert redacted(ServerSettings())["tls_key"] is None


def test_anything_called_secret_is_hidden() -> None:
    """A key whose name says so is hidden, whoever adds it."""

    class Odd(BaseModel):
        api_secret: str = "hush"
        session_password: str | None = None
        password_min_length: int = 12

    assert redacted(Odd()) == {"api_secret": HIDDEN, "session_password": None, "password_min_length": 12}


def test_an_address_without_password_stays() -> None:
    """Nothing is invented."""
    assert without_password("https://a@example.org/x") == "https://a@example.org/x"
