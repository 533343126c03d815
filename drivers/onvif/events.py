"""Events by PullPoint (Core section 9): subscribe, ask for the state of everything, pull for ever.

One pull outstanding. Reference parameters are echoed. Renew is sent only where pulling does not keep the subscription
alive. A subscription that is lost is made anew, politely.
"""

import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import structlog
from lxml import etree

from drivers.errors import CameraAuthenticationError, CameraBusyError, CameraError, CameraFaultError
from drivers.onvif.catalogue import Service
from drivers.onvif.locations import Locations
from drivers.onvif.moments import read_moment, write_duration, write_moment
from drivers.onvif.reading import Node, as_flag
from drivers.onvif.soap import Caller
from kernel.clock import NS_PER_S, Clock
from kernel.supervision import Backoff

log = structlog.get_logger()

LIFETIME_S = 60.0
"""Short, so that a subscription we could not end is soon gone: cameras have 4 to 8 slots."""
PULL_S = 20.0
MESSAGES = 100
PATIENCE = Backoff(base_s=1.0, cap_s=60.0)
_TOPICS = "http://www.onvif.org/ver10/topics"
_QUICK_S = 0.5
"""A camera that answers an empty pull faster than this does not wait, and is asked no more than once a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraEvent:
    """Something a camera told."""

    topic: str
    """As in ``tns1:VideoSource/MotionAlarm``; vendor prefixes as the camera has them."""
    source: dict[str, str]
    data: dict[str, str]
    wall_ns: int
    """When, by our clock: the camera's time corrected by its offset."""
    operation: str = ""
    """``Initialized`` (state told after subscribing), ``Changed``, ``Deleted``, or empty."""
    meaning: str | None = None
    """What it is in one vocabulary for all makes, where known: ``Motion Alarm``."""
    active: bool | None = None
    """Whether that is so now, for what is so or not so."""


@dataclass(slots=True, kw_only=True)
class Subscription:
    """A pull point of ours at the camera."""

    url: str
    reference: Sequence[etree._Element] = field(default=())
    relative: bool = True
    """Whether the camera understands durations; else times are sent."""


