"""Alarms that other systems are told: of cameras and of units, put off or not, and over also where we were away."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from config.outward import OutwardTopic
from gateway.db.put_offs import PutOff
from gateway.deployments.geofence import OVER
from gateway.deployments.geofence import Kind as Happening
from gateway.fleet import rpc
from gateway.fleet.cameras import Camera
from gateway.health.need import OF_DEPLOYMENTS, Kind, Need, Urgency, Whose
from gateway.raising import SETTLED_S, Alarms, Rooms
from gateway.telemetry.description import document
from gateway.telemetry.outward.messages import ALARM_KINDS, AlarmSaid, UnitAlarmSaid
from gateway.telemetry.outward.outbox import Alarm, Outbox
from gateway.units.errors import UnknownUnitError
from kernel.ids import CameraId
from tests.fakes.clock import ManualClock
from tests.fakes.descriptions import description, view

TAMPER = "tns1:VideoSource/GlobalSceneChange/ImagingService"
BATTERY = Need(
    whose=Whose(unit="D017"),
    kind=Kind.BATTERY,
    urgency=Urgency.SOON,
    cause="Ask Mr Quill.",
    cure="Charge it.",
    cameras=(CameraId("a"),),
)
ALONE = replace(BATTERY, whose=Whose(unit="D033"), cameras=())
PUT_OFF = PutOff(
    camera_id=None,
    unit="D017",
    kind="battery",
    urgency="soon",
    cause="",
    reason="Mr Quill is on his way.",
    by_name="Quill",
    at_ns=1,
    until_ns=None,
)


@dataclass
class Standing:
    """A deployment, as far as alarms go."""

    unit: str = "D017"
    urn: str = "urn:uuid:a"
    alarms: dict[Happening, int] = field(default_factory=dict)
    lapsed_ns: int | None = None


@dataclass(frozen=True)
class Entry:
    """A line of its log."""

    step: str
    said: str = "{}"


@dataclass(frozen=True)
class Step:
    """A step that was taken."""

    deployment: Standing
    entry: Entry


@dataclass(frozen=True)
class Unit:
    """One that is enrolled."""

    label: str = "D017"
    urn: str = "urn:uuid:a"


class Register:
    """Which holds that one."""

    def unit(self, label: str) -> Unit:
        """See ``Register``."""
        if label.lower() != "d017":
            raise UnknownUnitError(label)
        return Unit()

    def units(self) -> list[Unit]:
        """See ``Register``."""
        return [Unit()]

    def by_urn(self, urn: str) -> Unit | None:
        """See ``Register``."""
        return Unit() if urn == Unit().urn else None


class Calling:
    """The room of units."""

    register = Register()


class Estate:
    """Camera 1, which unit D017 carries; what is wrong; and a deployment."""

    def __init__(self) -> None:
        self.needs: tuple[Need, ...] = ()
        self.put_off: tuple[Need, ...] = ()
        self.deployment: Standing | None = Standing()

    def cameras(self) -> list[Camera]:
        """See ``Fleet``."""
        return [
            Camera(
                id=CameraId("a"),
                device_id="a",
                number=1,
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
                description=description("urn:uuid:a"),
            )
        ]

    def put_off_of(self, need: Need) -> PutOff | None:
        """See ``Ward``."""
        return PUT_OFF if need in self.put_off else None

    def standing(self, urn: str) -> Standing | None:
        """See ``Deployments``."""
        return self.deployment if urn == "urn:uuid:a" else None

    def deployables(self) -> list[Standing]:
        """See ``Deployments``."""
        return [Standing()]


class Stage:
    """Whoever raises alarms, beginning with what was told before."""

    def __init__(self, before: Iterable[Alarm] = ()) -> None:
        self.estate, self.clock = Estate(), ManualClock()
        everything: Any = self.estate
        calling: Any = Calling()
        rooms = Rooms(
            fleet=everything,
            ward=everything,
            deployments=everything,
            sharing=everything,
            trail=everything,
            units=calling,
        )
        self.outbox = Outbox(tuple(OutwardTopic), clock=self.clock, waiting_max=100, standing=before)
        self.alarms = Alarms(rooms, self.outbox, clock=self.clock, silence_s=60.0)

    def look(self, *needs: Need, put_off: tuple[Need, ...] = ()) -> None:
        """Have health look, and find these."""
        self.estate.needs, self.estate.put_off = needs, put_off
        self.alarms.of_health()

    def step(self, name: str, **said: Any) -> None:
        """Have a step of the deployment taken."""
        taken: Any = Step(self.estate.deployment or Standing(), Entry(name, json.dumps(said)))
        self.alarms.of_deployment(taken)

    def tamper(self, said: str) -> None:
        """Have the camera say whether somebody is at it."""
        self.alarms.tamper(rpc.CameraHappened(id=CameraId("a"), topic=TAMPER, data={"State": said}, wall_ns=1))

    async def out(self) -> list[tuple[str, str, bool]]:
        """Return what goes out now, and have the broker confirm it: topic, kind and whether it is over."""
        return [(topic, said["kind"], said["over"]) for topic, said in await self.whole()]

    async def whole(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the same with everything that is said."""
        if not self.outbox.waiting:
            return []
        letters = await self.outbox.some(100)
        self.outbox.told(letters)
        return [(one.topic.removeprefix("sightline/v1/"), json.loads(one.payload)) for one in letters]


