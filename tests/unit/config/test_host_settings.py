"""What each camera host is told apart by: its port, its recordings, its socket."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.hosts import HostSettings
from config.live import LiveSettings
from config.server import ServerSettings
from config.settings import Settings


@given(workers=st.integers(1, 64))
def test_no_two_hosts_share_anything(workers: int) -> None:
    """Port, owner and socket are each host's own, and the settings in common stay as they are."""
    settings = Settings(hosts=HostSettings(workers=workers))
    own = [settings.of_host(index) for index in range(workers)]
    assert [one.live.port for one in own] == list(range(settings.live.port, settings.live.port + workers))
    assert tuple(one.recording.owner for one in own) == settings.owners
    assert len(set(settings.owners)) == len({settings.host_socket(index) for index in range(workers)}) == workers
    assert {one.server for one in own} == {settings.server}


def test_any_free_port_stays_any_free_port() -> None:
    """Port 0 is not counted up from."""
    settings = Settings(hosts=HostSettings(workers=3), live=LiveSettings(port=0))
    assert [settings.of_host(index).live.port for index in range(3)] == [0, 0, 0]


def test_without_workers_the_settings_are_the_hosts() -> None:
    """The host inside the gateway has the port, the recordings' owner and a socket of its own name."""
    settings = Settings(server=ServerSettings(data_dir=Path("/srv/data")))
    assert settings.of_host(0) is settings
    assert settings.owners == (settings.recording.owner,)
    assert settings.host_socket(0) == Path("/srv/data/run/host.sock")


@pytest.mark.parametrize(
    ("live", "server_port"),
    [({"tcp": False}, 8190), ({"port": 0}, 8190), ({}, 8189 - 1), ({}, 8189 + 4), ({"port": 65_532}, 8443)],
)
def test_ports_that_do_not_meet_are_taken(live: dict[str, object], server_port: int) -> None:
    """The gateway's port may be any that viewers do not take over TCP."""
    Settings(
        hosts=HostSettings(workers=4),
        live=LiveSettings.model_validate(live),
        server=ServerSettings(port=server_port),
    )