class Events:
    """The event service of one device."""

    def __init__(self, caller: Caller, url: str, locations: Locations, *, clock: Clock) -> None:
        self._caller = caller
        self._url = url
        self._locations = locations
        self._clock = clock

    async def subscribe(self) -> Subscription:
        """CreatePullPointSubscription, always with an initial termination time (Core section 9.1.1).

        Raises:
            CameraBusyError: no subscription is left for us.
            CameraFaultError: it has no pull points.
        """
        try:
            answer = await self._caller.call(
                self._url,
                Service.EVENTS,
                "CreatePullPointSubscription",
                {"InitialTerminationTime": write_duration(LIFETIME_S)},
            )
        except CameraBusyError:
            self._caller.quirks.learn("few-subscriptions")
            raise
        reference = answer.one("SubscriptionReference")
        listed = reference.one("ReferenceParameters") if reference is not None else None
        parameters = [node.element for node in listed] if listed is not None else []
        if parameters:
            self._caller.quirks.learn("reference-parameters")
        address = reference.text("Address") if reference is not None else ""
        url = self._locations.reach(address) if address else self._url
        left_s = _left_s(answer)
        relative = left_s is None or left_s > LIFETIME_S / 2
        return Subscription(url=url, reference=parameters, relative=relative)

    async def synchronize(self, subscription: Subscription) -> None:
        """Ask for the state of every property (SetSynchronizationPoint, Core section 9.1.6)."""
        await self._call(subscription, Service.PULL_POINT, "SetSynchronizationPoint", {})

    async def pull(self, subscription: Subscription) -> list[CameraEvent]:
        """Wait for messages and renew where pulling did not (Core section 9.1.2)."""
        answer = await self._call(
            subscription,
            Service.PULL_POINT,
            "PullMessages",
            {"Timeout": write_duration(PULL_S), "MessageLimit": MESSAGES},
            timeout_s=PULL_S + self._caller.session.limits.request_s,
        )
        found = [self._event(node) for node in answer.all("NotificationMessage")]
        left_s = _left_s(answer)
        if left_s is not None and left_s < LIFETIME_S / 2:
            self._caller.quirks.learn("renew-asked")
            await self._renew(subscription)
        return [event for event in found if event is not None]

    async def _renew(self, subscription: Subscription) -> None:
        camera_ns = self._caller.offset.wall_ns()
        until = (
            write_duration(LIFETIME_S)
            if subscription.relative
            else write_moment(camera_ns + round(LIFETIME_S * NS_PER_S))
        )
        try:
            await self._call(subscription, Service.SUBSCRIPTION, "Renew", {"TerminationTime": until})
        except CameraFaultError as error:
            # It lapses then, the next pull says so, and another is made.
            log.info("events.renew_refused", address=subscription.url, error=str(error))

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End it; or let it lapse, where ending one ends all."""
        if "unsubscribe-kills-all" in self._caller.quirks:
            return
        with suppress(CameraError):
            await self._call(subscription, Service.SUBSCRIPTION, "Unsubscribe", {})

    async def _call(
        self,
        subscription: Subscription,
        service: Service,
        operation: str,
        fields: dict[str, Any],
        *,
        timeout_s: float | None = None,
    ) -> Node:
        return await self._caller.call(
            subscription.url, service, operation, fields, reference=subscription.reference, timeout_s=timeout_s
        )

    # --- for ever

    @asynccontextmanager
    async def _subscribed(self) -> AsyncGenerator[Subscription, None]:
        subscription = await self.subscribe()
        try:
            with suppress(CameraFaultError):
                await self.synchronize(subscription)
            yield subscription
        finally:
            await self.unsubscribe(subscription)

    async def listen(self, *, backoff: Backoff = PATIENCE) -> AsyncGenerator[CameraEvent, None]:
        """Yield events for ever; close it (``contextlib.aclosing``) to end the subscription.

        Raises:
            CameraAuthenticationError: the password is wrong: asking again would lock the account.
        """
        rng = random.Random()  # noqa: S311 - jitter
        failures = 0
        while True:
            began_ns = self._clock.monotonic_ns()
            try:
                async with self._subscribed() as subscription:
                    while True:
                        asked_ns = self._clock.monotonic_ns()
                        found = await self.pull(subscription)
                        for event in found:
                            yield event
                        took_s = (self._clock.monotonic_ns() - asked_ns) / NS_PER_S
                        if not found and took_s < _QUICK_S:
                            await self._clock.sleep(1.0)
            except CameraAuthenticationError:
                raise
            except CameraError as error:
                lasted_s = (self._clock.monotonic_ns() - began_ns) / NS_PER_S
                failures = 1 if lasted_s >= backoff.healthy_s else failures + 1
                delay_s = backoff.delay_s(failures, rng)
                log.info("events.retry", address=self._url, error=error.code, delay_s=round(delay_s, 2))
                await self._clock.sleep(delay_s)

    # --- at enrolment

    async def try_out(self, claimed: bool | None) -> bool:  # noqa: FBT001 - what the camera's flag says
        """Say whether pull points work, whatever the flag says; nothing is left open."""
        try:
            first = await self.subscribe()
        except (CameraFaultError, CameraBusyError) as error:
            if claimed and not isinstance(error, CameraBusyError):
                self._caller.quirks.learn("pullpoint-claimed")
            return isinstance(error, CameraBusyError)
        if claimed is False:
            self._caller.quirks.learn("pullpoint-denied")
        try:
            second: Subscription | None = await self.subscribe()
        except (CameraFaultError, CameraBusyError):
            second = None
        await self.unsubscribe(first)
        if second is not None:
            try:
                await self.synchronize(second)
            except CameraFaultError as error:
                if _gone(error):
                    self._caller.quirks.learn("unsubscribe-kills-all")
            await self.unsubscribe(second)
        return True

    def _event(self, node: Node) -> CameraEvent | None:
        """Return a NotificationMessage as an event, None for one without content."""
        message = next((one for one in node.descendants("Message") if one.one("Data") or one.one("Source")), None)
        if message is None:
            message = next((one for one in node.descendants("Message") if one.get("UtcTime")), None)
        topic_node = node.one("Topic")
        if message is None or topic_node is None:
            return None
        topic = _topic(topic_node)
        source, data = _items(message.one("Source")), _items(message.one("Data"))
        return CameraEvent(
            topic=topic,
            source=source,
            data=data,
            wall_ns=self._moment(message.get("UtcTime")),
            operation=message.get("PropertyOperation"),
            meaning=None,
            active=next((flag for value in data.values() if (flag := as_flag(value)) is not None), None),
        )

    def _moment(self, text: str) -> int:
        try:
            wall_ns, odd = read_moment(text)
        except ValueError:
            self._caller.quirks.learn("unusable-values", "First seen in the times of its events.")
            return self._clock.wall_ns()
        if odd:
            self._caller.quirks.learn("odd-times")
        return wall_ns - round(self._caller.offset.seconds * NS_PER_S)


async def interpret(event: CameraEvent) -> CameraEvent:
    """Add what a vendor's topic means, by the table of onvif-parsers; unknown topics stay as they are."""
    import onvif_parsers  # noqa: PLC0415 - small, and only where events are listened to
    from onvif_parsers.errors import UnknownTopicError  # noqa: PLC0415

    def items(values: dict[str, str]) -> SimpleNamespace:
        return SimpleNamespace(SimpleItem=[SimpleNamespace(Name=name, Value=value) for name, value in values.items()])

    content = SimpleNamespace(Source=items(event.source), Data=items(event.data), Key=None)
    message = SimpleNamespace(Topic=SimpleNamespace(_value_1=event.topic), Message=SimpleNamespace(_value_1=content))
    try:
        found = await onvif_parsers.parse(event.topic, "", message)
    except (UnknownTopicError, AttributeError, KeyError, IndexError, TypeError, ValueError):
        return event
    if not found:
        return event
    active = found[0].value if isinstance(found[0].value, bool) else event.active
    return CameraEvent(
        topic=event.topic,
        source=event.source,
        data=event.data,
        wall_ns=event.wall_ns,
        operation=event.operation,
        meaning=str(found[0].name),
        active=active,
    )


def _left_s(answer: Node) -> float | None:
    """Return how long the subscription still lives by the camera's own two times."""
    try:
        current, _ = read_moment(answer.text("CurrentTime"))
        termination, _ = read_moment(answer.text("TerminationTime"))
    except ValueError:
        return None
    return (termination - current) / NS_PER_S


def _gone(error: CameraFaultError) -> bool:
    told = f"{error.facts.get('fault', '')} {error.message}".lower()
    return any(
        word in told for word in ("resourceunknown", "unknown", "invalid", "no subscription", "not found", "gone")
    )


def _items(node: Node | None) -> dict[str, str]:
    if node is None:
        return {}
    return {item.get("Name"): item.get("Value") for item in node.all("SimpleItem") if item.get("Name")}


def _topic(node: Node) -> str:
    """Return the topic with ONVIF's own prefix called tns1, whatever the camera calls it."""
    steps = []
    for step in node.text().split("/"):
        prefix, mark, name = step.partition(":")
        space = node.element.nsmap.get(prefix)
        steps.append(f"tns1:{name}" if mark and space == _TOPICS else step)
    return "/".join(steps)
