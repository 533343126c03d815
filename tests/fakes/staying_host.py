"""A camera host that goes on without its gateway, as those do that systemd runs, and gateways that come and go."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from config.hosts import HostSettings
from config.settings import Settings
from gateway.app import open_gateway
from kernel.clock import SystemClock
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.host import FakeHost
from tests.fakes.waiting import until


class StayingHost:
    """Made by :func:`open_staying_host`."""

    def __init__(self, settings: Settings, host: FakeHost) -> None:
        self.settings = settings
        self.host = host

    @asynccontextmanager
    async def first(self) -> AsyncIterator[Desk]:
        """Give a gateway that was just set up."""
        async with open_desk(self.settings.server.data_dir, settings=self.settings, host=self.host) as desk:
            yield desk

    @asynccontextmanager
    async def next(self) -> AsyncIterator[Desk]:
        """Give the gateway after that, which nobody is signed in at here, once it is linked."""
        async with (
            open_gateway(self.settings, clock=SystemClock(), open_host=self.host.open) as gateway,
            AsyncExitStack() as stack,
        ):
            await until(lambda: gateway.fleet.up, what="the host to be linked")
            yield Desk(gateway, self.host, stack)


@asynccontextmanager
async def open_staying_host(path: Path) -> AsyncIterator[StayingHost]:
    """Run a host for the time of the block."""
    hosts = HostSettings(workers=1, supervisor="systemd", socket_dir=path / "run")
    settings = settings_in(path).model_copy(update={"hosts": hosts})
    host = FakeHost()
    async with host.open(settings.of_host(0), settings.host_socket(0), clock=SystemClock()):
        yield StayingHost(settings, host)
