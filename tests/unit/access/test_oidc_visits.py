"""How long a visit to a provider may last, and what is left of it."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from gateway.access.errors import TooManyAttemptsError
from gateway.access.limits import Attempts
from gateway.access.oidc.admission import Admission
from gateway.access.oidc.errands import Answer, Departure, Errand
from gateway.access.oidc.errors import NotAdmittedError, ProviderError, ProviderRefusedError, VisitError
from gateway.access.oidc.provider import Provider
from gateway.access.oidc.service import VISIT_S, Oidc
from gateway.access.permissions import Role
from gateway.db.visits import Visits
from tests.fakes.oidc_desk import provider_settings
from tests.fakes.signing_provider import SigningProvider, signing_provider
from tests.unit.access.conftest import HERE, Door

ORIGIN = "https://cctv.example.org"


@pytest_asyncio.fixture
async def there() -> AsyncIterator[SigningProvider]:
    """A provider."""
    async with signing_provider() as provider:
        yield provider


@pytest.fixture
def oidc(door: Door, there: SigningProvider, tmp_path: Path) -> Oidc:
    """The way there, under a clock that stands."""
    settings = provider_settings(tmp_path, there.issuer)
    provider = Provider(settings, clock=door.clock, secret=None, tls=ssl.create_default_context())
    return Oidc(
        [provider],
        door.database,
        clock=door.clock,
        admission=Admission(door.database, clock=door.clock, access=door.access),
        departures=Attempts(clock=door.clock, capacity=30, refill_s=10),
        arrivals=Attempts(clock=door.clock, capacity=30, refill_s=10),
    )


@pytest_asyncio.fixture(autouse=True)
async def administrator(door: Door) -> None:
    """Let there be somebody already."""
    await door.add("root", Role.ADMINISTRATOR)


async def begun(oidc: Oidc) -> Departure:
    """Send somebody there."""
    return await oidc.begin("borough", Errand(), origin=ORIGIN, address=HERE)


def answer(there: SigningProvider, departure: Departure) -> Answer:
    """Return what they bring back."""
    back = dict(part.split("=", 1) for part in there.approve(departure.url).partition("?")[2].split("&"))
    return Answer(code=back["code"], state=back["state"], issuer=there.issuer)


@pytest.mark.parametrize(("after_s", "shown"), [(VISIT_S - 1, 1), (VISIT_S, 0)])
async def test_a_visit_lasts_ten_minutes(
    oidc: Oidc, door: Door, there: SigningProvider, after_s: int, shown: int
) -> None:
    """Who comes back later is not let in, and their code is not sent to the provider."""
    there.answers["/token"] = await there._listed(None)  # type: ignore[arg-type]
    departure = await begun(oidc)
    brought = answer(there, departure)
    door.clock.jump_wall(after_s)
    with pytest.raises(ProviderError) as caught:
        await oidc.finish("borough", brought, browser=departure.browser, address=HERE)
    assert isinstance(caught.value, VisitError) is (not shown)
    assert there.asked.count("/token") == shown


async def test_visits_that_are_over_are_forgotten(oidc: Oidc, door: Door) -> None:
    """At the next one, with the logout tokens that have ended."""
    await begun(oidc)
    async with door.database.write() as connection:
        ends_ns = door.clock.wall_ns() + 60 * 10**9
        assert not await Visits(connection).heard("https://i", "j", expires_ns=ends_ns)
        assert await Visits(connection).heard("https://i", "j", expires_ns=ends_ns)
    door.clock.jump_wall(VISIT_S)
    await begun(oidc)
    async with door.database.read() as connection:
        for table, left in (("provider_visits", 1), ("logout_tokens", 0)):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == left  # noqa: S608


async def test_nobody_comes_before_the_first_administrator(oidc: Oidc, door: Door) -> None:
    """Somebody with any role would make setting up impossible."""
    async with door.database.write() as connection:
        await connection.execute(text("DELETE FROM users"))
    with pytest.raises(NotAdmittedError, match="not set up yet"):
        await begun(oidc)


async def test_nonce_and_verifier_differ_each_time(oidc: Oidc) -> None:
    """They are made of the browser's secret and the state, both new."""
    urls = {(await begun(oidc)).url for _ in range(3)}
    assert len(urls) == 3


async def test_who_was_never_sent_is_not_listened_to_for_long(oidc: Oidc, there: SigningProvider) -> None:
    """Made-up states are attempts of their address; whoever was sent from there still comes back, and is sent."""
    departure = await begun(oidc)
    for _ in range(30):
        with pytest.raises(VisitError):
            await oidc.finish("borough", Answer(code="c", state="made up"), browser="b", address=HERE)
    with pytest.raises(TooManyAttemptsError) as refused:
        await oidc.finish("borough", Answer(code="c", state="made up"), browser="b", address=HERE)
    assert refused.value.bucket == HERE
    with pytest.raises(VisitError):
        await oidc.finish("borough", Answer(code="c", state="made up"), browser="b", address="198.51.100.1")
    with pytest.raises(ProviderRefusedError):  # their visit is known, and their code asked for
        await oidc.finish("borough", answer(there, departure), browser=departure.browser, address=HERE)
    await begun(oidc)
