"""What comes from the broker is judged: what is right is taken, and each refusal is counted by its cause."""

import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.telemetry.arrived import Arrived
from gateway.telemetry.inbox import Inbox
from gateway.telemetry.messages import EVENTS, SIZE_MAX_BYTES, STATES, Answer
from gateway.telemetry.onvif_events import EventTopic
from gateway.telemetry.onvif_inbox import EventInbox, Heard
from gateway.units import Cause, Link, Units
from tests.fakes.clock import ManualClock
from tests.fakes.unit_voice import VALUES, Voice, enrolled, unit_room


class Everybody:
    """Lets all devices be heard."""

    def offset_s(self, _: EventTopic) -> float:
        """See ``Devices``."""
        return 0.0


@pytest_asyncio.fixture
async def units(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Units]:
    """Return a room."""
    async with unit_room(tmp_path, clock) as units:
        yield units


@pytest_asyncio.fixture
async def voice(units: Units) -> Voice:
    """Return an enrolled unit's voice."""
    return await enrolled(units)


@pytest.fixture
def inbox(units: Units) -> Inbox:
    """Return the inbox."""
    return Inbox(units.register, units.refusals, EventInbox(units.refusals, clock=ManualClock()))


async def test_every_state_is_taken(inbox: Inbox, units: Units, voice: Voice) -> None:
    """Each kind of the document, with its values, and nothing of the envelope among them."""
    await inbox.take([voice.state(kind) for kind in STATES])
    found = units.register.states("D017")
    assert {name: dict(one.values) for name, one in found.items()} == {f"state/{kind}": VALUES[kind] for kind in STATES}
    assert units.refusals.all() == []


async def test_every_event_is_taken(inbox: Inbox, units: Units, voice: Voice) -> None:
    """Each kind of event, and the newest of each is remembered."""
    await inbox.take([voice.event(kind, **({"peak_g": 3.5} if kind == "shock" else {})) for kind in EVENTS])
    assert set(units.register.states("D017")) == {f"event/{kind}" for kind in EVENTS}
    assert units.register.states("D017")["event/shock"].values == {"peak_g": 3.5}


async def test_birth_and_will_are_taken(inbox: Inbox, units: Units, voice: Voice) -> None:
    """A birth makes a unit online, its will makes it gone; the will has neither number nor time."""
    await inbox.take([voice.birth()])
    assert units.register.link("D017") is Link.ONLINE
    await inbox.take([voice.will()])
    assert units.register.link("D017") is Link.GONE
    assert units.refusals.all() == []


BAD: list[tuple[Cause, Any]] = [
    (Cause.OVERSIZED, lambda voice: Arrived(voice.topic("state/battery"), b" " * (SIZE_MAX_BYTES + 1))),
    (Cause.MALFORMED, lambda voice: Arrived(voice.topic("state/battery"), b"{")),
    (Cause.MALFORMED, lambda voice: Arrived(voice.topic("state/battery"), b"")),
    (Cause.MALFORMED, lambda voice: Arrived(voice.topic("state/battery"), b"[" * 4000)),
    (Cause.MALFORMED, lambda voice: Arrived(voice.topic("state/battery"), b"\xff\xfe{}")),
    (Cause.MALFORMED, lambda voice: voice.state(percent=101)),
    (Cause.MALFORMED, lambda voice: voice.state(percent="80")),
    (Cause.MALFORMED, lambda voice: voice.state(percent=float("nan"))),
    (Cause.MALFORMED, lambda voice: voice.state(charging=1)),
    (Cause.MALFORMED, lambda voice: voice.state(time="2026-09-21T14:13:20")),
    (Cause.MALFORMED, lambda voice: voice.state(time=1_790_000_000)),
    (Cause.MALFORMED, lambda voice: voice.state("case", time="2300-01-01T00:00:00Z")),
    (Cause.MALFORMED, lambda voice: voice.state("case", time="1600-01-01T00:00:00Z")),
    (Cause.MALFORMED, lambda voice: voice.event("moved", time="9999-12-31T23:59:59-23:59")),
    (Cause.MALFORMED, lambda voice: voice.state("data", since="0001-01-01T00:00:00+23:59")),
    (Cause.MALFORMED, lambda voice: voice.state("data", since="2200-01-01T00:00:00Z")),
    (
        Cause.MALFORMED,
        lambda voice: Arrived(
            voice.topic("answer/locate"), voice.payload(time="2300-01-01T00:00:00Z", id="0" * 32, ok=True)
        ),
    ),
    (Cause.MALFORMED, lambda voice: voice.state(seq=-1)),
    (Cause.MALFORMED, lambda voice: voice.state(seq=2**53)),
    (Cause.MALFORMED, lambda voice: voice.state(boot="")),
    (Cause.MALFORMED, lambda voice: voice.state("address", host="10.9.0.17/../x")),
    (Cause.MALFORMED, lambda voice: voice.state("address", host="evil.example")),
    (Cause.MALFORMED, lambda voice: voice.state("address", host="127.1")),
    (Cause.MALFORMED, lambda voice: voice.state("address", host="::::")),
    (Cause.MALFORMED, lambda voice: voice.state("address", host="2130706433")),
    (Cause.MALFORMED, lambda voice: Arrived(voice.topic("online"), b'{"online": true}')),
    (Cause.UNKNOWN_KIND, lambda voice: Arrived(voice.topic("state/mood"), voice.payload())),
    (Cause.UNKNOWN_KIND, lambda voice: Arrived(voice.topic("state"), voice.payload())),
    (Cause.UNKNOWN_KIND, lambda voice: Arrived(voice.topic("state/battery/cell"), voice.payload())),
    (Cause.UNKNOWN_KIND, lambda voice: Arrived(voice.topic("online/now"), voice.payload())),
    (Cause.UNKNOWN_KIND, lambda voice: Arrived(voice.topic("answer/dance"), voice.payload(id="a" * 32, ok=True))),
    (Cause.WRONG_UNIT, lambda voice: voice.state(unit="D018")),
    (Cause.RETAINED_COMMAND, lambda voice: Arrived(voice.topic("command/reboot"), voice.payload(), stored=True)),
    (Cause.UNKNOWN_UNIT, lambda _: Voice("D999").state()),
]


