"""What Mosquitto logs of those whom it turned away is counted; the rest is passed over."""

import pytest

from gateway.telemetry.logbook import Logbook
from gateway.units import Cause, Refusals
from tests.fakes.clock import ManualClock

SEEN = [
    ("Client D017 disconnected due to oversize packet.", Cause.OVERSIZED, "D017"),
    ("OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed", Cause.NO_CERTIFICATE, ""),
    ("OpenSSL Error[0]: error:0A0000C7:SSL routines::peer did not return a certificate", Cause.NO_CERTIFICATE, ""),
    (
        "Client connection from 127.0.0.1 failed: error:0A000086:SSL routines::certificate verify failed.",
        Cause.NO_CERTIFICATE,
        "",
    ),
]
PASSED_OVER = [
    "New client connected from 127.0.0.1:39403 as D017 (p5, c0, k60, u'D017').",
    "Client D017 disconnected.",
    "OpenSSL Error[0]: error:0A000126:SSL routines::unexpected eof while reading",
]


@pytest.mark.parametrize(("line", "cause", "label"), SEEN)
def test_who_is_turned_away_is_counted(clock: ManualClock, line: str, cause: Cause, label: str) -> None:
    """As Mosquitto 2.0 says it, with the time before it."""
    refusals = Refusals(clock=clock, known=lambda _: True)
    Logbook(refusals).read(f"1795870688: {line}".encode())
    assert [(one.cause, one.label, one.count) for one in refusals.all()] == [(cause, label, 1)]


@pytest.mark.parametrize("line", PASSED_OVER)
def test_anything_else_is_no_refusal(clock: ManualClock, line: str) -> None:
    """Who comes and goes."""
    refusals = Refusals(clock=clock, known=lambda _: True)
    Logbook(refusals).read(line.encode())
    assert refusals.all() == []
