"""The last step before the sink: tells it when a session starts and ends, and counts what passes."""

from collections.abc import Callable

from drivers.rtsp.source import StreamStats
from kernel.media import AccessUnit, AudioFrame, GapCause, MediaSink, MetadataDocument, StreamDescription


def nothing_kept() -> bool:
    """Want no payloads."""
    return False


class Delivery:
    """One session's way to its sink. ``started`` is told before anything else, ``broken`` only after it."""

    def __init__(
        self,
        sink: MediaSink,
        stats: StreamStats,
        on_keyframe: Callable[[], None],
        keep_payloads: Callable[[], bool] = nothing_kept,
    ) -> None:
        self.stats = stats
        self.keep_payloads = keep_payloads
        """Whether the next picture's payloads are wanted; asked once a picture."""
        self.description: StreamDescription | None = None
        self.unit_ns: int | None = None
        """Monotonic arrival of the last whole picture, delivered or withheld."""
        self.keyframe_ns: int | None = None
        self._sink = sink
        self._on_keyframe = on_keyframe
        self._running = False

    def start(self) -> None:
        """Tell the sink that the session plays, once."""
        if not self._running and self.description is not None:
            self._running = True
            self._sink.started(self.description)

    def video(self, unit: AccessUnit) -> None:
        """Hand over a picture."""
        if not self._running:
            self.start()
        stats = self.stats
        stats.frames += 1
        if unit.keyframe:
            stats.keyframes += 1
            self.keyframe_ns = unit.received_ns
            self._on_keyframe()
        self._sink.video(unit)

    def audio(self, frame: AudioFrame) -> None:
        """Hand over a packet of sound."""
        self.start()
        self.stats.audio_frames += 1
        self._sink.audio(frame)

    def metadata(self, document: MetadataDocument) -> None:
        """Hand over a document."""
        self.start()
        self.stats.documents += 1
        self._sink.metadata(document)

    def interrupt(self, cause: GapCause, detail: str) -> None:
        """Tell of a break within the session; it goes on."""
        if self._running:
            self.stats.breaks += 1
            self._sink.broken(cause, detail)

    def finish(self, cause: GapCause, detail: str) -> None:
        """Tell that the session is over."""
        self.interrupt(cause, detail)
        self._running = False
