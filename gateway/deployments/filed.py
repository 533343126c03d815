"""What is on file of the deployments: one, several, the log of one, and what of them is due."""

from collections.abc import Collection

from config.deployments import DeploymentSettings
from gateway.db.deployments import DeploymentRows, EntryRow
from gateway.db.engine import Database
from gateway.deployments.deployment import Deployment, Stage
from gateway.deployments.due import Due, due
from gateway.deployments.kept import read
from kernel.clock import Clock

_OPEN = frozenset({Stage.REFERRED, Stage.DEPLOYED, Stage.REMOVED})


class Filed:
    """Read by everybody; what is written is written by ``gateway.deployments.service``."""

    def __init__(self, database: Database, *, clock: Clock, settings: DeploymentSettings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings

    async def one(self, deployment_id: str) -> Deployment:
        """Return one.

        Raises:
            UnknownDeploymentError: there is none.
        """
        async with self._database.read() as connection:
            return read(await DeploymentRows(connection).one(deployment_id))

    async def newest(
        self, *, stage: Stage | None = None, urn: str | None = None, before: str | None = None, limit: int = 100
    ) -> list[Deployment]:
        """Return the newest that match; ``before`` is the identifier of the oldest that one has."""
        async with self._database.read() as connection:
            rows = await DeploymentRows(connection).newest(stage=stage, urn=urn, before=before, limit=limit)
        return [read(row) for row in rows]

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

    async def due(self) -> list[Due]:
        """Return what needs a person, what is overdue first."""
        async with self._database.read() as connection:
            rows = await DeploymentRows(connection).of_stages(frozenset(stage.value for stage in _OPEN))
        return due(
            [read(row) for row in rows],
            now_ns=self._clock.wall_ns(),
            warn_days=self._settings.warn_days,
            evaluation_days=self._settings.evaluation_days,
        )
