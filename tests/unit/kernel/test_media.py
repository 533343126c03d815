"""Media types and the tee."""

from kernel.errors import SightlineError
from kernel.media import (
    AccessUnit,
    AudioCodec,
    AudioFrame,
    AudioParameters,
    GapCause,
    MetadataDocument,
    SinkTee,
    StreamDescription,
    VideoCodec,
    VideoParameters,
)


class Recorder:
    """Notes what it is given."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def started(self, description: StreamDescription) -> None:
        """See MediaSink."""
        self.calls.append(("started", description))

    def video(self, unit: AccessUnit) -> None:
        """See MediaSink."""
        self.calls.append(("video", unit))

    def audio(self, frame: AudioFrame) -> None:
        """See MediaSink."""
        self.calls.append(("audio", frame))

    def metadata(self, document: MetadataDocument) -> None:
        """See MediaSink."""
        self.calls.append(("metadata", document))

    def broken(self, cause: GapCause, detail: str) -> None:
        """See MediaSink."""
        self.calls.append(("broken", (cause, detail)))


def test_tee_gives_everything_to_everybody_in_order() -> None:
    """Each sink of a tee gets the same calls in the same order."""
    sinks = [Recorder(), Recorder()]
    tee = SinkTee([*sinks])
    unit = AccessUnit((b"abc", b"de"), 0, 0, True, VideoParameters(VideoCodec.H264, 16, 16, b"", b""), 0)  # noqa: FBT003
    tee.started(StreamDescription(VideoCodec.H264, None, metadata=False, transport="tcp"))
    tee.video(unit)
    tee.audio(AudioFrame(b"", 0, 0, AudioParameters(AudioCodec.PCMU, 8000, 1)))
    tee.metadata(MetadataDocument(b"<a/>", 0))
    tee.broken(GapCause.NETWORK, "cut")
    assert [name for name, _ in sinks[0].calls] == ["started", "video", "audio", "metadata", "broken"]
    assert sinks[0].calls == sinks[1].calls


def test_size_counts_all_nal_units() -> None:
    """The size of a picture is that of its NAL units."""
    unit = AccessUnit((b"abc", b"de"), 0, 0, True, VideoParameters(VideoCodec.H264, 16, 16, b"", b""), 0)  # noqa: FBT003
    assert unit.size_bytes == 5


def test_errors_read_as_sentence_and_cure() -> None:
    """An error prints its sentence and its cure, and carries its facts."""
    error = SightlineError("The disk is full.", cure="Free some space.", path="disk-1")
    assert str(error) == "The disk is full. Free some space."
    assert error.facts == {"path": "disk-1"}
    assert str(SightlineError("Gone.")) == "Gone."
