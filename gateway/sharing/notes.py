"""One line both ways, and how often somebody outside may do anything."""

from collections import OrderedDict, deque

from config.sharing import SharingSettings
from gateway.db.engine import Database
from gateway.db.sharing import NoteRow, ShareRow, ShareRows
from gateway.sharing.changes import Bell, Noted, Person
from gateway.sharing.errors import TooOftenError
from kernel.clock import NS_PER_S, Clock
from kernel.ids import new_id

NOTES_MAX = 500
"""In one share."""
SHOWN = 100
_PEOPLE_KEPT = 10_000


class Acts:
    """Counts what each person does within a minute."""

    def __init__(self, *, clock: Clock, settings: SharingSettings) -> None:
        self._clock = clock
        self._most = settings.acts_per_minute
        self._times: OrderedDict[str, deque[int]] = OrderedDict()

    def count(self, user_id: str) -> None:
        """Count one act.

        Raises:
            TooOftenError: there were as many within the last minute as there may be.
        """
        now_ns = self._clock.monotonic_ns()
        times = self._times.setdefault(user_id, deque(maxlen=self._most))
        self._times.move_to_end(user_id)
        while len(self._times) > _PEOPLE_KEPT:
            self._times.popitem(last=False)
        if len(times) == self._most and now_ns - times[0] < 60 * NS_PER_S:
            raise TooOftenError(f"More than {self._most} requests came within a minute.", cure="Wait a little.")
        times.append(now_ns)


class Notes:
    """What was written in shares."""

    def __init__(self, database: Database, *, clock: Clock, bell: Bell) -> None:
        self._database = database
        self._clock = clock
        self._bell = bell

    async def write(self, share: ShareRow, text: str, *, by: Person, outside: bool) -> NoteRow:
        """Write one line, and tell both sides.

        Raises:
            TooOftenError: the share is full of them.
        """
        row = NoteRow(
            id=new_id(),
            share_id=share.id,
            at_ns=self._clock.wall_ns(),
            user_id=by.user_id,
            name=by.name,
            outside=outside,
            text=text,
        )
        async with self._database.write() as connection:
            rows = ShareRows(connection)
            if await rows.count_notes(share.id) >= NOTES_MAX:
                raise TooOftenError(f"There are {NOTES_MAX} notes in this share.", cure="Make a new share, or call.")
            await rows.add_note(row)
        self._bell.ring(Noted(share, row))
        return row

    async def of(self, share: ShareRow) -> list[NoteRow]:
        """Return the newest notes of a share, oldest first."""
        async with self._database.read() as connection:
            return await ShareRows(connection).notes(share.id, limit=SHOWN)
