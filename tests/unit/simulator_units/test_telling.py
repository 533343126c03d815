"""What a unit has to say, in which order, and what waits for the link."""

import json

from hypothesis import given
from hypothesis import strategies as st

from drivers.simulator.units.faults import UnitFaults
from drivers.simulator.units.mischief import Mischief
from drivers.simulator.units.telling import Message, Outbox, Telling
from tests.fakes.clock import ManualClock
from tests.unit.simulator_units.conftest import MakeUnit, pass_time


def _message(topic: str, value: int = 0) -> Message:
    return Message(topic, {"value": value}, "2026-09-21T14:13:20.000000Z")


async def test_everything_once_then_only_changes(make_unit: MakeUnit, clock: ManualClock) -> None:
    """The first look tells every state; within the next half minute a unit that stands has hardly anything to add."""
    unit = make_unit()
    telling = Telling(unit, clock)
    await pass_time(unit, clock, 60)
    first = telling.due()
    more: list[Message] = []
    for _ in range(30):
        await pass_time(unit, clock, 1)
        more += telling.due()
    assert len(first) == 12
    assert len(more) < 12


async def test_now_and_then_all_the_same(make_unit: MakeUnit, clock: ManualClock) -> None:
    """Within ten minutes every kind is told again, changed or not."""
    unit = make_unit()
    telling = Telling(unit, clock)
    await pass_time(unit, clock, 60)
    telling.due()
    told: set[str] = set()
    for _ in range(61):
        await pass_time(unit, clock, 10, step_s=10)
        told |= {message.topic for message in telling.due()}
    assert len(told) == 12


async def test_a_unit_that_is_off_is_silent(make_unit: MakeUnit, clock: ManualClock) -> None:
    """Off, it has nothing to say."""
    unit = make_unit("flat_battery")
    while unit.running:
        await pass_time(unit, clock, 30, step_s=2)
    assert Telling(unit, clock).due() == []


async def test_what_happened_comes_first(make_unit: MakeUnit, clock: ManualClock) -> None:
    """A theft is told before the states that follow from it."""
    unit = make_unit()
    telling = Telling(unit, clock)
    await pass_time(unit, clock, 60)
    telling.due()
    unit.faults.stolen = True
    await pass_time(unit, clock, 1)
    topics = [message.topic for message in telling.due()]
    assert {"event/shock", "event/moved", "event/tamper"} == set(topics[:3])
    assert {"state/case", "state/supply"} <= set(topics[3:])


async def test_a_lean_is_told_once_more_when_it_has_lasted(make_unit: MakeUnit, clock: ManualClock) -> None:
    """Knocked askew, it says so at once and again a quarter of a minute later; then it is silent of it."""
    unit = make_unit()
    telling = Telling(unit, clock)
    await pass_time(unit, clock, 60)
    telling.due()
    unit.faults.knocked = True
    leans: list[int] = []
    for second in range(60):
        await pass_time(unit, clock, 1)
        leans += [second for message in telling.due() if message.topic == "state/tilt"]
    assert leans == [0, 15]


def test_a_payload_says_which_and_when() -> None:
    """Number, boot and time stand beside the fields."""
    assert json.loads(_message("state/case").stamped(7, "b")) == {
        "value": 0, "seq": 7, "boot": "b", "time": "2026-09-21T14:13:20.000000Z",
    }  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(["state/a", "state/b", "event/x", "event/y"]), st.booleans()), max_size=60))
def test_an_outbox_is_bounded_and_in_order(acts: list[tuple[str, bool]]) -> None:
    """Whatever is put in and taken out, no more than its limit waits, newest last, one state of a kind."""
    outbox = Outbox(limit=6)
    taken: list[int] = []
    for value, (topic, take) in enumerate(acts):
        outbox.put(_message(topic, value))
        assert len(outbox) <= 6
        if take:
            message = outbox.take()
            assert message is not None
            taken.append(message.body["value"])
            outbox.confirmed()
    assert taken == sorted(taken)
    waiting = []
    while (message := outbox.take()) is not None:
        waiting.append(message)
        outbox.confirmed()
    states = [message.topic for message in waiting if message.state]
    assert len(states) == len(set(states))


def test_events_outlast_states() -> None:
    """Where there is too much, states are dropped before events, and old events before new ones; it is counted."""
    outbox = Outbox(limit=3)
    for topic in ("event/1", "state/a", "event/2", "event/3", "event/4"):
        outbox.put(_message(topic))
    left = []
    while (message := outbox.take()) is not None:
        left.append(message.topic)
        outbox.confirmed()
    assert left == ["event/2", "event/3", "event/4"]
    assert outbox.dropped == 2


def test_what_is_being_sent_stays() -> None:
    """A newer state does not push out the one that is on its way; unconfirmed, it is sent again."""
    outbox = Outbox()
    outbox.put(_message("state/a", 1))
    assert outbox.take() == _message("state/a", 1)
    outbox.put(_message("state/a", 2))
    assert len(outbox) == 2
    outbox.untaken()
    assert outbox.take() == _message("state/a", 1)


def _wires(*knobs: str, topics: tuple[str, ...] = ("state/a", "state/a")) -> list[tuple[str, bytes]]:
    mischief = Mischief("D003", UnitFaults.from_names(list(knobs)))
    return [
        (wire.topic.removeprefix("sightline/v1/units/"), wire.payload)
        for seq, topic in enumerate(topics)
        for wire in mischief.sent(topic, f'{{"seq":{seq}}}'.encode())
    ]


def test_right_messages_go_as_they_are() -> None:
    """With no knob turned nothing is changed."""
    assert _wires() == [("D003/state/a", b'{"seq":0}'), ("D003/state/a", b'{"seq":1}')]


def test_each_mischief() -> None:
    """Each knob does what it is called."""
    assert [payload for _, payload in _wires("out_of_order")] == [b'{"seq":1}', b'{"seq":0}']
    assert [payload for _, payload in _wires("replayed")] == [b'{"seq":0}'] * 2 + [b'{"seq":1}'] * 2
    assert _wires("malformed")[0][1] == b'{"se'
    oversized = _wires("oversized")[0][1]
    assert len(oversized) > 4096
    assert json.loads(oversized)["seq"] == 0
    assert _wires("wrong_unit=4")[0][0] == "D004/state/a"
    assert _wires("unknown_kind")[0][0] == "D003/state/una"


def test_nothing_is_kept_back_for_ever() -> None:
    """What waits to be sent out of order is sent, in order, once the knob is off."""
    mischief = Mischief("D003", UnitFaults(out_of_order=True))
    assert mischief.sent("state/a", b"1") == []
    mischief.faults.out_of_order = False
    assert [wire.payload for wire in mischief.sent("state/a", b"2")] == [b"1", b"2"]
