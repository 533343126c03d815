"""The deployments of a site: each step written once, with the line that says so, and what follows from it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from config.deployments import DeploymentSettings
from gateway.db.deployments import DeployableRow, DeploymentRows, EntryRow, PictureRow
from gateway.db.engine import Database
from gateway.db.errors import ConflictError
from gateway.db.turns import by_turns
from gateway.deployments.deployment import Deployment, Stage
from gateway.deployments.done import Done, Told, check_undone, done, follows_ns, recorded_when_down
from gateway.deployments.errors import DeploymentError, StepError, TakenError, WishError
from gateway.deployments.geofence import Quiet, Report
from gateway.deployments.hands import Hand, Right, Rules
from gateway.deployments.kept import check_same, entry_of, read, row_of
from gateway.deployments.life import after, begun, check_again, settled
from gateway.deployments.ports import Estate
from gateway.deployments.standing import Standing
from gateway.deployments.steps import (
    Delete,
    Hung,
    Install,
    Lapse,
    Picture,
    Plan,
    Raise,
    Referral,
    Remind,
    Remove,
    SignOff,
    Step,
    Unpictured,
)
from gateway.listeners import Listeners
from kernel.clock import Clock
from kernel.errors import SightlineError
from kernel.ids import new_id

log = structlog.get_logger()

LOOK_S = 10.0
"""A stay that ends by the clock is found this late at most; validity itself is asked of the clock each time."""
CLOCK = Hand(user_id="system", name="Sightline", rights=frozenset({Right.CLOCK}), person=False)
_WAS_UP = frozenset({Stage.DEPLOYED.value, Stage.REMOVED.value, Stage.EVALUATED.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A step that was taken. ``again``: it had been taken before, and was only sent twice."""

    deployment: Deployment
    entry: EntryRow
    again: bool = False