async def test_a_finding_of_health_is_told_when_it_comes_and_when_it_goes() -> None:
    """Once each, without its words: on the topic of its unit, and of the camera that the unit carries."""
    stage = Stage()
    for needs in ((BATTERY,), (BATTERY,), ()):
        stage.look(*needs)
    told = await stage.whole()
    assert [(topic, said["kind"], said["over"]) for topic, said in told] == [
        ("units/D017/alarms", "battery", False),
        ("cameras/1/alarms", "battery", False),
        ("units/D017/alarms", "battery", True),
        ("cameras/1/alarms", "battery", True),
    ]
    assert "Quill" not in str(told)


async def test_a_unit_without_a_camera_is_told_of() -> None:
    """By its label; numbers rise apart from those of cameras, which have no gap by it."""
    stage = Stage()
    stage.look(BATTERY, ALONE)
    told = await stage.whole()
    assert [(topic, said["seq"]) for topic, said in told] == [
        ("units/D017/alarms", 1),
        ("cameras/1/alarms", 1),
        ("units/D033/alarms", 2),
    ]
    assert {said["unit"] for topic, said in told if topic.startswith("units/")} == {"D017", "D033"}


async def test_what_is_put_off_is_told_as_that() -> None:
    """Again when somebody puts it off or takes it up; by whom and why is not said, and over it is not put off."""
    stage = Stage()
    for put_off in ((), (ALONE,), (ALONE,), ()):
        stage.look(ALONE, put_off=put_off)
    stage.look(ALONE, put_off=(ALONE,))
    stage.look()
    told = await stage.whole()
    assert [(said["put_off"], said["over"]) for _, said in told] == [
        (False, False),
        (True, False),
        (False, False),
        (True, False),
        (False, True),
    ]
    assert "Quill" not in str(told)


async def test_tampering_is_told_once() -> None:
    """A camera says so again whenever it is asked; that it is not so is news only after it was."""
    stage = Stage()
    for said in ("false", "true", "true", "false"):
        stage.tamper(said)
    assert await stage.out() == [("cameras/1/alarms", "tamper", False), ("cameras/1/alarms", "tamper", True)]


async def test_alarms_of_a_unit_are_told_on_its_topic_too_and_end() -> None:
    """By what ends each; with the deployment whatever lasts is over, and a knock never lasted."""
    stage = Stage()
    stage.step("alarm", kind="left")
    stage.step("alarm", kind="returned")
    stage.step("alarm", kind="knocked")
    stage.step("alarm", kind="opened")
    await stage.out()
    stage.step("lapsed")
    assert await stage.out() == [("units/D017/alarms", "stay-over", False), ("cameras/1/alarms", "stay-over", False)]
    stage.step("extended")
    assert await stage.out() == [("units/D017/alarms", "stay-over", True), ("cameras/1/alarms", "stay-over", True)]
    stage.step("removed")
    assert await stage.out() == [("units/D017/alarms", "opened", True), ("cameras/1/alarms", "opened", True)]


