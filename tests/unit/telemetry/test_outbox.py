"""What waits to be told: in bounded room, nothing that nobody asked for, and what is lost is counted."""

import asyncio
import json
from typing import Any

import pytest

from config.outward import OutwardTopic
from gateway.telemetry.outward.messages import AlarmSaid, CameraSaid
from gateway.telemetry.outward.outbox import Letter, Outbox
from tests.fakes.clock import ManualClock

ALARMS, STATE = "sightline/v1/cameras/3/alarms", "sightline/v1/cameras/3/state"


def outbox(*topics: OutwardTopic, waiting_max: int = 100) -> Outbox:
    """Return one; without ``topics`` of all."""
    return Outbox(topics or tuple(OutwardTopic), clock=ManualClock(), waiting_max=waiting_max)


def alarm(kind: str = "left") -> AlarmSaid:
    """Return one."""
    return AlarmSaid(number=3, source="unit", kind=kind, over=False, urgency="now")


def camera(live: Any = "live") -> CameraSaid:
    """Return how camera 3 fares."""
    return CameraSaid(number=3, live=live, problem=None, recording="on", picture=None)


def read(letters: list[Letter]) -> list[dict[str, Any]]:
    """Return their payloads."""
    return [json.loads(letter.payload) for letter in letters]


async def test_what_nobody_asked_for_is_not_taken() -> None:
    """Neither event nor state."""
    box = outbox(OutwardTopic.HOLDS)
    box.tell(OutwardTopic.ALARMS, alarm(), 3)
    box.keep(OutwardTopic.CAMERAS, camera(), 3)
    assert box.waiting == 0


async def test_events_come_in_order_with_numbers_and_are_not_kept() -> None:
    """One after the other, of each kind from 1."""
    box = outbox()
    box.tell(OutwardTopic.ALARMS, alarm("left"), 3)
    box.tell(OutwardTopic.ALARMS, alarm("opened"), 3)
    letters = await box.some(10)
    assert [(one["kind"], one["seq"]) for one in read(letters)] == [("left", 1), ("opened", 2)]
    assert {(letter.topic, letter.retain) for letter in letters} == {(ALARMS, False)}


async def test_of_a_state_the_newest_waits() -> None:
    """A camera that flaps while the broker is away is one message; the gap in its numbers says that there were more."""
    box = outbox()
    for live in ("live", "retrying", "live"):
        box.keep(OutwardTopic.CAMERAS, camera(live), 3)
    (one,) = await box.some(10)
    assert (one.topic, one.retain, json.loads(one.payload)["seq"]) == (STATE, True, 3)


async def test_what_is_too_much_is_lost_counted_and_told() -> None:
    """The oldest goes, the numbers have a gap, and presence says how many."""
    box = outbox(waiting_max=2)
    for _ in range(5):
        box.tell(OutwardTopic.ALARMS, alarm(), 3)
    assert [one["seq"] for one in read(await box.some(10))] == [4, 5]
    assert box.lost == 3
    assert json.loads(box.present().payload)["lost"] == 3


async def test_what_was_lost_while_it_was_sent_leaves_the_rest() -> None:
    """Of what is confirmed only what still waits is forgotten, and nothing that came after it."""
    box = outbox(waiting_max=2)
    box.tell(OutwardTopic.ALARMS, alarm(), 3)
    sent = await box.some(10)
    for _ in range(2):
        box.tell(OutwardTopic.ALARMS, alarm(), 3)
    box.told(sent)
    assert [one["seq"] for one in read(await box.some(10))] == [2, 3]


async def test_a_state_that_changed_while_it_was_sent_is_told_again() -> None:
    """What is confirmed is the older one."""
    box = outbox()
    box.keep(OutwardTopic.CAMERAS, camera("live"), 3)
    sent = await box.some(10)
    box.keep(OutwardTopic.CAMERAS, camera("off"), 3)
    box.told(sent)
    assert [one["live"] for one in read(await box.some(10))] == ["off"]


async def test_a_broker_that_forgot_is_told_every_state_anew() -> None:
    """And no event twice."""
    box = outbox()
    box.keep(OutwardTopic.CAMERAS, camera(), 3)
    box.tell(OutwardTopic.ALARMS, alarm(), 3)
    box.told(await box.some(10))
    box.anew()
    assert [one.topic for one in await box.some(10)] == [STATE]


async def test_what_is_dropped_is_remembered_until_the_broker_knows() -> None:
    """An empty payload, kept in mind until it is confirmed."""
    box = outbox()
    box.keep(OutwardTopic.CAMERAS, camera(), 3)
    box.told(await box.some(10))
    box.drop(STATE)
    assert STATE in box.remembered
    (gone,) = await box.some(10)
    assert (gone.topic, gone.payload, gone.retain) == (STATE, "", True)
    box.told([gone])
    assert STATE not in box.remembered


async def test_who_waits_is_woken() -> None:
    """By the first that is told."""
    box = outbox()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(box.some(10))
        group.create_task(_tell(box))
    assert len(waiting.result()) == 1


async def _tell(box: Outbox) -> None:
    box.tell(OutwardTopic.ALARMS, alarm(), 3)


@pytest.mark.parametrize("kind", ["Mr Quill", "left!", "a" * 65])
def test_a_word_of_ours_is_no_text_of_somebodys(kind: str) -> None:
    """What does not look like one of our words is refused by the model, whoever fills it in."""
    with pytest.raises(ValueError, match="kind"):
        alarm(kind)
