"""What cameras do wrong: one table, one entry per fault, with the cure and how we come to know of it.

The names are those of ``CameraDescription.quirks`` and ``Remark.quirk``. A quirk marked ``learned`` changes what we
send: it is kept with the camera and handed to the next session. The others are cured for every camera alike.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from drivers.model import Remark


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirk:
    """One fault."""

    name: str
    who: str
    """Who was seen to show it."""
    shows: str
    """The sentence an operator reads."""
    cure: str
    detected: str
    learned: bool = False


TABLE: dict[str, Quirk] = {
    quirk.name: quirk
    for quirk in (
        # --- authentication
        Quirk(
            name="digest-only",
            who="Hikvision",
            shows="It takes HTTP digest only, no WS-UsernameToken.",
            cure="HTTP digest is tried first and remembered.",
            detected="A 401 with a Digest challenge.",
        ),
        Quirk(
            name="two-challenges",
            who="Hikvision",
            shows="It offers two digest algorithms at once.",
            cure="All challenges are read; SHA-256 is tried before MD5.",
            detected="More than one Digest challenge in a 401.",
        ),
        Quirk(
            name="sha256-refused",
            who="Hikvision",
            shows="It offers SHA-256 digest and then refuses it.",
            cure="MD5 is used, and remembered.",
            detected="SHA-256 gave 401 and MD5 with the same password did not.",
            learned=True,
        ),
        Quirk(
            name="token-only",
            who="older and small makes",
            shows="It takes WS-UsernameToken only, no HTTP digest.",
            cure="The token is sent with every request, and that is remembered.",
            detected="A NotAuthorized fault or a 401 without a Digest challenge.",
            learned=True,
        ),
        Quirk(
            name="basic-only",
            who="small makes",
            shows="For some of its pages it offers HTTP Basic only, which would send the password in the clear.",
            cure="Basic is used only where the camera was enrolled at https and its certificate is pinned or verified.",
            detected="A 401 whose only challenge is Basic.",
        ),
        Quirk(
            name="qop-auth-int",
            who="Sony",
            shows='It challenges with qop="auth,auth-int".',
            cure="auth is chosen.",
            detected="The challenge's qop lists auth-int.",
        ),
        Quirk(
            name="clock-skew-replay",
            who="Axis",
            shows="It takes a token whose time is not close to its own clock for a replay.",
            cure="Created is our time corrected by the camera's clock offset, measured first.",
            detected="Not needed: done for every camera.",
        ),
        Quirk(
            name="zulu-times",
            who="Hikvision",
            shows="It rejects times that end in +00:00.",
            cure="Times are written with Z.",
            detected="Not needed: done for every camera.",
        ),
        Quirk(
            name="clock-needs-password",
            who="Panasonic",
            shows="It tells its time only to who has a password.",
            cure="GetSystemDateAndTime is asked again with credentials.",
            detected="GetSystemDateAndTime without credentials was refused.",
        ),
        # --- addresses
        Quirk(
            name="private-addresses",
            who="any behind a router",
            shows="It names an address of its own network in place of the one that reaches it.",
            cure="The host that reached it replaces the one it names; port_map translates forwarded ports.",
            detected="A host in its answers that is not the one we connect to.",
        ),
        Quirk(
            name="double-port",
            who="several",
            shows="It writes addresses as host:port:port.",
            cure="The second port is dropped.",
            detected="More than one port in an address.",
        ),
        # --- documents
        Quirk(
            name="unquoted-attributes",
            who="TP-Link, Tapo",
            shows="It writes XML attributes without quotes.",
            cure="Quotes are put in before reading.",
            detected="The document does not parse, and does with quotes.",
        ),
        Quirk(
            name="undeclared-prefixes",
            who="many; ipycam",
            shows="It uses XML namespace prefixes that it never declares.",
            cure="They are declared before reading.",
            detected="The document does not parse, and does with declarations.",
        ),
        Quirk(
            name="bad-utf8",
            who="many",
            shows="It sends bytes that are not UTF-8 in documents that say they are.",
            cure="They are read as Windows-1252.",
            detected="The bytes do not decode.",
        ),
        Quirk(
            name="stray-markup",
            who="many",
            shows="It sends characters that XML forbids, or text around the document.",
            cure="They are escaped or dropped before reading.",
            detected="The document does not parse, and does without them.",
        ),
        Quirk(
            name="unusable-values",
            who="ipycam and others",
            shows="Some of its values cannot be understood.",
            cure="They are taken as unknown.",
            detected="A value that should be a number, a time or a state is none.",
        ),
        Quirk(
            name="odd-times",
            who="many",
            shows="It writes times like 00:61:16Z.",
            cure="The overflow is carried.",
            detected="Minutes or seconds over 59, hours over 23.",
        ),
        Quirk(
            name="minutes-as-seconds",
            who="several",
            shows="It reads the minutes of a duration as seconds.",
            cure="Durations are written in seconds (PT60S).",
            detected="Not needed: done for every camera.",
        ),
        Quirk(
            name="fault-with-200",
            who="many",
            shows="It sends SOAP faults with HTTP status 200.",
            cure="The body is looked at, whatever the status.",
            detected="A fault in a 200.",
        ),
        Quirk(
            name="no-get-services",
            who="old firmware",
            shows="It does not know GetServices.",
            cure="GetCapabilities is asked.",
            detected="GetServices faulted or named no service.",
        ),
        Quirk(
            name="no-media2",
            who="old firmware",
            shows="It has Media 1 only, where H.265 cannot be seen.",
            cure="Media 1 is used.",
            detected="No Media 2 among its services, or Media 2 without a usable profile.",
        ),
        # --- events
        Quirk(
            name="pullpoint-denied",
            who="Axis, Bosch, Reolink",
            shows="Its capabilities deny PullPoint, and it works.",
            cure="PullPoint is always tried.",
            detected="A subscription was made although the flag says no.",
        ),
        Quirk(
            name="pullpoint-claimed",
            who="Axis, Bosch",
            shows="Its capabilities promise PullPoint, and it faults.",
            cure="It is enrolled without events.",
            detected="A subscription faulted although the flag says yes.",
        ),
        Quirk(
            name="reference-parameters",
            who="Axis",
            shows="It knows a subscription by its reference parameters only.",
            cure="They are echoed as headers of every call on the subscription.",
            detected="The subscription reference carries some.",
        ),
        Quirk(
            name="termination-time",
            who="TP-Link, Tapo",
            shows="A subscription without an initial termination time crashes it.",
            cure="One is always given.",
            detected="Not needed: done for every camera.",
        ),
        Quirk(
            name="addressing-on-events",
            who="Xiongmai",
            shows="Renew without WS-Addressing gives 400, while addressing on other calls faults.",
            cure="Event calls carry addressing headers, others never do.",
            detected="Not needed: done for every camera.",
        ),
        Quirk(
            name="renew-asked",
            who="several",
            shows="Pulling does not keep its subscriptions alive.",
            cure="Renew is sent when the termination time comes close.",
            detected="The termination time in PullMessages answers does not move on.",
        ),
        Quirk(
            name="unsubscribe-kills-all",
            who="several",
            shows="Ending one subscription ends all of them.",
            cure="Ours are left to lapse.",
            detected="At enrolment: of two subscriptions one is ended, and the other is gone.",
            learned=True,
        ),
        Quirk(
            name="few-subscriptions",
            who="many (4 to 8 slots)",
            shows="It has no subscription left for us.",
            cure="Subscriptions are short, ended when left, and tried again later.",
            detected="A subscription faults for want of room.",
        ),
        # --- heads
        Quirk(
            name="stuck-moving",
            who="Hikvision",
            shows="Its MoveStatus stays at MOVING.",
            cure="Standing is judged by position.",
            detected="At enrolment: MOVING while the position stands.",
            learned=True,
        ),
        Quirk(
            name="timeout-refused",
            who="Bosch",
            shows="ContinuousMove with a Timeout faults.",
            cure="Timeout is left out.",
            detected="At enrolment: with Timeout it faults, without it does not.",
            learned=True,
        ),
        Quirk(
            name="timeout-ignored",
            who="several",
            shows="It turns on after the Timeout of a ContinuousMove.",
            cure="Our own deadman stops it.",
            detected="At enrolment: it moves after its timeout.",
            learned=True,
        ),
        Quirk(
            name="timeout-zero",
            who="a few",
            shows="It takes the Timeout of a ContinuousMove as zero and stands at once.",
            cure="Timeout is left out.",
            detected="At enrolment: with Timeout it does not move, without it does.",
            learned=True,
        ),
        Quirk(
            name="stop-ineffective",
            who="TP-Link, Tapo, Xiongmai",
            shows="Stop faults, or does nothing.",
            cure="Zero velocity is sent, or it is moved in pulses.",
            detected="At enrolment: it moves after Stop.",
            learned=True,
        ),
        Quirk(
            name="zero-velocity-ineffective",
            who="several",
            shows="A ContinuousMove with zero velocity does nothing.",
            cure="Stop is sent, or it is moved in pulses.",
            detected="At enrolment: where Stop does nothing, it moves after zero velocity.",
            learned=True,
        ),
        Quirk(
            name="fixed-speed",
            who="Reolink",
            shows="It has one speed, whatever is asked.",
            cure="It is moved in pulses.",
            detected="At enrolment: a slow and a fast move are equally fast.",
            learned=True,
        ),
        Quirk(
            name="split-axes",
            who="Sony, Xiongmai, TP-Link",
            shows="It faults when pan, tilt and zoom come together.",
            cure="Pan and tilt go in one request, zoom in another.",
            detected="At enrolment: together they fault, apart they do not.",
            learned=True,
        ),
        Quirk(
            name="no-zoom",
            who="many pan/tilt heads",
            shows="It offers a zoom that faults.",
            cure="Zoom is never sent.",
            detected="At enrolment: Zoom faults, together and alone.",
            learned=True,
        ),
        Quirk(
            name="fov-untrue",
            who="several",
            shows="Moves in the field-of-view space do not go where they should.",
            cure="They are not used; aiming goes by position.",
            detected="At enrolment: a small move does not shift by its share of the field of view.",
            learned=True,
        ),
        Quirk(
            name="placeholder-presets",
            who="Hikvision",
            shows="Its preset list holds factory placeholders, some of which do other things, such as rebooting.",
            cure="They are hidden and never recalled.",
            detected="Presets with factory names or without a position in a list of many.",
        ),
        Quirk(
            name="store-while-moving",
            who="several",
            shows="SetPreset fails while the head moves.",
            cure="A preset is stored when the head stands.",
            detected="Not needed: done for every camera.",
        ),
        Quirk(
            name="burst-reboots",
            who="many small ones",
            shows="A burst of requests reboots it.",
            cure="At most two requests at a time and ten in a second.",
            detected="Not needed: done for every camera.",
        ),
    )
}


class Quirks:
    """The quirks of one camera, as they come to light; ``remarks`` are what the operator reads."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._remarks: dict[str, Remark] = {}
        self._notes: list[Remark] = []
        for name in known:
            if name in TABLE:
                self.learn(name)

    def __contains__(self, name: str) -> bool:
        return name in self._remarks

    def __iter__(self) -> Iterator[str]:
        return iter(self._remarks)

    def learn(self, name: str, detail: str = "") -> bool:
        """Note that this camera shows the quirk; return whether that is news.

        Raises:
            KeyError: the table has no such entry.
        """
        quirk = TABLE[name]
        news = name not in self._remarks
        if news:
            text = f"{quirk.shows} {detail}".rstrip()
            self._remarks[name] = Remark(text=text, quirk=name)
        return news

    def forget(self, name: str) -> None:
        """Take back a quirk that a trial assumed and did not confirm."""
        self._remarks.pop(name, None)

    def note(self, text: str) -> None:
        """Note something that is wrong and is no entry of the table."""
        remark = Remark(text=text)
        if remark not in self._notes:
            self._notes.append(remark)

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What to tell the operator."""
        return (*self._remarks.values(), *self._notes)
