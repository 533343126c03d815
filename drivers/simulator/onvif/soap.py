"""SOAP 1.2 over HTTP as ONVIF Core section 5.8 profiles it: envelopes, faults, and services made of operations."""

import inspect
import math
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar
from xml.etree import ElementTree as ET

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.faults import Faults
from drivers.simulator.onvif import markup, values
from drivers.simulator.onvif.markup import NAMESPACES, Element, el

Answer = Iterable[Element] | Element | None


class Fault(Exception):  # noqa: N818 - the name SOAP has for it
    """An orderly refusal (ONVIF Core section 5.8.2): ``subcodes`` from ``ter:`` and a reason to read."""

    def __init__(self, *subcodes: str, reason: str, receiver: bool = False, status: int | None = None) -> None:
        super().__init__(reason)
        self.subcodes = subcodes
        self.reason = reason
        self.receiver = receiver
        self.status = status or (500 if receiver else 400)

    def element(self) -> Element:
        """Return the env:Fault."""
        subcode: Element | None = None
        for name in reversed(self.subcodes):
            subcode = el("env:Subcode", el("env:Value", f"ter:{name}"), subcode)
        code = "env:Receiver" if self.receiver else "env:Sender"
        return el(
            "env:Fault",
            el("env:Code", el("env:Value", code), subcode),
            el("env:Reason", el("env:Text", self.reason, xml__lang="en")),
        )


def finite(text: str) -> float:
    """Return a number.

    Raises:
        ValueError: it is none, or infinite.
    """
    number = float(text)
    if not math.isfinite(number):
        msg = f"{text} is not finite"
        raise ValueError(msg)
    return number


def invalid(reason: str, *subcodes: str) -> Fault:
    """Return ter:InvalidArgVal: an argument cannot be used."""
    return Fault("InvalidArgVal", *subcodes, reason=reason)


def unsupported(reason: str) -> Fault:
    """Return ter:ActionNotSupported: the device has no such operation."""
    return Fault("ActionNotSupported", reason=reason, receiver=True)


@dataclass(slots=True)
class Request:
    """One call: the operation's element, the headers beside it, and how it was addressed."""

    body: ET.Element
    header: ET.Element | None
    device: SimulatedDevice
    path: str
    host: str
    """What the client calls us, without the port."""
    after: list[Callable[[], None]] = field(default_factory=list)
    """Done when the answer is on its way (a reboot)."""

    @property
    def faults(self) -> Faults:
        """Return the device's knobs."""
        return self.device.faults

    @property
    def name(self) -> str:
        """Return the operation's name."""
        return markup.local(self.body)

    @property
    def namespace(self) -> str:
        """Return the namespace of the service."""
        return markup.namespace(self.body)

    def find(self, path: str) -> ET.Element | None:
        """Return the first argument at ``path``."""
        return markup.find(self.body, path)

    def text(self, path: str, default: str = "") -> str:
        """Return an optional argument."""
        told = markup.text_at(self.body, path)
        return default if told is None else told

    def need(self, path: str) -> str:
        """Return a required argument.

        Raises:
            Fault: it is missing.
        """
        told = markup.text_at(self.body, path)
        if not told:
            raise invalid(f"{path} is missing.")
        return told

    def flag(self, path: str, *, default: bool) -> bool:
        """Return an optional xs:boolean."""
        return self.text(path, "true" if default else "false").lower() in {"true", "1"}

    def number(self, path: str, default: float) -> float:
        """Return an optional number.

        Raises:
            Fault: it is not a number.
        """
        told = self.text(path)
        try:
            return finite(told) if told else default
        except ValueError:
            raise invalid(f"{path} is not a number: {told}.") from None

    def duration_s(self, path: str) -> float | None:
        """Return an optional xs:duration in seconds.

        Raises:
            Fault: it is not a duration.
        """
        told = self.text(path)
        try:
            return values.duration_s(told, self.faults) if told else None
        except ValueError as error:
            raise invalid(f"{path}: {error}.") from None

    def headed(self, name: str) -> ET.Element | None:
        """Return the header block of that local name."""
        return None if self.header is None else markup.find(self.header, name)

    @property
    def addressed(self) -> bool:
        """Return whether it carries WS-Addressing headers."""
        blocks = () if self.header is None else tuple(self.header)
        return any(markup.namespace(block) == NAMESPACES["wsa"] for block in blocks)


Handler = Callable[[Request], Answer | Awaitable[Answer]]


F = TypeVar("F", bound=Callable[..., object])


def operation(name: str) -> Callable[[F], F]:
    """Mark a method as the operation ``name`` of its service."""

    def mark(function: F) -> F:
        function.__dict__["soap_operation"] = name
        return function

    return mark


class Service:
    """Operations of one namespace. ``prefix`` is that of ``NAMESPACES``."""

    prefix = ""

    def __init__(self, device: SimulatedDevice) -> None:
        self.device = device

    def operations(self) -> dict[tuple[str, str], Handler]:
        """Return the marked methods by (namespace, operation). One that reads no argument takes no request."""
        return {
            (NAMESPACES[self.prefix], method.soap_operation): _taking_request(method)
            for _, method in inspect.getmembers(self, inspect.ismethod)
            if hasattr(method, "soap_operation")
        }


def _taking_request(method: Callable[..., Answer | Awaitable[Answer]]) -> Handler:
    return method if inspect.signature(method).parameters else lambda _: method()


def read(body: bytes, device: SimulatedDevice, *, path: str, host: str) -> Request:
    """Return the request in an envelope.

    Raises:
        Fault: it is no SOAP 1.2 envelope with one operation in its body.
    """
    try:
        envelope = markup.parse(body)
    except markup.UnreadableError as error:
        raise Fault("WellFormed", reason=str(error)) from None
    inner = markup.find(envelope, "Body")
    if markup.local(envelope) != "Envelope" or inner is None or len(inner) != 1:
        raise Fault("WellFormed", reason="This is not a SOAP envelope with one operation.")
    if markup.namespace(envelope) != NAMESPACES["env"]:
        raise Fault("WellFormed", reason="This device speaks SOAP 1.2.")
    return Request(body=inner[0], header=markup.find(envelope, "Header"), device=device, path=path, host=host)


def envelope(content: Iterable[Element], header: Iterable[Element] = ()) -> str:
    """Return a whole message."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + el(
        "env:Envelope", el("env:Header", header), el("env:Body", content)
    ).render(NAMESPACES)


def response(request: Request, answer: Answer) -> Element:
    """Return the response element of an operation around its content."""
    prefix = next(prefix for prefix, uri in NAMESPACES.items() if uri == request.namespace)
    return el(f"{prefix}:{request.name}Response", answer)


def addressing(request: Request) -> list[Element]:
    """Return the WS-Addressing headers that answer those of ``request`` (WS-Addressing 1.0 Core, section 3.4)."""
    message, action = request.headed("MessageID"), request.headed("Action")
    if not request.addressed or message is None:
        return []
    asked = "" if action is None else (action.text or "").strip()
    answered = asked.removesuffix("Request") + "Response"
    return [el("wsa:Action", answered), el("wsa:RelatesTo", (message.text or "").strip())]
