"""Keeps what needs a person now, since when, and what of it was put off: looked at twice a minute."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from gateway.db.engine import Database
from gateway.db.put_offs import PutOff, PutOffs
from gateway.health.errors import NoSuchNeedError, PutOffError
from gateway.health.need import Kind, Need, Urgency, Whose, more_urgent
from gateway.health.urgency import Round, Signs, UnitSigns, needs, newest_firmware
from gateway.listeners import Listeners
from kernel.clock import NS_PER_S, Clock, every
from kernel.ids import CameraId

LOOK_S = 30.0
PUT_OFF_MOST_NS = 31 * 86_400 * NS_PER_S
OVER_NS = 900 * NS_PER_S
"""What was put off is forgotten once it has been over for so long: a link that comes and goes is one trouble."""

_Key = tuple[Whose, Kind]


class Ward:
    """``signs`` gives what is known of every camera and unit now."""

    def __init__(self, signs: Callable[[], Awaitable[Round]], database: Database, *, clock: Clock) -> None:
        self.needs: tuple[Need, ...] = ()
        """The most urgent first, as of the last look."""
        self.signs: Mapping[CameraId, Signs] = {}
        """What was known then of each camera."""
        self.units: Mapping[str, UnitSigns] = {}
        """What was known then of each unit, by label."""
        self.newest: Mapping[tuple[str, str], str] = {}
        """The newest firmware by make and model."""
        self.looked_ns: int | None = None
        """When that was: wall time in ns; ``None`` before the first."""
        self._signs = signs
        self._database = database
        self._clock = clock
        self._since: dict[_Key, int] = {}
        self._put_off: dict[_Key, PutOff] | None = None
        """``None`` until it was read."""
        self._needed_ns: dict[_Key, int] = {}
        """When what was put off was last seen to be so, on the monotonic clock."""
        self._listening: Listeners[[]] = Listeners("health.untold")
        self._asked = asyncio.Event()
        self._turn = asyncio.Lock()
        """One look at a time: what was known before does not take the place of what is known since."""

    def listen(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call ``call`` after each look; returns the detaching call."""
        return self._listening.add(call)

    async def run(self) -> None:
        """Look until cancelled."""
        await self.look()
        async with every(self._clock, LOOK_S) as ticks:
            async for _ in ticks:
                await self.look()

    def soon(self) -> None:
        """Have it look without waiting for its time: something has changed that people wait for."""
        self._asked.set()

    async def run_asked(self) -> None:
        """Look whenever it was asked for, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self.look()

    async def look(self) -> None:
        """Judge everything anew."""
        async with self._turn:
            await self._look()

    async def _look(self) -> None:
        known = await self._signs()
        now_ns = self._clock.wall_ns()
        found = needs(known, now_ns=now_ns)
        # What does not say itself since when it is so, has been so since it was first seen.
        self._since = {(one.whose, one.kind): self._since.get((one.whose, one.kind), now_ns) for one in found}
        self.needs = tuple(
            one if one.since_ns is not None else replace(one, since_ns=self._since[one.whose, one.kind])
            for one in found
        )
        self.signs = {one.camera: one for one in known.cameras}
        self.units = {one.label: one for one in known.units}
        self.newest = newest_firmware(known.cameras)
        self.looked_ns = now_ns
        await self._known()  # whoever listens tells what was put off
        self._listening.tell()
        await self._let_lapse()

    def put_off_of(self, need: Need) -> PutOff | None:
        """Return by whom a need was put off, until when and why; ``None`` where it was not, or comes up again."""
        one = (self._put_off or {}).get((need.whose, need.kind))
        return one if one is not None and not self._comes_up_again(one, need) else None

    def unit_of(self, camera: CameraId) -> UnitSigns | None:
        """Return what is known of the unit that carries a camera; ``None`` where none does."""
        return next((one for one in self.units.values() if camera in one.cameras), None)

    async def put_off(self, whose: Whose, kind: Kind, *, until_ns: int | None, reason: str, by_name: str) -> Need:
        """Have a need wait until an instant, or with ``None`` for as long as it lasts; it is still told of.

        It comes up before if it becomes more urgent, or another fault of the picture takes its place.

        Raises:
            NoSuchNeedError: nothing of that kind needs a person there.
            PutOffError: the instant is past, or further off than 31 days.
        """
        now_ns = self._clock.wall_ns()
        if until_ns is not None and not now_ns < until_ns <= now_ns + PUT_OFF_MOST_NS:
            raise PutOffError("It can be put off until an instant within 31 days.", cure="Choose another one.")
        need = self._need(whose, kind)
        put_off = await self._known()
        one = PutOff(
            camera_id=whose.camera,
            unit=whose.unit or None,
            kind=kind.value,
            urgency=need.urgency.value,
            cause=need.cause,
            reason=reason,
            by_name=by_name,
            at_ns=now_ns,
            until_ns=until_ns,
        )
        async with self._database.write() as connection:
            await PutOffs(connection).put(one)
        put_off[whose, kind] = one
        self._needed_ns[whose, kind] = self._clock.monotonic_ns()
        return need

    async def take_up(self, whose: Whose, kind: Kind) -> None:
        """Have what was put off come up again now.

        Raises:
            NoSuchNeedError: nothing of that kind was put off there.
        """
        if (whose, kind) not in await self._known():
            raise NoSuchNeedError("That was not put off.", cure="Somebody took it up before, or it is over.")
        await self._forget([(whose, kind)])

    def _need(self, whose: Whose, kind: Kind) -> Need:
        for one in self.needs:
            if (one.whose, one.kind) == (whose, kind):
                return one
        raise NoSuchNeedError("That needs nobody any more.", cure="It is over; there is nothing to put off.")

    async def _known(self) -> dict[_Key, PutOff]:
        if self._put_off is None:
            async with self._database.read() as connection:
                rows = await PutOffs(connection).all()
            if self._put_off is None:  # somebody else may have read them meanwhile, and changed them
                self._put_off = {(_whose(row), Kind(row.kind)): row for row in rows}
        return self._put_off

    async def _let_lapse(self) -> None:
        """Forget what was put off and comes up again, or is over."""
        known, now_ns = await self._known(), self._clock.monotonic_ns()
        lapsed = []
        found = {(one.whose, one.kind): one for one in self.needs}
        for key, one in known.items():
            need = found.get(key)
            if need is not None:
                self._needed_ns[key] = now_ns
                if self._comes_up_again(one, need):
                    lapsed.append(key)
            elif now_ns - self._needed_ns.setdefault(key, now_ns) >= OVER_NS:
                lapsed.append(key)
        if lapsed:
            await self._forget(lapsed)

    def _comes_up_again(self, one: PutOff, need: Need) -> bool:
        another = need.kind is Kind.PICTURE and need.cause != one.cause
        worse = more_urgent(need.urgency, Urgency(one.urgency))
        return another or worse or (one.until_ns is not None and one.until_ns <= self._clock.wall_ns())

    async def _forget(self, keys: Sequence[_Key]) -> None:
        known = await self._known()
        async with self._database.write() as connection:
            for whose, kind in keys:
                await PutOffs(connection).remove(whose.camera, whose.unit or None, kind)
        for key in keys:
            known.pop(key, None)
            self._needed_ns.pop(key, None)


def _whose(row: PutOff) -> Whose:
    return Whose(camera=CameraId(row.camera_id) if row.camera_id is not None else None, unit=row.unit or "")
