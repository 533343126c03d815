"""Events that devices tell over MQTT: read as ONVIF writes them, and refused, counted and seen where they are wrong."""

import json
from typing import Any

import pytest

from gateway.telemetry.arrived import Arrived
from gateway.telemetry.onvif_events import EventTopic, Sender, is_event, read_event
from gateway.telemetry.onvif_inbox import AHEAD_S, EventInbox, Heard
from gateway.units import Cause, Refusals
from gateway.units.errors import RefusedError
from kernel.clock import NS_PER_S, utc
from tests.fakes.clock import ManualClock

DEVICE = "0190a7c0d5f07cc08f3c1d2e3f405162"
TOPIC = f"sightline/v1/devices/{DEVICE}/onvif-ej/VideoSource/MotionAlarm/&video-source-1"


class OneDevice:
    """Knows one device, whose clock is ahead by ``offset``."""

    offset = 0.0

    def offset_s(self, topic: EventTopic) -> float:
        """See ``Devices``."""
        if topic.name != DEVICE:
            raise RefusedError(Cause.UNKNOWN_UNIT, "no device of that identifier is enrolled")
        return self.offset


class Stage:
    """An inbox, and what it took and refused."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.refusals = Refusals(clock=self.clock, known=lambda _: False)
        self.inbox = EventInbox(self.refusals, clock=self.clock)
        self.device = OneDevice()
        self.heard: list[Heard] = []
        self.inbox.join(self.device, self.heard.append)

    def comes(self, payload: bytes | str, topic: str = TOPIC, *, stored: bool = False) -> None:
        """Have something come."""
        body = payload.encode() if isinstance(payload, str) else payload
        self.inbox.take([Arrived(topic, body, stored=stored)])

    def event(self, after_s: float = 0.0, *, on: Any = "true", source: str = "video-source-1") -> str:
        """Return a payload of so long after now by our clock."""
        moment = utc(self.clock.wall_ns() + round(after_s * NS_PER_S)).isoformat().replace("+00:00", "Z")
        return json.dumps({"UtcTime": moment, "Source": {"Source": source}, "Data": {"State": on}})

    def refused(self) -> list[tuple[Cause, str]]:
        """Return what was, by cause and name."""
        return [(one.cause, one.label) for one in self.refusals.all()]


@pytest.fixture
def stage() -> Stage:
    """Return one."""
    return Stage()


@pytest.mark.parametrize(
    ("rest", "topic", "values"),
    [
        ("RuleEngine/LineDetector/Crossed/&1/2/Fence", "tns1:RuleEngine/LineDetector/Crossed", ("1", "2", "Fence")),
        ("VideoSource/MotionAlarm", "tns1:VideoSource/MotionAlarm", ()),
        ("Device/HardwareFailure/acme:LensFailure", "tns1:Device/HardwareFailure/acme:LensFailure", ()),
        ("acme:Lens/Dirty", "acme:Lens/Dirty", ()),
        ("tns1:Device/tns1:Trigger/tns1:Relay/&r-1", "tns1:Device/Trigger/Relay", ("r-1",)),
    ],
)
def test_a_topic_is_read_as_onvif_writes_it(rest: str, topic: str, values: tuple[str, ...]) -> None:
    """Without ONVIF's own prefix, or with it; with those of makes; with values of the source, or without."""
    read = read_event(f"sightline/v1/units/D017/onvif-ej/{rest}")
    assert read == EventTopic(Sender.UNIT, "D017", topic, values)


def test_what_is_no_event_is_none() -> None:
    """A unit's own topics, another form of payload, an empty step."""
    assert not is_event("sightline/v1/units/D017/state/battery")
    assert read_event("sightline/v1/devices/x/onvif-mj/VideoAnalytics") is None
    assert read_event(f"sightline/v1/devices/{DEVICE}/onvif-ej/VideoSource//Motion") is None
    assert read_event(f"sightline/v1/devices/{DEVICE}/onvif-ej") is None


def test_an_event_is_taken_by_our_clock(stage: Stage) -> None:
    """Its time is put right by what the device's clock is off."""
    stage.device.offset = 12.0
    stage.comes(stage.event(12.0))
    (heard,) = stage.heard
    assert (heard.topic.topic, heard.source, heard.data) == (
        "tns1:VideoSource/MotionAlarm",
        {"Source": "video-source-1"},
        {"State": "true"},
    )
    assert heard.wall_ns == stage.clock.wall_ns()
    assert stage.refused() == []


def test_quotes_may_be_missing_and_the_xmls_form_is_read(stage: Stage) -> None:
    """Numbers, yes and no as JSON has them; lists of SimpleItem as Hanwha writes them; elements are passed over."""
    moment = utc(stage.clock.wall_ns()).isoformat()
    topic = f"sightline/v1/devices/{DEVICE}/onvif-ej/RuleEngine/Any"
    stage.comes(
        json.dumps({"UtcTime": moment, "Source": {}, "Data": {"Value": 298.65, "On": True, "E": {"a": 1}}}), topic
    )
    listed = {"SimpleItem": [{"Name": "State", "Value": "false"}]}
    stage.comes(json.dumps({"UtcTime": moment, "Source": {}, "Data": listed}), topic)
    assert [heard.data for heard in stage.heard] == [{"Value": "298.65", "On": "true"}, {"State": "false"}]


