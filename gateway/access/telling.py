"""Telling whoever listens."""

from collections.abc import Callable, Iterable
from typing import ParamSpec

import structlog

log = structlog.get_logger()
P = ParamSpec("P")


def tell(calls: Iterable[Callable[P, object]], failed: str, *args: P.args, **kwargs: P.kwargs) -> None:
    """Call each of ``calls``, also behind one that fails at it: that is logged as ``failed``.

    What was taken away is taken away, and an act that was done is recorded, whoever fails at hearing of it.
    """
    for call in tuple(calls):
        try:
            call(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - one who fails must not keep it from the others
            log.error(failed, error=repr(error))  # noqa: TRY400 - a traceback is read from the disk
