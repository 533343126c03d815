"""Knobs of PullPoint, and PullPoint without them."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from drivers.simulator import happenings
from drivers.simulator.device import SimulatedDevice
from drivers.simulator.onvif.markup import NAMESPACES, find_all
from tests.fakes.clock import ManualClock, settle
from tests.fakes.waiting import until
from tests.unit.simulator_onvif.stand import Answer, Wire, a_device, addressing, on_the_wire, token

PROPERTIES = 5
GONE = ["InvalidArgVal", "ResourceUnknown"]
TERM = "<p:InitialTerminationTime>PT60S</p:InitialTerminationTime>"


@pytest.fixture
def device(clock: ManualClock) -> SimulatedDevice:
    """Return a camera."""
    return a_device(clock)


@pytest_asyncio.fixture
async def wire(device: SimulatedDevice) -> AsyncIterator[Wire]:
    """Return a connection to it."""
    async with on_the_wire(device) as wire:
        yield wire


async def subscribe(wire: Wire, arguments: str = TERM) -> str:
    """Subscribe and return the path of the subscription."""
    created = await wire.call("tev", "CreatePullPointSubscription", arguments)
    return "/onvif/" + created.told["SubscriptionReference/Address"].split("/onvif/")[1]


async def pull(wire: Wire, path: str, *, timeout_s: float = 0.0, limit: int = 100, header: str | None = None) -> Answer:
    """Pull."""
    given = f"<p:Timeout>PT{timeout_s:g}S</p:Timeout><p:MessageLimit>{limit}</p:MessageLimit>"
    return await wire.call("tev", "PullMessages", given, path=path, header=header)


def messages(answer: Answer) -> list[tuple[str, str, str]]:
    """Return (topic, operation, value) of what was pulled."""
    told = []
    for message in find_all(answer.content, "NotificationMessage"):
        (content,) = find_all(message, "Message/Message")
        (item,) = find_all(content, "Data/SimpleItem")
        (topic,) = find_all(message, "Topic")
        told.append((topic.text or "", content.get("PropertyOperation", ""), item.get("Value", "")))
    return told


async def test_a_subscription_starts_with_the_present_state(wire: Wire, device: SimulatedDevice) -> None:
    """What is true when somebody subscribes is told as Initialized, changes after it as Changed."""
    happenings.tamper(device, on=True)
    path = await subscribe(wire)
    first = messages(await pull(wire, path))
    assert len(first) == PROPERTIES
    assert (happenings.TAMPER, "Initialized", "true") in first
    happenings.motion(device, on=True)
    assert messages(await pull(wire, path)) == [
        (happenings.MOTION_ALARM, "Changed", "true"),
        (happenings.CELL_MOTION, "Changed", "true"),
    ]


async def test_a_pull_waits_for_something_to_happen(wire: Wire, device: SimulatedDevice) -> None:
    """A long poll answers the moment something happens."""
    path = await subscribe(wire)
    await pull(wire, path)
    waiting = asyncio.create_task(pull(wire, path, timeout_s=30))
    await until(lambda: [one.name for one in device.requests].count("PullMessages") == 2)
    await settle()
    assert not waiting.done()
    happenings.digital_input(device, "input-1", on=True)
    assert messages(await waiting) == [(happenings.DIGITAL_INPUT, "Changed", "true")]


async def test_a_pull_gives_up_after_its_timeout(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """Nothing happens: an empty answer when the timeout is over."""
    path = await subscribe(wire)
    await pull(wire, path)
    waiting = asyncio.create_task(pull(wire, path, timeout_s=10))
    await until(lambda: clock.sleeps_for(10), what="the pull to wait")
    await clock.turn(10)
    assert messages(await waiting) == []


async def test_a_limit_leaves_the_rest_for_the_next_pull(wire: Wire) -> None:
    """MessageLimit is kept to and nothing is lost."""
    path = await subscribe(wire)
    assert len(messages(await pull(wire, path, limit=2))) == 2
    assert len(messages(await pull(wire, path))) == PROPERTIES - 2


@pytest.mark.parametrize(
    ("expression", "passed"),
    [
        ("tns1:VideoSource//.", {happenings.MOTION_ALARM, happenings.TAMPER}),
        ("x:Device/Trigger/Relay|x:VideoSource/MotionAlarm", {happenings.RELAY, happenings.MOTION_ALARM}),
        ("tns1:Device", set()),
    ],
)
async def test_topics_are_filtered(wire: Wire, expression: str, passed: set[str]) -> None:
    """A ConcreteSet filter lets whole branches and alternatives through, and nothing else."""
    path = await subscribe(
        wire, f"<p:Filter><wsnt:TopicExpression>{expression}</wsnt:TopicExpression></p:Filter>{TERM}"
    )
    assert {topic for topic, _, _ in messages(await pull(wire, path))} == passed


@pytest.mark.parametrize(
    "inner",
    [
        '<wsnt:TopicExpression Dialect="urn:other">x</wsnt:TopicExpression>',
        "<wsnt:MessageContent>x</wsnt:MessageContent>",
    ],
)
async def test_other_filters_are_refused(wire: Wire, inner: str) -> None:
    """A filter that is not understood is a fault, not ignored."""
    answer = await wire.call("tev", "CreatePullPointSubscription", f"<p:Filter>{inner}</p:Filter>")
    assert answer.fault == ["InvalidArgVal", "InvalidFilter"]


async def test_a_subscription_ends_when_it_is_not_renewed(wire: Wire, clock: ManualClock) -> None:
    """Renewed it lives on; after its time it is gone."""
    path = await subscribe(wire)
    await clock.turn(50)
    assert (await renew(wire, path)).status == 200
    await clock.turn(50)
    assert (await pull(wire, path)).status == 200
    await clock.turn(11)
    assert (await pull(wire, path)).fault == GONE


async def renew(wire: Wire, path: str, *, header: str | None = None, term: str = "PT60S") -> Answer:
    """Renew."""
    given = f"<p:TerminationTime>{term}</p:TerminationTime>"
    return await wire.call("wsnt", "Renew", given, path=path, header=header)


@pytest.mark.parametrize("term", ["PT0S", "-PT5S", "2001-01-01T00:00:00Z", "tomorrow", "P"])
async def test_a_useless_termination_time_is_refused(wire: Wire, term: str) -> None:
    """A time that has passed, or is none, is a fault."""
    assert (await renew(wire, await subscribe(wire), term=term)).fault == ["InvalidArgVal", "InvalidTerminationTime"]


async def test_unsubscribing_wakes_who_waits(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """A pull that waits on a subscription that ends is answered."""
    path = await subscribe(wire)
    await pull(wire, path)
    waiting = asyncio.create_task(pull(wire, path, timeout_s=30))
    await until(lambda: clock.sleeps_for(30), what="the pull to wait")
    assert (await wire.call("wsnt", "Unsubscribe", path=path)).status == 200
    assert messages(await waiting) == []
    assert (await pull(wire, path)).fault == GONE


async def test_needs_reference_parameters(wire: Wire, device: SimulatedDevice) -> None:
    """needs_reference_parameters: the address alone names no subscription; its parameter in the header does."""
    device.faults.needs_reference_parameters = True
    created = await wire.call("tev", "CreatePullPointSubscription", TERM)
    path = "/onvif/" + created.told["SubscriptionReference/Address"].split("/onvif/")[1]
    number = created.told["SubscriptionReference/ReferenceParameters/SubscriptionId"]
    assert (await pull(wire, path)).fault == GONE
    echoed = f'<s:SubscriptionId xmlns:s="{NAMESPACES["sim"]}">{number}</s:SubscriptionId>'
    assert len(messages(await pull(wire, path, header=token(device) + echoed))) == PROPERTIES


async def test_needs_termination_time(wire: Wire, device: SimulatedDevice) -> None:
    """needs_termination_time: without one, HTTP 500; with one, a subscription."""
    device.faults.needs_termination_time = True
    assert (await wire.call("tev", "CreatePullPointSubscription")).status == 500
    assert (await wire.call("tev", "CreatePullPointSubscription", TERM)).status == 200


async def test_renew_needs_addressing(wire: Wire, device: SimulatedDevice) -> None:
    """renew_needs_addressing: Renew without WS-Addressing is HTTP 400; with it, it renews."""
    device.faults.renew_needs_addressing = True
    path = await subscribe(wire)
    assert (await renew(wire, path)).status == 400
    answer = await renew(wire, path, header=token(device) + addressing("urn:RenewRequest"))
    assert answer.status == 200
    assert b"<wsa:Action>urn:RenewResponse</wsa:Action><wsa:RelatesTo>urn:uuid:1</wsa:RelatesTo>" in answer.body


async def test_rejects_plus_zero(wire: Wire, device: SimulatedDevice) -> None:
    """rejects_plus_zero: a termination time in +00:00 is refused, in Z it is taken."""
    device.faults.rejects_plus_zero = True
    path = await subscribe(wire)
    assert (await renew(wire, path, term="2026-09-21T15:00:00+00:00")).fault == [
        "InvalidArgVal",
        "InvalidTerminationTime",
    ]
    assert (await renew(wire, path, term="2026-09-21T15:00:00Z")).status == 200


@pytest.mark.parametrize("all_of_them", [False, True])
async def test_unsubscribe_kills_all(wire: Wire, device: SimulatedDevice, *, all_of_them: bool) -> None:
    """unsubscribe_kills_all: ending one subscription ends the other too."""
    device.faults.unsubscribe_kills_all = all_of_them
    first, second = await subscribe(wire), await subscribe(wire)
    await wire.call("wsnt", "Unsubscribe", path=first)
    assert (await pull(wire, second)).fault == (GONE if all_of_them else [])


async def test_subscription_slots(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """subscription_slots: one too many is refused until one has ended."""
    device.faults.subscription_slots = 2
    for _ in range(2):
        await subscribe(wire)
    refused = await wire.call("tev", "CreatePullPointSubscription", TERM)
    assert refused.fault == ["Action", "MaxSubscriptions"]
    await clock.turn(61)
    assert (await wire.call("tev", "CreatePullPointSubscription", TERM)).status == 200
