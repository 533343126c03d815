"""The requests of one client and what they are answered (RFC 2326 section 10): live, read-only, interleaved media."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from typing import Protocol

import structlog

from drivers.rtsp.messages import Message
from gateway.fleet.outlets import Outlet
from gateway.live.errors import LiveFullError, LiveNotLiveError
from gateway.live.feed import LiveFeed
from gateway.live.hub import LiveHub
from gateway.live.rtsp.connection import Connection
from gateway.live.rtsp.description import AUDIO, VIDEO, describe
from gateway.live.rtsp.digest import Doorkeeper, Proof
from gateway.live.rtsp.limits import Failures
from gateway.live.rtsp.messages import PUBLIC, Answer, Place, place_of
from gateway.live.rtsp.outlets import Outlets
from gateway.live.rtsp.view import RtspView
from kernel.clock import Clock
from kernel.ids import CameraId, StreamName

_log = structlog.get_logger(__name__)

WRONG_MAX = 3
"""Wrong credentials on one connection before it is closed."""
RETRY_S = 10
"""Whoever comes while no gateway is there is told to come again after this."""
_REFUSED = frozenset({"ANNOUNCE", "RECORD", "PAUSE", "REDIRECT"})
"""Known, and not for this server: it only shows, and what is live cannot stand still."""
_CHANNELS = re.compile(r"interleaved=(\d{1,3})(?:-\d{1,3})?$")
_RECORD = re.compile(r"(?i)mode=.*(record|receive)")
_CHANNEL_MAX = 254


class House(Protocol):
    """What all dialogues of a host share."""

    hub: LiveHub
    outlets: Outlets
    doorkeeper: Doorkeeper
    failures: Failures
    clock: Clock
    session_timeout_s: float

    def play(self, dialogue: "RtspDialogue") -> None:
        """Send what the dialogue's view is to be sent, until it ends."""
        ...

    def joined(self, view: RtspView) -> None:
        """Tell the gateway that somebody watches."""
        ...

    def left(self, dialogue: "RtspDialogue", reason: str) -> None:
        """Tell the gateway that somebody watches no more, and forget the connection."""
        ...


