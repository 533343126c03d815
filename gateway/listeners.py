"""Who is told when something changes: everybody is, also behind somebody who fails at hearing it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Generic, ParamSpec

import structlog

log = structlog.get_logger()

P = ParamSpec("P")


class Listeners(Generic[P]):
    """Of one kind of change. ``failed`` is the event that is logged where one of them fails.

    What has changed has changed whoever hears of it: nothing that is raised by a listener reaches who tells.
    """

    def __init__(self, failed: str) -> None:
        self._failed = failed
        self._calls: list[Callable[P, object]] = []

    def add(self, call: Callable[P, object]) -> Callable[[], None]:
        """Call ``call`` on the event loop with each change from now on; return what ends that, however often."""
        self._calls.append(call)

        def leave() -> None:
            with suppress(ValueError):
                self._calls.remove(call)

        return leave

    def tell(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell everybody, in the order in which they came."""
        for call in tuple(self._calls):
            try:
                call(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - see the class
                who = getattr(call, "__qualname__", repr(call))
                log.error(self._failed, listener=who, error=repr(error))  # noqa: TRY400 - a traceback is read from the disk