@pytest.mark.parametrize("year", ["0001", "1600", "1969", "2200", "9999"])
def test_a_year_that_no_database_holds_is_malformed(stage: Stage, year: str) -> None:
    """Anybody may say any: it is counted, also without a zone."""
    stage.comes(json.dumps({"UtcTime": f"{year}-06-01T00:00:00Z", "Source": {}, "Data": {"State": "true"}}))
    stage.comes(json.dumps({"UtcTime": f"{year}-06-01T00:00:00", "Source": {}, "Data": {"State": "true"}}))
    assert stage.heard == []
    assert [(one.cause, one.label, one.count) for one in stage.refusals.all()] == [(Cause.MALFORMED, DEVICE, 2)]
    assert "UtcTime" in stage.refusals.all()[0].said


def test_the_same_once_more_is_a_replay(stage: Stage) -> None:
    """Counted under the device, and not told again; another value of the same second is no replay."""
    stage.comes(stage.event())
    stage.comes(stage.event())
    stage.comes(stage.event(on="false"))
    assert [heard.data["State"] for heard in stage.heard] == ["true", "false"]
    assert stage.refused() == [(Cause.REPLAYED, DEVICE)]


def test_what_is_older_than_the_last_is_out_of_order(stage: Stage) -> None:
    """Of the same property: another lens has an order of its own."""
    stage.comes(stage.event())
    stage.comes(stage.event(-1.0))
    other = f"sightline/v1/devices/{DEVICE}/onvif-ej/VideoSource/MotionAlarm/&video-source-2"
    stage.comes(stage.event(-1.0, source="video-source-2"), other)
    assert len(stage.heard) == 2
    assert stage.refused() == [(Cause.OUT_OF_ORDER, DEVICE)]


def test_what_the_broker_had_kept_is_nobodys_replay(stage: Stage) -> None:
    """It comes with every new subscription: taken once, and refused never."""
    stage.comes(stage.event(), stored=True)
    stage.comes(stage.event(), stored=True)
    assert [heard.stored for heard in stage.heard] == [True]
    assert stage.refused() == []


@pytest.mark.parametrize(
    ("payload", "cause"),
    [
        (b"{", Cause.MALFORMED),
        (b"[]", Cause.MALFORMED),
        (b"\xff\xfe", Cause.MALFORMED),
        (b'{"Source": {}, "Data": {}}', Cause.MALFORMED),
        (b'{"UtcTime": "yesterday", "Source": {}}', Cause.MALFORMED),
        (b'{"UtcTime": "2026-01-01T00:00:00Z", "Source": "no"}', Cause.MALFORMED),
        (b'{"UtcTime": "2026-01-01T00:00:00Z", "Source": {"a": "' + b"x" * 4096 + b'"}}', Cause.OVERSIZED),
    ],
)
def test_what_is_wrong_is_refused_and_counted(stage: Stage, payload: bytes, cause: Cause) -> None:
    """By its cause, under the device."""
    stage.comes(payload)
    assert stage.heard == []
    assert stage.refused() == [(cause, DEVICE)]


def test_another_source_than_the_topics_is_refused(stage: Stage) -> None:
    """Whoever may write on one topic cannot speak for another lens."""
    stage.comes(stage.event(source="video-source-2"))
    assert stage.refused() == [(Cause.WRONG_UNIT, DEVICE)]


def test_a_device_that_nobody_knows_is_refused(stage: Stage) -> None:
    """Under the name that it gives."""
    stage.comes(stage.event(), "sightline/v1/devices/nobody/onvif-ej/VideoSource/MotionAlarm")
    assert stage.refused() == [(Cause.UNKNOWN_UNIT, "nobody")]


def test_a_topic_that_is_none_is_refused(stage: Stage) -> None:
    """Its name is all that is known."""
    stage.comes(stage.event(), f"sightline/v1/devices/{DEVICE}/onvif-ej//x")
    assert stage.refused() == [(Cause.UNKNOWN_KIND, DEVICE)]


def test_a_clock_far_ahead_is_not_believed(stage: Stage) -> None:
    """Else everything after it was put right would look old."""
    stage.comes(stage.event(AHEAD_S + 1.0))
    stage.comes(stage.event())
    assert len(stage.heard) == 1
    assert stage.refused() == [(Cause.MALFORMED, DEVICE)]


def test_a_property_that_is_deleted_is_no_event(stage: Stage) -> None:
    """Its empty payload is neither told nor refused."""
    stage.comes(b"")
    assert stage.heard == []
    assert stage.refused() == []
