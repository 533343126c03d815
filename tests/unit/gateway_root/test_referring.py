"""Reference views that are taken as units are signed off."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.audit.events import AuditEvent
from gateway.audit.trail import Trail
from gateway.db.reference_views import ReferenceView
from gateway.deployments.service import Deployments
from gateway.fleet.errors import UnknownCameraError
from gateway.fleet.service import Fleet
from gateway.referring import RETRY_S, TRIES, open_referring
from tests.fakes.clock import ManualClock
from tests.fakes.waiting import until

URN = "urn:uuid:1"


class Stage:
    """A unit with one camera, its host, and the deployment by which it stands."""

    def __init__(self, *, head: bool = False, at: object = None) -> None:
        identity = SimpleNamespace(urn=URN)
        view = SimpleNamespace(head=object() if head else None)
        self.camera = SimpleNamespace(id="c1", description=SimpleNamespace(identity=identity), view=view)
        self.deployment = SimpleNamespace(id="d1", urn=URN, unit="D017")
        self.standing: object | None = self.deployment
        self.refusals = 0
        self.looks = 0
        self.at = at
        self.views: list[ReferenceView] = []
        self.audited: list[AuditEvent] = []
        self._calls: list[Any] = []

    # --- as fleet and as host

    def cameras(self) -> list[Any]:
        """Return the one."""
        return [self.camera]

    def camera_of(self, _: str) -> Any:
        """Return it."""
        return self.camera

    def host_of(self, _: object) -> Any:
        """Return this."""
        return self

    async def look(self, _: str) -> Any:
        """Refuse so often, then show something."""
        self.looks += 1
        if self.looks <= self.refusals:
            raise UnknownCameraError("Nothing was seen yet.", cure="Wait.")
        return SimpleNamespace(grey=b"\x07", at=self.at)

    async def refer(self, _: object, view: ReferenceView) -> None:
        """Keep it."""
        self.views.append(view)

    # --- as deployments

    def follow(self, call: Any) -> Any:
        """Tell ``call`` of steps."""
        self._calls.append(call)
        return lambda: self._calls.remove(call)

    def step(self, name: str) -> None:
        """Tell of a step."""
        for call in self._calls:
            call(SimpleNamespace(entry=SimpleNamespace(step=name), deployment=self.deployment))

    def opened(self, clock: ManualClock) -> Any:
        """Have views taken for the time of the block."""
        fleet = SimpleNamespace(cameras=self.cameras, camera=self.camera_of, host_of=self.host_of, refer=self.refer)
        deployments = SimpleNamespace(follow=self.follow, standing=lambda _: self.standing)
        return open_referring(
            cast("Fleet", fleet),
            cast("Deployments", deployments),
            cast("Trail", SimpleNamespace(note=self.audited.append)),
            clock=clock,
        )


async def test_a_unit_that_is_signed_off_has_a_reference_view(clock: ManualClock) -> None:
    """Taken by itself, and in the audit; another step takes none."""
    stage = Stage()
    async with stage.opened(clock):
        stage.step("installed")
        stage.step("signed-off")
        await until(lambda: bool(stage.audited), what="the view")
    assert [one.grey for one in stage.views] == [b"\x07"]
    assert stage.audited[0].subject == "c1"


async def test_it_is_tried_until_its_host_has_seen_something(clock: ManualClock) -> None:
    """A head that has just turned is at rest half a minute later."""
    stage = Stage()
    stage.refusals = 2
    async with stage.opened(clock):
        stage.step("signed-off")
        for _ in range(2):
            await clock.turn(RETRY_S)
        await until(lambda: bool(stage.views), what="the view")
    assert stage.looks == 3


async def test_it_is_given_up_after_ten_minutes_or_with_the_deployment(clock: ManualClock) -> None:
    """Nobody waits for ever for a camera that shows nothing; what was taken down has none."""
    stage = Stage()
    stage.refusals = 1000
    async with stage.opened(clock):
        stage.step("signed-off")
        for _ in range(TRIES + 2):
            await clock.turn(RETRY_S)
        assert stage.looks == TRIES
        stage.step("signed-off")
        await clock.turn(RETRY_S)
        stage.standing = None
        looks = stage.looks
        for _ in range(3):
            await clock.turn(RETRY_S)
        assert stage.looks == looks
    assert stage.views == []


@pytest.mark.parametrize(("at", "taken"), [(None, 0), (object(), 1)])
async def test_a_head_that_does_not_say_where_it_stands_has_none(clock: ManualClock, at: object, taken: int) -> None:
    """There would be nothing to compare; it is not asked again."""
    stage = Stage(head=True, at=at)
    async with stage.opened(clock):
        stage.step("signed-off")
        for _ in range(3):
            await clock.turn(RETRY_S)
    assert (len(stage.views), stage.looks) == (taken, 1)
