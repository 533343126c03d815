"""A unit that says far more than units do: counted, and seen out of the broker before others have no room there."""

from collections.abc import Callable, Sequence

import structlog

from gateway.telemetry.arrived import Arrived
from gateway.telemetry.topics import label_in
from gateway.units import Cause, Units
from kernel.clock import NS_PER_S, Clock

log = structlog.get_logger()

WINDOW_NS = 60 * NS_PER_S


class Floods:
    """Counts what each unit says in a minute. ``see_out``: has a unit's connection end."""

    def __init__(self, units: Units, see_out: Callable[[str], None], *, per_minute: int, clock: Clock) -> None:
        self._units = units
        self._see_out = see_out
        self._per_minute = per_minute
        self._clock = clock
        self._began_ns = clock.monotonic_ns()
        self._said: dict[str, int] = {}
        """By label, since the minute began: of our units alone, as nobody else may write."""

    def came(self, arrived: Sequence[Arrived]) -> None:
        """Count what has come. What the broker had kept comes all at once, and is nobody's flood."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._began_ns >= WINDOW_NS:
            self._began_ns = now_ns
            self._said.clear()
        for label in [label_in(one.topic) for one in arrived if not one.stored]:
            if not self._units.register.knows(label):
                continue
            self._said[label] = count = self._said.get(label, 0) + 1
            if count == self._per_minute + 1:
                said = f"more than {self._per_minute} messages in a minute"
                self._units.refusals.count(Cause.FLOODING, label, said=said)
                log.warning("unit.flooding", unit=label, per_minute=self._per_minute)
                self._see_out(label)