async def test_an_alarm_that_is_told_after_its_unit_was_taken_down_is_told_and_over() -> None:
    """Nothing would ever end it; but where the unit is so where it stands by now, that lasts."""
    stage = Stage()
    for kind in ("left", "returned", "knocked"):
        stage.step("alarm", kind=kind, down=True)
    told = [(kind, over) for topic, kind, over in await stage.out() if topic.startswith("units")]
    assert told == [("left", False), ("left", True), ("knocked", False)]
    stage.estate.deployment = Standing(alarms={Happening.LEFT: 1})
    stage.step("alarm", kind="left", down=True)
    assert [over for _, _, over in await stage.out()] == [False, False]


async def test_what_people_typed_as_a_units_label_is_not_told() -> None:
    """A unit that is not enrolled is told of by its camera alone."""
    stage = Stage()
    stage.estate.deployment = Standing(unit="Mr Quill's box", urn="urn:uuid:a")
    stage.step("alarm", kind="left")
    assert await stage.out() == [("units/D017/alarms", "left", False), ("cameras/1/alarms", "left", False)]
    stage.estate.deployment = Standing(unit="Mr Quill's box", urn="urn:uuid:b")
    stage.step("alarm", kind="left")
    assert await stage.out() == []


async def test_what_ended_while_we_were_away_is_told_as_over() -> None:
    """Once cameras and units had the time to come back; what has come up again by then goes on."""
    stage = Stage()
    stage.look(BATTERY, ALONE)
    await stage.out()
    again = Stage(stage.outbox.standing.values())
    again.look()
    again.look(BATTERY)
    assert [over for _, _, over in await again.out()] == [False, False]
    await again.clock.turn(SETTLED_S + 61)
    again.look(BATTERY)
    assert await again.out() == [("units/D033/alarms", "battery", True)]
    again.look(BATTERY)
    assert await again.out() == []


async def test_what_was_not_confirmed_does_not_stand_with_the_readers() -> None:
    """An alarm that nobody was told, as the broker was away, is not told to be over; one whose end was lost is."""
    stage = Stage()
    stage.look(ALONE)
    assert list(stage.outbox.standing) == []
    await stage.out()
    stage.look()
    assert [one.kind for one in stage.outbox.standing.values()] == ["battery"]
    again = Stage(stage.outbox.standing.values())
    await again.clock.turn(SETTLED_S + 61)
    again.look()
    assert await again.out() == [("units/D033/alarms", "battery", True)]


async def test_what_lasts_at_a_unit_over_a_start_is_not_told_as_over() -> None:
    """What its deployment knows of stands; what it knows no more of is over."""
    stage = Stage()
    stage.step("alarm", kind="left")
    stage.step("alarm", kind="tilted")
    await stage.out()
    again = Stage(stage.outbox.standing.values())
    again.estate.deployment = Standing(alarms={Happening.LEFT: 1})
    await again.clock.turn(SETTLED_S + 61)
    again.look()
    assert await again.out() == [("units/D017/alarms", "tilted", True), ("cameras/1/alarms", "tilted", True)]


async def test_tampering_that_ended_while_we_were_away_is_told_as_over() -> None:
    """The camera says how it is once it is asked."""
    stage = Stage()
    stage.tamper("true")
    await stage.out()
    again = Stage(stage.outbox.standing.values())
    again.tamper("false")
    assert await again.out() == [("cameras/1/alarms", "tamper", True)]


def test_every_kind_that_is_published_is_documented() -> None:
    """Of units, of health and of cameras: in the document as values, and in its words."""
    schemas = document()["components"]["schemas"]
    for name in ("AlarmTold", "UnitAlarmTold"):
        kind = schemas[name]["properties"]["kind"]
        of_unit = [one for one in Happening if one not in OVER]
        published = {*(set(Kind) - OF_DEPLOYMENTS), *of_unit, "stay-over", "tamper"}
        assert set(kind["enum"]) == {str(one) for one in published}
        assert all(str(one) in kind["description"] for one in published)
    assert "data-budget" in ALARM_KINDS["health"]


@pytest.mark.parametrize(("source", "kind"), [("health", "mood"), ("camera", "battery")])
def test_a_kind_that_is_not_documented_cannot_be_told(source: Any, kind: str) -> None:
    """Nor one of another source."""
    with pytest.raises(ValueError, match="documented"):
        AlarmSaid(number=1, source=source, kind=kind, over=False, urgency="now")
    with pytest.raises(ValueError, match="documented"):
        UnitAlarmSaid(unit="D017", source=source, kind=kind, over=False, urgency="now")
