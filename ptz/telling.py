"""What everybody is told of a head, each time it changes."""

from collections.abc import Callable
from dataclasses import replace

import structlog

from kernel.errors import SightlineError
from kernel.head import HeadStatus
from ptz.ports import Head
from ptz.state import Bar, HeadState

log = structlog.get_logger()


class Teller:
    """One head's."""

    def __init__(self, head: Head, on_state: Callable[[HeadState], None]) -> None:
        self._head = head
        self._on_state = on_state
        self.state = HeadState(presets_only=head.abilities.presets_only)

    def seen(self, status: HeadStatus) -> None:
        """Tell where it looks; told again even where nothing changed: it was seen just now."""
        self.state = replace(self.state, position=status.position, wall_ns=status.wall_ns)
        self._on_state(self.state)

    def note(self, error: SightlineError) -> None:
        """Tell what went wrong."""
        if self.state.fault is None or self.state.fault.code != error.code:
            log.warning("head.fault", error=error.code)
        self.show(moving=self.state.moving, fault=error)

    def show(self, *, moving: bool, fault: SightlineError | None, presets_only: bool | None = None) -> None:
        """Tell whether it moves, what is wrong with it, and whether anything stops it (``None``: as before)."""
        mark = self.state.presets_only if presets_only is None else presets_only
        self._tell(replace(self.state, moving=moving, fault=fault, presets_only=mark))

    def rested(self) -> None:
        """Tell that it stands: the ladder's mark is forgiven, enrolment's is not."""
        self.show(moving=False, fault=None, presets_only=self._head.abilities.presets_only)

    def bar(self, bar: Bar | None) -> None:
        """Tell which bound holds it back."""
        self._tell(replace(self.state, bar=bar))

    def _tell(self, state: HeadState) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)
