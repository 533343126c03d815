"""The number of each camera host for its viewers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.hosts import HostSettings
from config.live import LiveSettings
from config.settings import MAX_PORT, Settings


@given(port=st.integers(1, MAX_PORT - 8), workers=st.integers(1, 8))
def test_every_host_has_a_number_of_its_own(port: int, workers: int) -> None:
    """The first host has ``live.port``, each other one the next."""
    settings = Settings(live=LiveSettings(port=port), hosts=HostSettings(workers=workers))
    assert [settings.of_host(index).live.port for index in range(workers)] == list(range(port, port + workers))


def test_any_free_number_is_any_for_all() -> None:
    """0 stays 0, and the one host inside the gateway has the number as it is."""
    assert Settings(live=LiveSettings(port=0), hosts=HostSettings(workers=3)).of_host(2).live.port == 0
    assert Settings(live=LiveSettings(port=9000)).of_host(0).live.port == 9000


def test_numbers_that_do_not_suffice_are_refused() -> None:
    """Where the last host's number would be none, the error names it before anything starts."""
    assert Settings(live=LiveSettings(port=MAX_PORT - 1), hosts=HostSettings(workers=2))
    with pytest.raises(ValidationError, match="65536"):
        Settings(live=LiveSettings(port=MAX_PORT), hosts=HostSettings(workers=2))
