"""Deployments as they are kept, for whoever asks: each by itself, lists, logs, what is due, what is kept of alarms."""

import json
from collections.abc import Collection
from itertools import islice

from config.deployments import DeploymentSettings
from gateway.db.deployments import DeploymentRows, EntryRow, PictureRow
from gateway.db.engine import Database
from gateway.deployments.deployment import DAY_NS, Deployment, Stage
from gateway.deployments.due import Due, due
from gateway.deployments.hands import Hand
from gateway.deployments.kept import check_same, read
from gateway.deployments.steps import NAMES, Photo, Step
from kernel.clock import BELIEVED_S, Clock, SteadyClock

_OPEN = frozenset({Stage.REFERRED, Stage.DEPLOYED, Stage.REMOVED, Stage.WITHDRAWN})


class Reading:
    """What :class:`gateway.deployments.service.Deployments` answers and does not change."""

    def __init__(self, database: Database, *, clock: Clock, settings: DeploymentSettings) -> None:
        self._database = database
        self._clock = clock
        self._steady = SteadyClock(clock, believed_s=BELIEVED_S)
        self._settings = settings

    def now_ns(self) -> int:
        """Return the time of day by which stays end, which does not leap ahead with the wall clock for a day."""
        return self._steady.wall_ns()

    async def one(self, deployment_id: str) -> Deployment:
        """Return one.

        Raises:
            UnknownDeploymentError: there is none.
        """
        async with self._database.read() as connection:
            return read(await DeploymentRows(connection).one(deployment_id))

    async def newest(
        self,
        *,
        stage: Stage | None = None,
        urn: str | None = None,
        before: str | None = None,
        signs_hang: bool = False,
        limit: int = 100,
    ) -> list[Deployment]:
        """Return the newest that match; ``before`` is the identifier of the oldest that one has.

        With ``signs_hang`` only those whose signs are up for no unit any more.
        """
        most = None if signs_hang else limit
        async with self._database.read() as connection:
            rows = await DeploymentRows(connection).newest(stage=stage, urn=urn, before=before, limit=most)
        found = (read(row) for row in rows)
        return list(islice((one for one in found if one.signs_hang or not signs_hang), limit))

    async def of_devices(self, urns: Collection[str]) -> list[Deployment]:
        """Return every one of these devices, the newest first."""
        async with self._database.read() as connection:
            return [read(row) for row in await DeploymentRows(connection).of_devices(urns)]

    async def log(self, deployment_id: str) -> list[EntryRow]:
        """Return everything that was said of one, the oldest first.

        Raises:
            UnknownDeploymentError: there is none.
        """
        async with self._database.read() as connection:
            rows = DeploymentRows(connection)
            read(await rows.one(deployment_id))
            return await rows.log(deployment_id)

    async def sent_before(self, deployment_id: str, step: Step, by: Hand, key: str | None) -> EntryRow | None:
        """Return the line of a step that was sent before under this key; ``None`` where nothing was.

        Raises:
            SentError: another step was.
        """
        if key is None:
            return None
        async with self._database.read() as connection:
            sent = await DeploymentRows(connection).said_before(deployment_id, key)
        if sent is not None:
            check_same(sent, step, by)
        return sent

    async def sent_bytes(self, user_id: str) -> int:
        """Return how many bytes of photos somebody sent within the last day."""
        since_ns = self._clock.wall_ns() - DAY_NS
        async with self._database.read() as connection:
            said = await DeploymentRows(connection).said_since(user_id, NAMES[Photo], since_ns)
        return sum(json.loads(one)["size_bytes"] for one in said)

    async def due(self) -> list[Due]:
        """Return what needs a person, what is overdue first."""
        async with self._database.read() as connection:
            rows = await DeploymentRows(connection).of_stages(frozenset(stage.value for stage in _OPEN))
        return due(
            [read(row) for row in rows],
            now_ns=self.now_ns(),
            warn_days=self._settings.warn_days,
            evaluation_days=self._settings.evaluation_days,
        )

    async def pictures(self, *, before_ns: int) -> list[PictureRow]:
        """Return the pictures of alarms that are kept and were seen before an instant, the oldest first."""
        async with self._database.read() as connection:
            return await DeploymentRows(connection).pictures(before_ns=before_ns)

    async def keepers(self, sha256: str) -> list[str]:
        """Return the deployments that keep a picture of that hash."""
        async with self._database.read() as connection:
            return await DeploymentRows(connection).keepers(sha256)
