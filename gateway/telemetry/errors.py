"""What goes wrong on the way to and from units.

TelemetryError (kernel.errors.SightlineError; ``status`` is the HTTP status that fits)
├── BrokerAwayError       there is no connection to the broker now
├── UnitAwayError         the unit is not there to be told anything
├── UnansweredError       a command was sent, and no answer came in time
└── TooManyCommandsError  as many commands as may wait for answers do
"""

from kernel.errors import SightlineError


class TelemetryError(SightlineError):
    """Root of this tree."""

    code = "telemetry.error"
    status = 503


class BrokerAwayError(TelemetryError):
    """There is no connection to the broker now."""

    code = "telemetry.broker-away"
    retry_after_s = 10


class UnitAwayError(TelemetryError):
    """The unit is not there to be told anything."""

    code = "telemetry.unit-away"
    status = 409


class UnansweredError(TelemetryError):
    """A command was sent, and no answer came in time."""

    code = "telemetry.unanswered"
    status = 504


class TooManyCommandsError(TelemetryError):
    """As many commands as may wait for answers do."""

    code = "telemetry.too-many"
    status = 429
    retry_after_s = 30