class Deployments(Standing):
    """Made by :func:`open_deployments`."""

    def __init__(self, database: Database, *, clock: Clock, settings: DeploymentSettings) -> None:
        super().__init__(database, clock=clock, settings=settings)
        self._estate: Estate | None = None
        self._unjudged: set[str] = set()
        """Devices whose hosts are still to be told whether they record."""
        self._listening: Listeners[[Taken]] = Listeners("deployment.untold")
        self._following: Listeners[[Taken]] = Listeners("deployment.untold")
        self._turn = asyncio.Lock()
        """One step at a time: what follows from it in the estate follows in its order."""
        self.rules = Rules(
            criteria=settings.criteria,
            two_people=settings.two_people,
            max_days=settings.max_days,
            review_days=settings.review_days,
            spread_m=settings.spread_m,
            sign_photos=settings.sign_photos,
        )

    # --- what follows from them

    def join(self, estate: Estate) -> None:
        """Have cameras follow what is decided here."""
        self._estate = estate

    def part(self) -> None:
        """Have them follow no more: they are being closed."""
        self._estate = None

    def listen(self, call: Callable[[Taken], None]) -> Callable[[], None]:
        """Call ``call(taken)`` with each step that nobody takes: alarms, ends of stays; returns the detaching call."""
        return self._listening.add(call)

    def follow(self, call: Callable[[Taken], None]) -> Callable[[], None]:
        """Call ``call(taken)`` with every step once, whoever takes it; returns the detaching call."""
        return self._following.add(call)

    # --- changing

    async def mark(self, urn: str, unit: str, *, by: Hand, thin_link: bool = True) -> DeployableRow:
        """Have a device be one that moves: from now on it records where a deployment says why."""
        now_ns = self._clock.wall_ns()
        row = DeployableRow(urn=urn, unit=unit, marked_by=by.user_id, marked_ns=now_ns, thin_link=thin_link)
        async with self._turn:
            async with self._database.write() as connection:
                await DeploymentRows(connection).mark(row)
            self._deployables[urn] = row
            await self._judge(urn)
        return row

    async def unmark(self, urn: str) -> None:
        """Have it be fixed; raises as :meth:`leaving`."""
        async with self.leaving(urn):
            async with self._database.write() as connection:
                await DeploymentRows(connection).unmark(urn)
            self._deployables.pop(urn, None)
            await self._judge(urn)

    @asynccontextmanager
    async def leaving(self, urn: str) -> AsyncIterator[None]:
        """Keep a device that stands nowhere from being put up for the time of the block.

        Raises:
            TakenError: it is deployed.
        """
        async with self._turn:
            if urn in self._standing:
                raise TakenError("This unit is deployed.", cure="Say that it is down first.")
            yield

    async def refer(self, referral: Referral, *, by: Hand, key: str | None = None) -> Taken:
        """Open a deployment. The sender's ``key`` is its identifier where it is sent twice."""
        now_ns = self._clock.wall_ns()
        first = begun(referral, by, id_=new_id(), now_ns=now_ns)
        entry = entry_of(first, referral, by, done=Done(now_ns, now_ns), key=key, before="")
        async with self._turn, self._database.write() as connection:
            rows = DeploymentRows(connection)
            if key is not None and (sent := await rows.referred_before(by.user_id, key)) is not None:
                check_same(sent, referral, by)
                return Taken(deployment=read(await rows.one(sent.deployment_id)), entry=sent, again=True)
            await rows.add(row_of(first, now_ns), entry)
        taken = Taken(deployment=first, entry=entry)
        self._following.tell(taken)
        return taken

    async def step(
        self, deployment_id: str, step: Step, *, by: Hand, key: str | None = None, told: Told | None = None
    ) -> Taken:
        """Take a step. Sent twice with the same ``key`` it is taken once. ``told``: it was done before now.

        Raises:
            DeploymentError: it may not be taken (see :func:`gateway.deployments.life.after`), or is not what was sent.
        """
        async with self._turn:
            known = await self.one(deployment_id)
            if (sent := await self.sent_before(deployment_id, step, by, key)) is not None:
                return Taken(deployment=known, entry=sent, again=True)
            now_ns = self._clock.wall_ns()
            when = done(told, now_ns=now_ns, follows_ns=follows_ns(known, step))
            step = settled(known, step, rules=self.rules, now_ns=when.at_ns)
            then = after(known, step, by, rules=self.rules, now_ns=when.at_ns)
            if isinstance(step, Remove) and not self._settings.record_without:
                then = recorded_when_down(then, when)
            check_undone(known, step, when)
            await self._before(known, step, by, when.at_ns)
            taken = await self._write(then, step, by, done=when, key=key)
            self._keep(then)
            if (known.valid(self.now_ns()), known.until_ns) != (then.valid(self.now_ns()), then.until_ns):
                await self._judge(then.urn)
        self._following.tell(taken)
        return taken

    async def _before(self, known: Deployment, step: Step, by: Hand, at_ns: int) -> None:
        """Do in the estate what a step says was done there. What fails here leaves the step untaken, to be tried anew.

        A camera that was moved for a step that could not be written records nothing at its new place.
        """
        if isinstance(step, Plan):
            if step.urn not in self._deployables:
                raise WishError("That is no deployable unit.", cure="Mark its camera as deployable, or choose another.")
        elif isinstance(step, Install):
            if known.stage is Stage.REMOVED:
                # By when it comes: what a phone says of the time is no licence to wake an old grant.
                check_again(known, by, self._clock.wall_ns())
            if known.urn not in self._deployables or not self._get_estate().has(known.urn):
                raise WishError("The planned unit is not enrolled any more.", cure="Enrol it, or plan another.")
            if known.urn in self._standing:
                raise TakenError("That unit is deployed elsewhere.", cure="Remove it there, or plan another.")
            street = step.street or known.street
            await self._get_estate().put_up(known.urn, step.place, street, step.bearing_deg, at_ns=at_ns)
        elif isinstance(step, SignOff):
            if unconfirmed := await self._get_estate().unconfirmed(known.urn):
                raise StepError(f"Of another place still: {', '.join(unconfirmed)}.", cure="Confirm them here first.")
        elif isinstance(step, Remove):
            await self._get_estate().take_down(known.urn, at_ns=at_ns)

    async def _write(self, then: Deployment, step: Step, by: Hand, *, done: Done, key: str | None) -> Taken:
        try:
            async with self._database.write() as connection:
                rows = DeploymentRows(connection)
                last = await rows.last(then.id)
                entry = entry_of(then, step, by, done=done, key=key, before=last.digest)
                await rows.step(row_of(then, done.came_ns), entry)
                if isinstance(step, Picture):
                    seen_ns = then.pictures[step.sha256].at_ns
                    await rows.keep_picture(
                        PictureRow(deployment_id=then.id, sha256=step.sha256, camera=step.camera, seen_ns=seen_ns)
                    )
                elif isinstance(step, Delete):
                    await rows.forget_picture(then.id, step.sha256)
        except ConflictError as error:
            raise TakenError(error.message, cure=error.cure) from None
        return Taken(deployment=then, entry=entry)

    def _keep(self, then: Deployment) -> None:
        here = self._standing.get(then.urn)
        stood = here is not None and here.id == then.id
        if then.stage is Stage.DEPLOYED:
            self._standing[then.urn] = then
        elif stood:
            del self._standing[then.urn]
        self._watches.follow(then, stood=stood)
        self._hide(then)

    def _get_estate(self) -> Estate:
        if self._estate is None:
            raise DeploymentError("The cameras are not known yet.", cure="Try again in a moment.")
        return self._estate

    async def _judge(self, urn: str) -> None:
        """Have the hosts told. Where that fails the step is taken all the same, and they are told before long."""
        self._unjudged.add(urn)
        if self._estate is None:
            return
        try:
            await self._estate.judge(urn)
        except SightlineError as error:
            log.error("deployment.unjudged", urn=urn, error=error.code)  # noqa: TRY400 - a plain reason
        else:
            self._unjudged.discard(urn)

    # --- what units report

    async def reported(
        self, urn: str, report: Report, *, happened_ns: int | None = None, told_ns: int | None = None
    ) -> list[Taken]:
        """Take in what a unit reports, and return what was raised by it: each is a line of its deployment's log.

        ``happened_ns``: when that was, where it is told late; it is of the deployment by which the unit stood then,
        also where it was taken down since. ``told_ns``: when it was told, where it had to wait. What stands nowhere
        is not watched, and what happened before a unit stood there is nothing of its place. A unit in alarm goes on
        recording.

        Raises:
            TakenError: another process took a step of that deployment: say it again.
        """
        async with self._turn:
            now_ns = self._clock.wall_ns()
            if urn not in self._standing and happened_ns is None:
                happened_ns = told_ns  # it may have been taken down since
            at_ns = happened_ns if happened_ns is not None else now_ns
            known = await self._stood_at(urn, at_ns)
            if known is None:
                return []
            watch, alarm = self._watches.judged(known, report, at_ns)
            taken, stands = [], known.stage is Stage.DEPLOYED
            if stands and known.level is None and watch.level is not None:
                level = Hung(pitch_deg=watch.level.pitch_deg, roll_deg=watch.level.roll_deg)
                taken.append(await self._by_itself(known, level, now_ns))
                known = taken[-1].deployment
            if alarm is not None:
                what = Raise(
                    kind=alarm.kind,
                    by=round(alarm.by, 1),
                    place=alarm.place,
                    happened_ns=happened_ns,
                    down=not stands,
                )
                taken.append(await self._by_itself(known, what, now_ns))
                log.warning("deployment.alarm", deployment=known.id, unit=known.unit, kind=alarm.kind.value)
            # Last: what could not be written is judged again with the next report.
            self._watches.keep(known, watch)
        for one in taken:
            self._tell(one)
        return taken

    async def noted(self, deployment_id: str, step: Picture | Unpictured | Delete | Remind) -> Taken:
        """Write down what nobody does: what a camera saw at an alarm, that it is gone, that something became due.

        Raises:
            UnknownDeploymentError: there is no such deployment.
            StepError: it is over; of a picture: nothing may be kept of what its camera sees.
        """
        async with self._turn:
            known = await self.one(deployment_id)
            if isinstance(step, Picture) and self.blind(known.id, known.urn) is not None:
                raise StepError("No valid deployment says why the camera stands there.", cure="Extend it.")
            taken = await self._by_itself(known, step, self._clock.wall_ns())
        self._tell(taken)
        return taken

    async def _by_itself(
        self, known: Deployment, step: Hung | Raise | Picture | Unpictured | Delete | Remind | Lapse, now_ns: int
    ) -> Taken:
        then = after(known, step, CLOCK, rules=self.rules, now_ns=now_ns)
        try:
            taken = await self._write(then, step, CLOCK, done=Done(now_ns, now_ns), key=None)
        except TakenError:
            self._keep(await self.one(known.id))  # as another process left it
            raise
        self._keep(then)
        return taken

    def _tell(self, taken: Taken) -> None:
        self._listening.tell(taken)
        self._following.tell(taken)

    # --- the clock

    async def load(self) -> None:
        """Read what stands."""
        async with self._database.read() as connection:
            rows = DeploymentRows(connection)
            self._deployables = {row.urn: row for row in await rows.deployables()}
            known = [read(row) for row in await rows.of_stages(_WAS_UP)]
        self._standing = {one.urn: one for one in known if one.stage is Stage.DEPLOYED}
        for one in known:
            self._watches.follow(one, stood=False)
            self._hide(one)

    async def look(self) -> None:
        """End the stays whose time is over: what stands there records nothing from now on. Tell who was not told."""
        now_ns = self.now_ns()
        over = [one for one in self._standing.values() if one.lapsed_ns is None and not one.valid(now_ns)]
        # Before anything is written: that it is over hangs on the clock, and who watches it not on a disk with room.
        for urn in dict.fromkeys([*self._unjudged, *(one.urn for one in over)]):
            async with self._turn:
                await self._judge(urn)
        for wavering in self._watches.wavering(self._standing.values()):
            await self.reported(wavering.urn, Quiet())
        for one in over:
            async with self._turn:
                known = self._standing.get(one.urn)
                if known is None or known.lapsed_ns is not None or known.valid(self.now_ns()):
                    continue
                try:
                    taken = await self._by_itself(known, Lapse(), now_ns)
                except TakenError:
                    await self._judge(known.urn)
                    continue
            log.warning("deployment.lapsed", deployment=known.id, unit=known.unit)
            self._tell(taken)

    async def run(self) -> None:
        """Look, for ever; with a failing database at a later turn."""
        await by_turns(self.look, clock=self._clock, period_s=LOOK_S, failed="deployments.look_failed")


@asynccontextmanager
async def open_deployments(
    database: Database, *, clock: Clock, settings: DeploymentSettings
) -> AsyncIterator[Deployments]:
    """Give the deployments for the time of the block; who may record is known from the first moment on."""
    deployments = Deployments(database, clock=clock, settings=settings)
    await deployments.load()
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(deployments.run(), name="deployments")
        try:
            yield deployments
        finally:
            looking.cancel()
