"""Units come over TLS alone, and to one broker."""

import pytest
from pydantic import ValidationError

from config.telemetry import TelemetrySettings


@pytest.mark.parametrize("url", ["mqtts://broker.example.org", "mqtts://192.0.2.1:8884", "mqtts://[::1]:8883"])
def test_a_broker_is_taken(url: str) -> None:
    """With or without a port."""
    settings = TelemetrySettings(broker_url=url)
    assert settings.wanted
    assert settings.url == url


@pytest.mark.parametrize(
    "url", ["mqtt://localhost", "mqtts://", "https://a", "mqtts://a/b", "mqtts://user:secret@broker.example.org"]
)
def test_anything_else_is_refused(url: str) -> None:
    """Without TLS there are no certificates, and passwords are not what units show."""
    with pytest.raises(ValidationError, match="broker_url is of the form"):
        TelemetrySettings(broker_url=url)


def test_there_is_one_broker() -> None:
    """Ours or another."""
    with pytest.raises(ValidationError, match="not both"):
        TelemetrySettings(broker_url="mqtts://localhost", embedded=True)


def test_units_are_off_unless_a_broker_is_set() -> None:
    """Nothing listens that nobody asked for."""
    assert not TelemetrySettings().wanted


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "mqtts://127.0.0.1:8883"),  # noqa: S104 - nothing listens
        ("::", "mqtts://[::1]:8883"),
        ("192.0.2.7", "mqtts://192.0.2.7:8883"),
    ],
)
def test_the_embedded_broker_is_reached_where_it_listens(host: str, url: str) -> None:
    """On loopback where it listens everywhere."""
    assert TelemetrySettings(embedded=True, host=host).url == url


def test_a_host_is_an_address() -> None:
    """A name could be somebody else's tomorrow."""
    with pytest.raises(ValidationError):
        TelemetrySettings(embedded=True, host="localhost")