@pytest.mark.parametrize(("cause", "made"), BAD)
async def test_what_is_wrong_is_refused_and_counted(
    inbox: Inbox, units: Units, voice: Voice, cause: Cause, made: Any
) -> None:
    """Nothing of it is kept, it is counted for its unit and cause, and what comes with it is taken all the same."""
    bad = made(voice)
    await inbox.take([bad, voice.state("tilt")])
    (refusal,) = units.refusals.all()
    assert (refusal.cause, refusal.count) == (cause, 1)
    assert refusal.label == bad.topic.split("/")[3]
    assert set(units.register.states("D017")) == {"state/tilt"}


async def test_what_nobody_foresaw_is_counted_and_the_rest_taken(
    inbox: Inbox, units: Units, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message that breaks us is refused alone: given back to the broker it would break us again, for ever."""
    stage = units.register._stage

    def breaks(batch: Any, label: str, report: Any) -> None:
        if report.kind == "tilt":
            raise OverflowError
        stage(batch, label, report)

    monkeypatch.setattr(units.register, "_stage", breaks)
    await inbox.take([voice.state("battery"), voice.state("tilt"), voice.state("case")])
    assert set(units.register.states("D017")) == {"state/battery", "state/case"}
    refused = {one.cause: (one.label, one.count) for one in units.refusals.all()}
    assert refused[Cause.MALFORMED] == ("D017", 1)


async def test_who_fails_at_hearing_of_a_unit_ends_nobody(inbox: Inbox, units: Units, voice: Voice) -> None:
    """What is said is kept, and those who listen after are told."""
    heard: list[object] = []

    def fails(change: object) -> None:
        raise RuntimeError(change)

    units.register.listen(fails)
    units.register.listen(heard.append)
    await inbox.take([voice.state("tilt")])
    assert "state/tilt" in units.register.states("D017")
    assert heard
    assert units.refusals.all() == []


async def test_an_event_that_breaks_whoever_hears_it_ends_nobody(inbox: Inbox, units: Units, voice: Voice) -> None:
    """It is counted, and the one after it is heard."""
    heard: list[Heard] = []

    def hears(event: Heard) -> None:
        if event.data["State"] == "true":
            raise RuntimeError(event.topic)
        heard.append(event)

    inbox.events.join(Everybody(), hears)
    for state in ("true", "false"):
        said = {"UtcTime": "2026-09-21T14:00:00Z", "Source": {}, "Data": {"State": state}}
        await inbox.take([Arrived(voice.topic("onvif-ej/Device/Trigger"), json.dumps(said).encode())])
    assert len(heard) == 1
    assert [(one.cause, one.label) for one in units.refusals.all()] == [(Cause.MALFORMED, "D017")]


async def test_a_replay_is_refused_and_what_the_broker_kept_is_not_counted(
    inbox: Inbox, units: Units, voice: Voice
) -> None:
    """The same message sent again is a replay; the same again because we came anew is not."""
    message = voice.state()
    await inbox.take([message])
    await inbox.take([dataclasses.replace(message, stored=True)])
    assert units.refusals.all() == []
    await inbox.take([message])
    assert units.refusals.total(Cause.REPLAYED) == 1


async def test_a_unit_that_says_another_units_camera_is_refused(inbox: Inbox, units: Units, voice: Voice) -> None:
    """A camera belongs to one unit: by its URN, whoever says it, even in the same breath."""
    other = await enrolled(units, "D018")
    await inbox.take([voice.state("address"), other.state("address")])
    assert [(one.cause, one.label) for one in units.refusals.all()] == [(Cause.WRONG_UNIT, "D018")]
    owner = units.register.by_urn("urn:uuid:d017")
    assert owner is not None
    assert owner.label == "D017"
    await inbox.take([voice.state("address", urn="urn:uuid:other")])
    assert units.refusals.total(Cause.WRONG_UNIT) == 2


async def test_a_unit_without_a_good_certificate_is_refused(inbox: Inbox, units: Units, voice: Voice) -> None:
    """What a revoked unit still gets through to us is not taken."""
    await units.credentials.revoke("D017")
    await inbox.take([voice.state()])
    assert units.refusals.total(Cause.REVOKED) == 1
    assert units.register.states("D017") == {}


class Waiting:
    """Who waits for answers: for one of each number, unless ``nobody`` does."""

    def __init__(self, inbox: Inbox) -> None:
        self.nobody = False
        self.heard: list[tuple[str, str, str]] = []
        inbox.when_answered(self._answered)

    def _answered(self, label: str, kind: str, answer: Answer) -> bool:
        wanted = not self.nobody and all(answer.id != number for _, _, number in self.heard)
        if wanted:
            self.heard.append((label, kind, answer.id))
        return wanted


@pytest.fixture
def waiting(inbox: Inbox) -> Waiting:
    """Return who waits for answers."""
    return Waiting(inbox)


def answered(voice: Voice, *, number: str = "a" * 32, **values: Any) -> Arrived:
    """Return a unit's next answer, to a command of that number."""
    return Arrived(voice.topic("answer/locate"), voice.payload(id=number, ok=True, **values))


async def test_answers_are_handed_on(inbox: Inbox, units: Units, voice: Voice, waiting: Waiting) -> None:
    """An answer goes to whoever waits for it; it is kept as no state, and one that the broker kept is no answer."""
    arrived = answered(voice)
    await inbox.take([arrived, dataclasses.replace(arrived, stored=True)])
    assert waiting.heard == [("D017", "locate", "a" * 32)]
    assert [(one.cause, one.count) for one in units.refusals.all()] == [(Cause.MALFORMED, 1)]
    assert units.register.states("D017") == {}
    assert units.register.link("D017") is Link.ONLINE


async def test_an_answer_is_taken_once(inbox: Inbox, units: Units, voice: Voice, waiting: Waiting) -> None:
    """The same again, in one go or later, is a replay; the same number answered anew is what nobody waits for."""
    arrived = answered(voice)
    await inbox.take([arrived, arrived])
    await inbox.take([arrived])
    assert units.refusals.total(Cause.REPLAYED) == 2
    await inbox.take([answered(voice)])
    assert units.refusals.total(Cause.UNASKED) == 1
    assert len(waiting.heard) == 1


async def test_an_answer_that_comes_late_or_from_an_earlier_boot_is_refused(
    inbox: Inbox, units: Units, voice: Voice, waiting: Waiting
) -> None:
    """Answers have their place in the order of all that a unit says."""
    late = answered(voice)
    await inbox.take([voice.state(), late])
    assert units.refusals.total(Cause.OUT_OF_ORDER) == 1
    earlier = answered(voice)
    await inbox.take([Voice(boot="boot-2").state(), earlier])
    assert units.refusals.total(Cause.REPLAYED) == 1
    assert waiting.heard == []


async def test_a_state_from_before_an_answer_is_out_of_order(
    inbox: Inbox, units: Units, voice: Voice, waiting: Waiting
) -> None:
    """The order goes over answers and states alike."""
    before = voice.state()
    await inbox.take([answered(voice), before])
    assert units.refusals.total(Cause.OUT_OF_ORDER) == 1
    assert waiting.heard == [("D017", "locate", "a" * 32)]


async def test_an_answer_of_a_stranger_reaches_nobody(inbox: Inbox, units: Units, waiting: Waiting) -> None:
    """However often it comes, it is counted and not handed on."""
    stranger = Voice("D999")
    await inbox.take([answered(stranger) for _ in range(3)])
    assert [(one.cause, one.label, one.count) for one in units.refusals.all()] == [(Cause.UNKNOWN_UNIT, "D999", 3)]
    assert waiting.heard == []


async def test_an_answer_of_a_unit_that_is_revoked_or_retired_reaches_nobody(
    inbox: Inbox, units: Units, voice: Voice, waiting: Waiting
) -> None:
    """It may be connected still: what it takes on then changes nothing here."""
    await units.credentials.revoke("D017")
    await inbox.take([answered(voice)])
    other = await enrolled(units, "D018")
    await units.register.retire("D018")
    await inbox.take([answered(other)])
    assert units.refusals.total(Cause.REVOKED) == 2
    assert waiting.heard == []


async def test_an_answer_that_nobody_waits_for_is_counted(
    inbox: Inbox, units: Units, voice: Voice, waiting: Waiting
) -> None:
    """It was never asked for, or its time is over."""
    waiting.nobody = True
    await inbox.take([answered(voice)])
    assert [(one.cause, one.label) for one in units.refusals.all()] == [(Cause.UNASKED, "D017")]


async def test_a_number_that_never_came_is_counted(inbox: Inbox, units: Units, voice: Voice) -> None:
    """What the broker refused in silence leaves a hole in the unit's numbers: seen with the next thing that comes."""
    await inbox.take([voice.state(), voice.state()])
    voice.seq += 3
    await inbox.take([voice.state()])
    (refusal,) = units.refusals.all()
    assert (refusal.cause, refusal.label, refusal.count) == (Cause.MISSING, "D017", 3)
    assert "3 before number 6" in refusal.said


async def test_what_is_refused_or_answered_is_not_missing(
    inbox: Inbox, units: Units, voice: Voice, waiting: Waiting
) -> None:
    """Each refused message is counted once, by its cause; an answer bears a number as everything does."""
    await inbox.take([voice.state()])
    answer = answered(voice)
    spoilt = [dataclasses.replace(voice.state(), payload=b"{") for _ in range(2)]
    await inbox.take([answer, *spoilt, voice.event("holiday"), voice.state()])
    assert units.refusals.total(Cause.MALFORMED) == 2
    assert units.refusals.total(Cause.MISSING) == 0
    voice.seq += 1
    await inbox.take([voice.state()])
    assert units.refusals.total(Cause.MISSING) == 1


async def test_what_the_register_refuses_is_not_missing_as_well(inbox: Inbox, units: Units, voice: Voice) -> None:
    """It came, and is counted by its cause; a number that it bears hides nothing that never came."""
    await inbox.take([voice.state(), voice.state("address")])
    await inbox.take([voice.state("address", urn="urn:uuid:other"), voice.state("address", serial="X"), voice.state()])
    assert (units.refusals.total(Cause.WRONG_UNIT), units.refusals.total(Cause.MISSING)) == (2, 0)
    far = voice.state("address", urn="urn:uuid:other", seq=10**6)
    voice.seq += 2
    await inbox.take([far, voice.state()])
    assert (units.refusals.total(Cause.WRONG_UNIT), units.refusals.total(Cause.MISSING)) == (3, 2)


async def test_what_a_unit_said_while_it_had_no_certificate_is_not_missing(
    inbox: Inbox, units: Units, voice: Voice
) -> None:
    """Refused and counted as that; given another one it goes on where it was."""
    await inbox.take([voice.state()])
    await units.credentials.revoke("D017")
    await inbox.take([voice.state()])
    await units.credentials.issue("D017")
    await inbox.take([voice.state()])
    assert [(one.cause, one.count) for one in units.refusals.all()] == [(Cause.REVOKED, 1)]


async def test_what_comes_again_hides_nothing_that_is_missing(inbox: Inbox, units: Units, voice: Voice) -> None:
    """Its number was heard before."""
    first = voice.state()
    await inbox.take([first])
    voice.seq += 1
    await inbox.take([first, voice.state()])
    assert (units.refusals.total(Cause.REPLAYED), units.refusals.total(Cause.MISSING)) == (1, 1)


async def test_only_what_was_heard_in_one_boot_is_compared(inbox: Inbox, units: Units, voice: Voice) -> None:
    """What the broker had kept, a new boot, and whatever was before we began tell nothing of what is missing."""
    voice.seq = 40
    await inbox.take([dataclasses.replace(voice.state(), stored=True)])
    voice.seq = 50
    await inbox.take([voice.state()])
    voice.boot, voice.seq = "boot-2", 7
    await inbox.take([voice.state()])
    voice.seq += 1
    events = EventInbox(units.refusals, clock=ManualClock())
    await Inbox(units.register, units.refusals, events).take([voice.state()])
    assert units.refusals.all() == []
