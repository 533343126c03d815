"""How fast one session or token may open and change views.

An offer costs a host keys, checks and a group of pictures: a program that asks without end would cost others theirs.
"""

from config.live import LiveSettings
from gateway.access.identity import Identity
from gateway.api.errors import TooManyOffersError
from kernel.allowance import Allowance
from kernel.clock import Clock

KEPT = 1024
"""Sessions whose allowance is looked at, before those that have used nothing lately are forgotten."""


class Signalling:
    """The allowances of all who watch."""

    def __init__(self, settings: LiveSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._of: dict[str, Allowance] = {}

    def count(self, who: Identity) -> None:
        """Count one request.

        Raises:
            TooManyOffersError: it is one too many (429); with the time after which there is room.
        """
        now_ns = self._clock.monotonic_ns()
        if len(self._of) >= KEPT:
            self._of = {session: one for session, one in self._of.items() if not one.full(now_ns)}
        allowance = self._of.get(who.session)
        if allowance is None:
            allowance = self._of[who.session] = Allowance(
                self._settings.signalling_per_s, self._settings.signalling_burst
            )
        if not allowance.take(now_ns):
            raise TooManyOffersError(allowance.wait_s())
