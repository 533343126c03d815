"""What the gateway does about its camera hosts before anything else runs."""

from pathlib import Path

import pytest

from config.errors import BadValueError
from config.hosts import HostSettings
from config.server import ServerSettings
from config.settings import Settings
from gateway.app import SOCKET_PATH_MAX, open_gateway
from gateway.fleet.links import HostPlace
from kernel.clock import SystemClock
from tests.fakes.host import FakeHost


def _settings(path: Path, hosts: HostSettings) -> Settings:
    server = ServerSettings(host="127.0.0.1", port=0, plain_http=True, data_dir=path, shutdown_s=1.0)
    return Settings(server=server, hosts=hosts)


def _long(path: Path) -> Path:
    return path / ("long" * (SOCKET_PATH_MAX // 4))


async def test_a_path_too_long_for_systemds_hosts_is_told(tmp_path: Path) -> None:
    """Hosts that others start cannot be told of another place: the setting has to be mended."""
    settings = _settings(_long(tmp_path), HostSettings(workers=2, supervisor="systemd"))
    opening = open_gateway(settings, clock=SystemClock(), open_host=FakeHost().open)
    with pytest.raises(BadValueError, match="too long for a Unix socket") as caught:
        await opening.__aenter__()
    assert "hosts.socket_dir" in caught.value.cure


async def test_a_path_too_long_for_our_own_host_is_no_trouble(tmp_path: Path) -> None:
    """The host inside the gateway answers at a shorter place, which is gone afterwards."""
    settings = _settings(_long(tmp_path), HostSettings())
    async with open_gateway(settings, clock=SystemClock(), open_host=FakeHost().open) as gateway:
        place: HostPlace = gateway.fleet.links[0].place
        assert len(str(place.socket)) <= SOCKET_PATH_MAX
        assert place.socket.exists()
        assert gateway.hosts == ()
    assert not place.socket.parent.exists()
