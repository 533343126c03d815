"""What of the rooms goes out: each change once, and of it only what was chosen."""

import json
from typing import Any, cast

import pytest

from config.outward import OutwardSettings, OutwardTopic
from gateway.audit.events import Action, Actor, AuditEvent
from gateway.deployments.done import Done
from gateway.deployments.kept import entry_of
from gateway.deployments.service import Taken
from gateway.deployments.steps import Remind
from gateway.deployments.why import TOLD_OTHERWISE, Why
from gateway.fleet import rpc
from gateway.fleet.cameras import Camera
from gateway.fleet.changes import StateChanged
from gateway.publishing import Publishing, state_of
from gateway.raising import Alarms, Rooms
from gateway.telemetry.description import document
from gateway.telemetry.outward.messages import DueSaid
from gateway.telemetry.outward.outbox import Outbox
from kernel.clock import utc
from kernel.ids import CameraId
from tests.fakes.clock import ManualClock
from tests.fakes.descriptions import description, view
from tests.unit.deployments.test_life import CLOCK, NOW_NS, STANDING, lived


class Estate:
    """Cameras 1 and 2, and what is known of them."""

    def __init__(self) -> None:
        self.numbers = {"a": 1, "b": 2}
        self.states: dict[str, rpc.CameraState] = {}

    def cameras(self) -> list[Camera]:
        """See ``Fleet``."""
        return [
            Camera(
                id=CameraId(name),
                device_id=name,
                number=number,
                name="Outside Mrs Peabody's",
                street="Peabody Walk",
                group="",
                place=None,
                bearing_deg=None,
                hfov_deg=None,
                recording=True,
                host=0,
                enrolled_ns=1,
                address="192.0.2.1",
                view=view(),
                description=description(f"urn:uuid:{name}"),
            )
            for name, number in self.numbers.items()
        ]

    def state(self, camera: CameraId) -> rpc.CameraState | None:
        """See ``Fleet``."""
        return self.states.get(camera)


class Stage:
    """Whoever publishes, and what is to go out."""

    def __init__(self, *topics: OutwardTopic) -> None:
        self.estate = Estate()
        everything: Any = self.estate
        rooms = Rooms(
            fleet=everything,
            ward=everything,
            deployments=everything,
            sharing=everything,
            trail=everything,
            units=None,
        )
        settings = OutwardSettings(topics=topics or tuple(OutwardTopic))
        clock = ManualClock()
        self.outbox = Outbox(settings.topics, clock=clock, waiting_max=100)
        alarms = Alarms(rooms, self.outbox, clock=clock, silence_s=0.0)
        self.publishing = Publishing(settings, rooms, self.outbox, alarms)

    def due(self, why: Why) -> None:
        """Have something become due of a deployment."""
        step = Remind(why=why, by_ns=NOW_NS, overdue=True)
        one, when = lived(*STANDING), Done(NOW_NS, NOW_NS)
        self.publishing.of_deployment(
            Taken(deployment=one, entry=entry_of(one, step, CLOCK, done=when, key=None, before=""))
        )

    async def out(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what goes out now, and have it be gone."""
        if not self.outbox.waiting:
            return []
        letters = await self.outbox.some(100)
        self.outbox.told(letters)
        return [
            (one.topic.removeprefix("sightline/v1/"), json.loads(one.payload) if one.payload else {}) for one in letters
        ]


@pytest.fixture
def stage() -> Stage:
    """Return one."""
    return Stage()


def live(camera: str, state: rpc.LiveState = rpc.LiveState.LIVE) -> rpc.CameraState:
    """Return a camera's state."""
    return rpc.CameraState(id=CameraId(camera), live=state, main=rpc.StreamFacts(state=state))


async def test_a_state_is_told_when_it_is_another(stage: Stage) -> None:
    """Every camera's state comes each second, and mostly says nothing that goes out."""
    stage.publishing.cameras()
    assert [topic for topic, _ in await stage.out()] == ["cameras/1/state", "cameras/2/state"]
    for _ in range(3):
        stage.estate.states["a"] = live("a")
        stage.publishing.of_fleet(StateChanged(CameraId("a")))
    assert [(topic, said["live"]) for topic, said in await stage.out()] == [("cameras/1/state", "live")]


async def test_numbers_that_change_hands_are_told_right(stage: Stage) -> None:
    """The one that nobody has any more is emptied, the other says how its new camera fares."""
    stage.estate.states = {"a": live("a"), "b": live("b", rpc.LiveState.OFF)}
    stage.publishing.cameras()
    await stage.out()
    stage.estate.numbers = {"b": 1}
    stage.publishing.cameras()
    assert sorted((topic, said.get("live")) for topic, said in await stage.out()) == [
        ("cameras/1/state", "off"),
        ("cameras/2/state", None),
    ]


async def test_an_incident_is_told_once_and_only_as_a_number(stage: Stage) -> None:
    """Who is at work on it is not said."""
    for reference in ("CAD 4711", "CAD 4711", "Peabody robbery", "9" * 60, ""):
        actor = Actor(id="u1", name="Quill", address="192.0.2.7", reference=reference)
        stage.publishing.of_trail(AuditEvent(action=Action.WORKED_ON, actor=actor, subject="u1"))
    ((topic, said),) = await stage.out()
    assert (topic, said["reference"], said["where"]) == ("incidents", "CAD 4711", [])
    assert set(said) == {"seq", "boot", "time", "reference", "where"}


@pytest.mark.parametrize("why", [why for why in Why if why not in TOLD_OTHERWISE])
async def test_whatever_becomes_due_is_told_and_documented(stage: Stage, why: Why) -> None:
    """By the word that the list has for it, which is in docs/asyncapi.yaml."""
    stage.due(why)
    ((topic, said),) = await stage.out()
    assert (topic, said["what"], said["overdue"]) == ("deployments", why.value, True)
    assert why.value in document()["components"]["schemas"]["DueTold"]["properties"]["what"]["enum"]


def test_what_is_told_when_it_happens_is_not_told_to_be_due() -> None:
    """Nor is what nobody documented."""
    for what in (*TOLD_OTHERWISE, "mood"):
        with pytest.raises(ValueError, match="documented"):
            DueSaid(deployment="d", what=what, by=utc(NOW_NS), overdue=True, where=())


async def test_nothing_is_made_of_what_nobody_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where deployments are not published no camera is looked up for them, and no message made."""
    stage = Stage(OutwardTopic.ALARMS)
    monkeypatch.setattr(stage.estate, "cameras", None)
    stage.due(Why.SIGN_OFF)
    assert await stage.out() == []


def test_a_problem_of_another_release_is_told_as_a_word_of_ours() -> None:
    """Nothing that a host says fails whoever tells."""
    state = live("a", rpc.LiveState.OFF)
    odd = state.model_copy(update={"problem": cast("Any", rpc.Problem(type="about:blank?", title="Mr Quill"))})
    assert state_of(1, odd).problem == "unknown"
    assert state_of(1, None).live == "unknown"
