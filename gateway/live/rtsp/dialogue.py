"""The requests of one client and what they are answered (RFC 2326 section 10), for live, read-only, interleaved media."""

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
        if request.version != "1.0":
            return Answer(505, why="RTSP 1.0 is spoken here")
        if request.cseq is None:
            return Answer(400, why="CSeq is missing")
        if request.get("require"):
            return Answer(551, [("Unsupported", request.get("require"))])
        method = self._methods.get(request.method)
        if method is not None:
            return method(request)
        if request.method in _REFUSED:
            return Answer(405, [("Allow", PUBLIC)], why="read-only and live")
        return Answer(501, [("Allow", PUBLIC)])

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
        place = place_of(request.url)
        if place is None:
            return Answer(404)
        found = self._feed(request, place)
        if isinstance(found, Answer):
            return found
        feed, _, number = found
        assert feed.parameters is not None
        body = describe(
            feed.parameters,
            feed.sound,
            session=self._house.clock.wall_ns(),
            title=f"Camera {number} {feed.stream}",
            address=self.connection.local_address,
        )
        base = place.base if place.stream is not None else f"{place.base}{feed.stream}/"
        return Answer(200, [("Content-Type", "application/sdp"), ("Content-Base", base)], body)

    def _setup(self, request: Message) -> Answer:
        place = place_of(request.url)
        if place is None:
            return Answer(404)
        if self.view is not None and self.view.playing:
            return Answer(455, [("Allow", PUBLIC)])
        if (self.view is not None or request.get("session")) and not self._is_mine(request):
            return Answer(454)
        found = self._feed(request, place)
        if isinstance(found, Answer):
            return found
        feed, outlet, _ = found
        channel = self._channel(request.all("transport"))
        if isinstance(channel, Answer):
            return channel
        view = self.view
        if view is None:
            seated = self._take_seat(feed, outlet, place)
            if isinstance(seated, Answer):
                return seated
            view = seated
        elif view.feed is not feed:
            return Answer(459, why="one camera stream in a session")
        kind = place.track or VIDEO
        if view.has(kind):
            return Answer(455, why="that track is set up already")
        track = view.set_up(kind, channel)
        if track is None:
            return Answer(404, why="there is no such track")
        transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1};ssrc={track.ssrc:08X}"
        return Answer(200, [self._session(view), ("Transport", transport)])

    def _play(self, request: Message) -> Answer:
        view = self.view
        if view is None or not self._is_mine(request):
            return Answer(454)
        if not (view.has(VIDEO) or view.has(AUDIO)):
            return Answer(455, why="no track is set up")
        if view.playing:  # some clients keep the session alive so
            return Answer(200, [self._session(view)])
        view.playing = True
        # Live has no beginning: a range that is asked for is answered with what there is (RFC 2326 section 12.29).
        return Answer(200, [self._session(view), ("Range", "npt=now-"), ("RTP-Info", view.rtp_info())])

    def _teardown(self, request: Message) -> Answer:
        if self.view is None or not self._is_mine(request):
            return Answer(454)
        self._house.left(self, "closed by the viewer")
        self._leave()
        return Answer(200)

    def _parameter(self, request: Message) -> Answer:
        if request.get("session") and not self._is_mine(request):
            return Answer(454)
        if request.body.strip():
            return Answer(451, why="there are no parameters")
        return Answer(200, [self._session(self.view)] if self.view is not None else [])

    # --- inside

    def _feed(self, request: Message, place: Place) -> tuple[LiveFeed, Outlet, int] | Answer:
        """Return the feed a request may have, its outlet and the camera's number, or why it may not have it."""
        house, address = self._house, self.connection.address
        outlet = house.outlets.named(place.name)
        proof = house.doorkeeper.check(request.get("authorization"), request.method, place.name, outlet, address)
        if outlet is None or proof is not Proof.GOOD:
            if proof is Proof.WRONG:
                self._wrong += 1
                self._closing = self._wrong >= WRONG_MAX
                house.failures.note(address)
                _log.warning("rtsp.refused", address=address, outlet=outlet.id if outlet else None)
            return Answer(401, house.doorkeeper.challenges(place.name, address, stale=proof is Proof.STALE))
        if not house.outlets.reachable_from(outlet, address):
            _log.warning("rtsp.refused_network", address=address, outlet=outlet.id)
            return Answer(403, why="not from this network")
        found = house.outlets.camera(outlet, place.camera)
        stream = place.stream or outlet.best
        if found is None or (stream is StreamName.MAIN and outlet.best is StreamName.SUB):
            return Answer(404)
        try:
            return house.hub.live_feed(CameraId(found.id), stream), outlet, found.number
        except LiveNotLiveError as error:
            return Answer(503, [("Retry-After", str(error.retry_after_s))], why="the camera is not live now")

    def _take_seat(self, feed: LiveFeed, outlet: Outlet, place: Place) -> RtspView | Answer:
        house = self._house
        if house.outlets.views(outlet.id) >= outlet.viewers_max:
            return Answer(453, why=f"all {outlet.viewers_max} places of this credential are taken")
        base = place.base if place.stream is not None else f"{place.base}{feed.stream}/"
        view = RtspView(
            feed,
            outlet,
            self.connection.address,
            self.connection,
            base=base,
            settings=house.hub.settings,
            clock=house.clock,
        )
        try:
            self._seat.enter_context(house.hub.seat(view))
        except LiveFullError:
            return Answer(453, why="every place of this host is taken")
        self._seat.enter_context(house.outlets.watched(view))
        self.view = view
        return view

    def _leave(self) -> None:
        if self.view is not None:
            self.view.leave()
            self.view = None
            self.began_ns = self._house.clock.monotonic_ns()
        self._seat.close()

    def _channel(self, transports: list[str]) -> int | Answer:
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
        return Answer(461, why="RTP/AVP/TCP interleaved alone, to play: media stays inside TLS")

    def _is_mine(self, request: Message) -> bool:
        given = request.get("session").partition(";")[0].strip()
        return self.view is not None and given == self.view.session

    def _session(self, view: RtspView) -> tuple[str, str]:
        return "Session", f"{view.session};timeout={round(self._house.session_timeout_s)}"