class _RefusedError(Exception):
    """A request may not have what it asks for."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class RtspDialogue:
    """Satisfies ``gateway.live.rtsp.connection.Dialogue``."""

    def __init__(self, house: House, connection: Connection) -> None:
        self.connection = connection
        self.view: RtspView | None = None
        self.began_ns = house.clock.monotonic_ns()
        """Since when nothing has been played on this connection."""
        self._house = house
        self._seat = ExitStack()
        self._wrong = 0
        self._closing = False
        self._methods: dict[str, Callable[[Message], Answer]] = {
            "OPTIONS": self._options,
            "DESCRIBE": self._describe,
            "SETUP": self._setup,
            "PLAY": self._play,
            "TEARDOWN": self._teardown,
            "GET_PARAMETER": self._parameter,
            "SET_PARAMETER": self._parameter,
        }

    # --- Dialogue

    def answer(self, request: Message) -> Answer:
        """See ``Dialogue``."""
        try:
            return self._method(request)(request)
        except _RefusedError as refused:
            return refused.answer

    def _method(self, request: Message) -> Callable[[Message], Answer]:
        if request.version != "1.0":
            raise _RefusedError(Answer(505, why="RTSP 1.0 is spoken here"))
        if request.cseq is None:
            raise _RefusedError(Answer(400, why="CSeq is missing"))
        if request.get("require"):
            raise _RefusedError(Answer(551, [("Unsupported", request.get("require"))]))
        if request.method in _REFUSED:
            raise _RefusedError(Answer(405, [("Allow", PUBLIC)], why="read-only and live"))
        method = self._methods.get(request.method)
        if method is None:
            raise _RefusedError(Answer(501, [("Allow", PUBLIC)]))
        return method

    def answered(self, request: Message) -> None:
        """See ``Dialogue``."""
        if self._closing:
            self.connection.close("refused")
        elif request.method == "PLAY" and self.view is not None and self.view.playing:
            self._house.play(self)

    def garbage(self) -> None:
        """See ``Dialogue``."""
        self._house.failures.note(self.connection.address)

    def over(self, reason: str) -> None:
        """See ``Dialogue``."""
        self._house.left(self, reason)
        self._leave()

    # --- methods

    def _options(self, _: Message) -> Answer:
        return Answer(200, [("Public", PUBLIC)])

    def _describe(self, request: Message) -> Answer:
        place = _place(request)
        feed, _, number = self._feed(request, place)
        assert feed.parameters is not None
        body = describe(
            feed.parameters,
            feed.sound,
            session=self._house.clock.wall_ns(),
            title=f"Camera {number} {feed.stream}",
            address=self.connection.local_address,
        )
        return Answer(200, [("Content-Type", "application/sdp"), ("Content-Base", _base(place, feed))], body)

    def _setup(self, request: Message) -> Answer:
        place = _place(request)
        if self.view is not None and self.view.playing:
            raise _RefusedError(Answer(455, [("Allow", PUBLIC)]))
        if self.view is not None or request.get("session"):
            self._mine(request)
        feed, outlet, _ = self._feed(request, place)
        channel = self._channel(request.all("transport"))
        if self.view is not None and self.view.feed is not feed:
            raise _RefusedError(Answer(459, why="one camera stream in a session"))
        view = self.view or self._take_seat(feed, outlet, place)
        kind = place.track or VIDEO
        if view.has(kind):
            raise _RefusedError(Answer(455, why="that track is set up already"))
        track = view.set_up(kind, channel)
        if track is None:
            raise _RefusedError(Answer(404, why="there is no such track"))
        transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1};ssrc={track.ssrc:08X}"
        return Answer(200, [self._session(view), ("Transport", transport)])

    def _play(self, request: Message) -> Answer:
        view = self._mine(request)
        if not (view.has(VIDEO) or view.has(AUDIO)):
            return Answer(455, why="no track is set up")
        if view.playing:  # some clients keep the session alive so
            return Answer(200, [self._session(view)])
        view.playing = True
        # Live has no beginning: a range that is asked for is answered with what there is (RFC 2326 section 12.29).
        return Answer(200, [self._session(view), ("Range", "npt=now-"), ("RTP-Info", view.rtp_info())])

    def _teardown(self, request: Message) -> Answer:
        self._mine(request)
        self._house.left(self, "closed by the viewer")
        self._leave()
        return Answer(200)

    def _parameter(self, request: Message) -> Answer:
        if request.get("session"):
            self._mine(request)
        if request.body.strip():
            return Answer(451, why="there are no parameters")
        return Answer(200, [self._session(self.view)] if self.view is not None else [])

    # --- inside

    def _feed(self, request: Message, place: Place) -> tuple[LiveFeed, Outlet, int]:
        """Return the feed a request may have, its outlet and the camera's number."""
        house, address = self._house, self.connection.address
        outlet = house.outlets.named(place.name)
        proof = house.doorkeeper.check(request.get("authorization"), request.method, place.name, outlet, address)
        if outlet is None or proof is not Proof.GOOD:
            if proof is Proof.WRONG:
                self._wrong += 1
                self._closing = self._wrong >= WRONG_MAX
                house.failures.note(address)
                _log.warning("rtsp.refused", address=address, outlet=outlet.id if outlet else None)
            challenges = house.doorkeeper.challenges(place.name, address, stale=proof is Proof.STALE)
            raise _RefusedError(Answer(401, challenges))
        if not house.outlets.reachable_from(outlet, address):
            _log.warning("rtsp.refused_network", address=address, outlet=outlet.id)
            raise _RefusedError(Answer(403, why="not from this network"))
        if house.hub.endings.alone:
            _log.warning("rtsp.refused_alone", address=address, outlet=outlet.id)
            raise _RefusedError(Answer(503, [("Retry-After", str(RETRY_S))], why="the control room is not there now"))
        found = house.outlets.camera(outlet, place.camera)
        stream = place.stream or outlet.best
        if found is None or (stream is StreamName.MAIN and outlet.best is StreamName.SUB):
            raise _RefusedError(Answer(404))
        try:
            return house.hub.live_feed(CameraId(found.id), stream), outlet, found.number
        except LiveNotLiveError as error:
            later = [("Retry-After", str(error.retry_after_s))]
            raise _RefusedError(Answer(503, later, why="the camera is not live now")) from None

    def _take_seat(self, feed: LiveFeed, outlet: Outlet, place: Place) -> RtspView:
        house = self._house
        if outlet.full or house.outlets.views(outlet.id) >= outlet.viewers_max:
            raise _RefusedError(Answer(453, why=f"all {outlet.viewers_max} places are taken"))
        view = RtspView(
            feed,
            outlet,
            self.connection.address,
            self.connection,
            base=_base(place, feed),
            settings=house.hub.settings,
            clock=house.clock,
        )
        try:
            self._seat.enter_context(house.hub.seat(view))
        except LiveFullError:
            raise _RefusedError(Answer(453, why="every place of this host is taken")) from None
        self._seat.enter_context(house.outlets.watched(view))
        self.view = view
        return view

    def _leave(self) -> None:
        if self.view is not None:
            self.view.leave()
            self.view = None
            self.began_ns = self._house.clock.monotonic_ns()
        self._seat.close()

    def _channel(self, transports: list[str]) -> int:
        """Return the channel to interleave on: the one wished for where it is free."""
        taken = self.view.channels() if self.view is not None else set()
        for offer in (one.strip() for value in transports for one in value.split(",")):
            words = [word.strip() for word in offer.split(";")]
            if words[0].upper() != "RTP/AVP/TCP" or any(_RECORD.match(word) for word in words):
                continue
            wished = next((int(found[1]) for word in words if (found := _CHANNELS.fullmatch(word.lower()))), 0)
            if wished > _CHANNEL_MAX or {wished, wished + 1} & taken:
                wished = max(taken, default=-1) + 1
            return wished
        raise _RefusedError(Answer(461, why="RTP/AVP/TCP interleaved alone, to play: media stays inside TLS"))

    def _mine(self, request: Message) -> RtspView:
        """Return the view of the session that a request names."""
        given = request.get("session").partition(";")[0].strip()
        if self.view is None or given != self.view.session:
            raise _RefusedError(Answer(454))
        return self.view

    def _session(self, view: RtspView) -> tuple[str, str]:
        return "Session", f"{view.session};timeout={round(self._house.session_timeout_s)}"


def _place(request: Message) -> Place:
    place = place_of(request.url)
    if place is None:
        raise _RefusedError(Answer(404))
    return place


def _base(place: Place, feed: LiveFeed) -> str:
    """Return the URL of the stream, which the client may have left open."""
    return place.base if place.stream is not None else f"{place.base}{feed.stream}/"
