"""The event service: subscribing by PullPoint and describing the topics (ONVIF Core section 9)."""

from collections import OrderedDict
from itertools import count

from drivers.simulator import happenings
from drivers.simulator.device import DeviceEvent, SimulatedDevice
from drivers.simulator.onvif import values
from drivers.simulator.onvif.addresses import told_url
from drivers.simulator.onvif.capabilities import SUBSCRIPTIONS_MAX
from drivers.simulator.onvif.markup import Element, el, find_all, text_at
from drivers.simulator.onvif.soap import Fault, Request, Service, invalid, operation, unsupported
from drivers.simulator.onvif.subscription import Subscription
from drivers.simulator.onvif.topics import CONCRETE_SET, topic_set
from kernel.clock import NS_PER_S

PATH = "/onvif/subscription"
_TERM_S = 60.0
_LONGEST_PULL_S = 60.0
_MOST_MESSAGES = 100


class EventService(Service):
    """Subscriptions, and the present state of every property."""

    prefix = "tev"

    def __init__(self, device: SimulatedDevice) -> None:
        super().__init__(device)
        self._numbers = count(1)
        self._subscriptions: OrderedDict[str, Subscription] = OrderedDict()
        self._state = {_key(event): event for event in happenings.present(device)}

    def heard(self, event: DeviceEvent) -> None:
        """Remember an event as the state of its property, and put it before every subscription."""
        self._state[_key(event)] = event
        self._drop_ended()
        for subscription in self._subscriptions.values():
            subscription.put(event)

    def _drop_ended(self) -> None:
        now_ns = self.device.clock.monotonic_ns()
        for token in [token for token, held in self._subscriptions.items() if held.ends_ns <= now_ns]:
            self._subscriptions.pop(token).end()

    def _initialize(self, subscription: Subscription) -> None:
        """Tell the state of every property (ONVIF Core section 9.4.1)."""
        now_ns = self.device.wall_ns()
        for event in self._state.values():
            subscription.put(DeviceEvent(event.topic, event.source, event.data, now_ns, "Initialized"))

    def _span_ns(self, text: str) -> int:
        """Return how long from now a termination time lies.

        Raises:
            Fault: it cannot be read, or has passed.
        """
        if self.device.faults.rejects_plus_zero and text.endswith("+00:00"):
            raise invalid("The termination time cannot be read.", "InvalidTerminationTime")
        now_ns = self.device.wall_ns()
        try:
            span_ns = values.termination_ns(text, now_ns, self.device.faults) - now_ns
        except ValueError:
            raise invalid("The termination time cannot be read.", "InvalidTerminationTime") from None
        if span_ns <= 0:
            raise invalid("The termination time has passed.", "InvalidTerminationTime")
        return min(span_ns, 3600 * NS_PER_S)

    def _times(self, subscription: Subscription, prefix: str) -> list[Element]:
        now_ns = self.device.wall_ns()
        left_ns = subscription.ends_ns - self.device.clock.monotonic_ns()
        times = {"CurrentTime": now_ns, "TerminationTime": now_ns + left_ns}
        return [el(f"{prefix}:{name}", values.instant(wall_ns, self.device.faults)) for name, wall_ns in times.items()]

    @operation("CreatePullPointSubscription")
    def create_pull_point_subscription(self, request: Request) -> list[Element]:
        """Subscribe."""
        faults = request.faults
        if faults.claims_pullpoint:
            raise unsupported("PullPoint is not supported.")
        term = request.text("InitialTerminationTime")
        if not term and faults.needs_termination_time:
            raise Fault("Action", reason="Internal error.", receiver=True)
        self._drop_ended()
        if len(self._subscriptions) >= (faults.subscription_slots or SUBSCRIPTIONS_MAX):
            raise Fault("Action", "MaxSubscriptions", reason="No subscription is left.", receiver=True)
        span_ns = self._span_ns(term) if term else round(_TERM_S * NS_PER_S)
        token = str(next(self._numbers))
        subscription = Subscription(
            self.device.clock, self._topics(request), self.device.clock.monotonic_ns() + span_ns
        )
        self._subscriptions[token] = subscription
        self._initialize(subscription)
        # By address, as most do it; by reference parameters alone, as Axis does.
        by_parameters = faults.needs_reference_parameters
        address = told_url(self.device, request.host, PATH if by_parameters else f"{PATH}/{token}")
        reference = el(
            "tev:SubscriptionReference",
            el("wsa:Address", address),
            el("wsa:ReferenceParameters", el("sim:SubscriptionId", token)) if by_parameters else None,
        )
        return [reference, *self._times(subscription, "wsnt")]

    @staticmethod
    def _topics(request: Request) -> str:
        """Return the topic expression of the filter, empty for everything.

        Raises:
            Fault: a dialect or a kind of filter that is not spoken.
        """
        expressions = find_all(request.body, "Filter/TopicExpression")
        if find_all(request.body, "Filter/MessageContent"):
            raise invalid("Message contents cannot be filtered.", "InvalidFilter")
        if any(part.get("Dialect", CONCRETE_SET) != CONCRETE_SET for part in expressions):
            raise invalid("This topic dialect is not spoken.", "InvalidFilter")
        return "|".join((part.text or "").strip() for part in expressions)

    def _meant(self, request: Request) -> tuple[str, Subscription]:
        """Return the subscription that a request is addressed to.

        Raises:
            Fault: there is none, or it has ended.
        """
        self._drop_ended()
        header = None if request.header is None else text_at(request.header, "SubscriptionId")
        token = (header or "") if request.faults.needs_reference_parameters else request.path.rpartition("/")[2]
        if token not in self._subscriptions:
            raise Fault("InvalidArgVal", "ResourceUnknown", reason="There is no such subscription.")
        return token, self._subscriptions[token]

    @operation("PullMessages")
    async def pull_messages(self, request: Request) -> list[Element]:
        """Return what happened, or wait for it."""
        _, subscription = self._meant(request)
        timeout_s = request.duration_s("Timeout")
        timeout_s = min(_LONGEST_PULL_S, max(0.0, _LONGEST_PULL_S if timeout_s is None else timeout_s))
        limit = min(_MOST_MESSAGES, max(1, int(request.number("MessageLimit", _MOST_MESSAGES))))
        messages = await subscription.pull(timeout_s, limit)
        return [*self._times(subscription, "tev"), *(self._message(event) for event in messages)]

    def _message(self, event: DeviceEvent) -> Element:
        def items(name: str, told: dict[str, str]) -> Element:
            return el(f"tt:{name}", [el("tt:SimpleItem", Name=key, Value=value) for key, value in told.items()])

        return el(
            "wsnt:NotificationMessage",
            el("wsnt:Topic", event.topic, Dialect=CONCRETE_SET),
            el(
                "wsnt:Message",
                el(
                    "tt:Message",
                    items("Source", event.source),
                    items("Data", event.data),
                    UtcTime=values.instant(event.wall_ns, self.device.faults),
                    PropertyOperation=event.property_operation,
                ),
            ),
        )

    @operation("SetSynchronizationPoint")
    def set_synchronization_point(self, request: Request) -> None:
        """Tell every property again."""
        self._initialize(self._meant(request)[1])

    @operation("GetEventProperties")
    def get_event_properties(self) -> list[Element]:
        """Return the topics."""
        schema = "http://www.onvif.org/ver10/schema/onvif.xsd"
        return [
            el("tev:TopicNamespaceLocation", "http://www.onvif.org/onvif/ver10/topics/topicns.xml"),
            el("wsnt:FixedTopicSet", True),
            topic_set(),
            el("wsnt:TopicExpressionDialect", CONCRETE_SET),
            el("tev:MessageContentFilterDialect", "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter"),
            el("tev:MessageContentSchemaLocation", schema),
        ]

    def renew(self, request: Request) -> list[Element]:
        """Prolong a subscription."""
        _, subscription = self._meant(request)
        term = request.text("TerminationTime")
        span_ns = self._span_ns(term) if term else round(_TERM_S * NS_PER_S)
        subscription.ends_ns = self.device.clock.monotonic_ns() + span_ns
        return list(reversed(self._times(subscription, "wsnt")))

    def unsubscribe(self, request: Request) -> None:
        """End a subscription, or all of them."""
        token, _ = self._meant(request)
        ended = list(self._subscriptions) if request.faults.unsubscribe_kills_all else [token]
        for one in ended:
            self._subscriptions.pop(one).end()


class SubscriptionManager(Service):
    """Renew and Unsubscribe, which belong to WS-BaseNotification."""

    prefix = "wsnt"

    def __init__(self, device: SimulatedDevice, events: EventService) -> None:
        super().__init__(device)
        self._events = events

    @operation("Renew")
    def renew(self, request: Request) -> list[Element]:
        """Prolong a subscription."""
        if request.faults.renew_needs_addressing and not request.addressed:
            raise Fault("WellFormed", reason="WS-Addressing is missing.")
        return self._events.renew(request)

    @operation("Unsubscribe")
    def unsubscribe(self, request: Request) -> None:
        """End a subscription."""
        self._events.unsubscribe(request)


def _key(event: DeviceEvent) -> tuple[str, tuple[tuple[str, str], ...]]:
    return event.topic, tuple(sorted(event.source.items()))
