"""A witness is a broker outside, over TLS, and its password stands in no address."""

import pytest
from pydantic import ValidationError

from config.audit import AuditSettings


@pytest.mark.parametrize(
    "url", ["mqtts://witness.example.org", "mqtts://192.0.2.1:8884", "mqtt://127.0.0.1:1883", "mqtt://localhost"]
)
def test_a_broker_is_taken(url: str) -> None:
    """Without TLS on this machine only."""
    assert AuditSettings(witness_mqtt_url=url).witness_mqtt_url == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mqtt://witness.example.org", "use mqtts://"),
        ("mqtt://192.0.2.1", "use mqtts://"),
        ("https://witness.example.org", "not a broker"),
        ("mqtts://", "not a broker"),
        ("mqtts://witness.example.org/topic", "not a broker"),
        ("mqtts://user:secret@witness.example.org", "witness_password"),
    ],
)
def test_anything_else_is_refused(url: str, said: str) -> None:
    """With what to write in its place, and without repeating a password."""
    with pytest.raises(ValidationError, match=said):
        AuditSettings(witness_mqtt_url=url)


def test_a_password_needs_a_user() -> None:
    """MQTT sends none without."""
    with pytest.raises(ValidationError, match="witness_username"):
        AuditSettings(witness_password="secret")


@pytest.mark.parametrize("origin", ["", "two words", "a+b"])
def test_a_name_that_a_signed_note_cannot_carry_is_refused(origin: str) -> None:
    """C2SP signed-note: no white space and no plus in the name of a key."""
    with pytest.raises(ValidationError):
        AuditSettings(origin=origin)
