"""What Mosquitto says of those whom it turned away (``log_dest topic``): counted, so that the room sees it."""

import re

from gateway.units import Cause, Refusals

PREFIX = "$SYS/broker/log/"
LOG_TOPICS = (f"{PREFIX}N", f"{PREFIX}E", f"{PREFIX}W")
"""Its notices, errors and warnings. It never tells on a topic what it logs for debugging."""


def is_log(topic: str) -> bool:
    """Return whether a topic is one of the broker's log."""
    return topic.startswith(PREFIX)


_TURNED_AWAY = re.compile(
    "certificate verify failed|peer did not return a certificate|certificate revoked|certificate expired"
)
_OVERSIZED = re.compile(r"Client (?P<client>\S+) disconnected due to oversize packet")
_SAID_MAX = 200


class Logbook:
    """Reads the broker's log. What is on it beside refusals is passed over."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals

    def read(self, payload: bytes) -> None:
        """Count what one line tells, if anything."""
        said = payload.decode(errors="replace")[-_SAID_MAX:]
        oversized = _OVERSIZED.search(said)
        if oversized is not None:
            # The broker calls clients by what is on their certificate: that is the unit's label.
            self._refusals.count(Cause.OVERSIZED, oversized["client"], said="more than the broker takes")
        elif _TURNED_AWAY.search(said) is not None:
            self._refusals.count(Cause.NO_CERTIFICATE, said=said)
