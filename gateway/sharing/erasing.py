"""Personal detail of sharing is not kept for longer than the audit keeps its own."""

import structlog

from gateway.db.engine import Database
from gateway.db.errors import DatabaseError
from gateway.db.partners import PartnerRows
from gateway.db.sharing import ShareRows
from kernel.clock import NS_PER_S, Clock, SteadyClock

log = structlog.get_logger()

ERASE_EVERY_S = 3600.0
_DAY_NS = 86_400 * NS_PER_S


class Erasing:
    """Deletes what is old: notes, shares that are over, tests of links; and invitations that ran out."""

    def __init__(self, database: Database, *, clock: Clock, personal_days: float) -> None:
        self._database = database
        self._clock = SteadyClock(clock)
        self._kept_ns = round(personal_days * _DAY_NS)

    async def erase(self) -> None:
        """Delete what is too old by now; with a failing database at a later turn."""
        now_ns = self._clock.wall_ns()
        try:
            async with self._database.write() as connection:
                erased = await ShareRows(connection).erase(now_ns - self._kept_ns)
                erased += await PartnerRows(connection).remove_expired(now_ns)
        except DatabaseError as error:
            log.error("share.erasure_failed", error=error.code)  # noqa: TRY400 - a plain reason
        else:
            if erased:
                log.info("share.erased", rows=erased)
