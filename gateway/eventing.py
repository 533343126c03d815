"""Events that devices tell over MQTT reach whoever hears events of cameras; tampering with a unit is an alarm.

A device has several cameras where it has several lenses: an event is of those whose video source it names, or of all
of them where it names none. A unit tells for the cameras that people have given it, and for no other.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.alarming import Alarming
from gateway.belonging import Belonging
from gateway.fleet import rpc
from gateway.fleet.cameras import Camera
from gateway.fleet.changes import Happened
from gateway.fleet.meaning import tampered
from gateway.fleet.service import Fleet
from gateway.telemetry.onvif_events import EventTopic, Sender
from gateway.telemetry.onvif_inbox import EventInbox, Heard
from gateway.units import Cause, Units
from gateway.units.errors import RefusedError


class Eventing:
    """Satisfies ``gateway.telemetry.onvif_inbox.Devices``. Made by :func:`eventing`."""

    def __init__(self, units: Units, fleet: Fleet, belonging: Belonging, alarming: Alarming) -> None:
        self._units = units
        self._fleet = fleet
        self._belonging = belonging
        self._alarming = alarming

    def offset_s(self, topic: EventTopic) -> float:
        """See ``Devices``."""
        camera = self._cameras(topic)[0]
        state = self._fleet.state(camera.id)
        measured = state.clock_offset_s if state is not None else None
        return measured if measured is not None else camera.description.clock_offset_s

    def heard(self, heard: Heard) -> None:
        """Tell it of each camera that it is of."""
        for camera in self._meant(heard):
            event = rpc.CameraHappened(
                id=camera.id,
                topic=heard.topic.topic,
                source=heard.source,
                data=heard.data,
                wall_ns=heard.wall_ns,
            )
            self._fleet.tell(Happened(event))
            # What the broker had kept is told again whenever we come: it was an alarm when it happened.
            if tampered(event) and not heard.stored:
                self._alarming.tampered(camera, at_ns=heard.wall_ns)

    def _meant(self, heard: Heard) -> list[Camera]:
        cameras = self._cameras(heard.topic)
        named = frozenset(heard.source.values())
        tokens = {one.id: {one.view.source_token, one.view.video_source_token} for one in cameras}
        return [one for one in cameras if tokens[one.id] & named] or cameras

    def _cameras(self, topic: EventTopic) -> list[Camera]:
        if topic.sender is Sender.DEVICE:
            cameras = [one for one in self._fleet.cameras() if one.device_id == topic.name]
            if not cameras:
                raise RefusedError(Cause.UNKNOWN_UNIT, "no device of that identifier is enrolled")
            return cameras
        register = self._units.register
        if not register.knows(topic.name):
            raise RefusedError(Cause.UNKNOWN_UNIT, "there is no such unit")
        if register.unit(topic.name).retired_ns is not None or not self._units.credentials.good(topic.name):
            raise RefusedError(Cause.REVOKED, "it is retired, or has no certificate that is good")
        cameras = self._belonging.cameras(topic.name)
        if not cameras:
            raise RefusedError(Cause.WRONG_UNIT, "it tells events of a camera, and nobody gave it one")
        return cameras


@contextmanager
def eventing(
    inbox: EventInbox, units: Units, fleet: Fleet, belonging: Belonging, alarming: Alarming
) -> Iterator[Eventing]:
    """Hear devices for the time of the block."""
    joined = Eventing(units, fleet, belonging, alarming)
    inbox.join(joined, joined.heard, alarming.kept)
    try:
        yield joined
    finally:
        inbox.part()
