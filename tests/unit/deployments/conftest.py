"""Deployments of one unit, as a gateway keeps them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from config.deployments import DeploymentSettings
from gateway.db.engine import Database, open_database, sqlite_url
from gateway.deployments.service import Deployments, open_deployments
from gateway.deployments.steps import Step
from tests.fakes.clock import ManualClock
from tests.fakes.estate import FakeEstate
from tests.unit.deployments.test_life import CHIEF, REFERRAL, TEAM, hand_for

SETTINGS = DeploymentSettings(criteria=("recorded", "tried"), max_days=30, review_days=10)
URN = "urn:1"
DAY_S = 86_400


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """Return an empty database."""
    async with open_database(sqlite_url(tmp_path / "a.db")) as database:
        yield database


@pytest.fixture
def estate() -> FakeEstate:
    """Return an estate with one device."""
    return FakeEstate(URN)


@pytest_asyncio.fixture
async def deployments(database: Database, clock: ManualClock, estate: FakeEstate) -> AsyncIterator[Deployments]:
    """Return deployments with one deployable unit."""
    async with open_deployments(database, clock=clock, settings=SETTINGS) as deployments:
        deployments.join(estate)
        await deployments.mark(URN, "D017", by=CHIEF)
        yield deployments


async def brought(deployments: Deployments, *steps: Step) -> str:
    """Return the identifier of a deployment after steps."""
    taken = await deployments.refer(REFERRAL, by=TEAM)
    for step in steps:
        await deployments.step(taken.deployment.id, step, by=hand_for(step))
    return taken.deployment.id
