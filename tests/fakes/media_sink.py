"""A sink that keeps what it is given."""

from dataclasses import dataclass, field

from kernel.media import AccessUnit, AudioFrame, GapCause, MetadataDocument, StreamDescription


@dataclass
class KeepingSink:
    """Satisfies ``kernel.media.MediaSink``; ``story`` holds the kinds of calls in order."""

    descriptions: list[StreamDescription] = field(default_factory=list)
    units: list[AccessUnit] = field(default_factory=list)
    sounds: list[AudioFrame] = field(default_factory=list)
    documents: list[MetadataDocument] = field(default_factory=list)
    breaks: list[tuple[GapCause, str]] = field(default_factory=list)
    story: list[str] = field(default_factory=list)

    @property
    def recovered(self) -> bool:
        """Whether pictures came since the last break.

        Not whether the latest call is one: pictures and sound come in pieces of a fifth of a second, and whoever
        looks between two of them may find sound at the end of each.
        """
        last = len(self.story) - self.story[::-1].index("broken") if "broken" in self.story else 0
        return "picture" in self.story[last:]

    def started(self, description: StreamDescription) -> None:
        """Keep it."""
        self.descriptions.append(description)
        self.story.append("started")

    def video(self, unit: AccessUnit) -> None:
        """Keep it."""
        self.units.append(unit)
        self.story.append("keyframe" if unit.keyframe else "picture")

    def audio(self, frame: AudioFrame) -> None:
        """Keep it."""
        self.sounds.append(frame)
        self.story.append("sound")

    def metadata(self, document: MetadataDocument) -> None:
        """Keep it."""
        self.documents.append(document)
        self.story.append("document")

    def broken(self, cause: GapCause, detail: str) -> None:
        """Keep it."""
        self.breaks.append((cause, detail))
        self.story.append("broken")
