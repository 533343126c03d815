"""The root of every error Sightline raises on purpose.

SightlineError
├── (config.errors)     ConfigError
├── (drivers.errors)    CameraError and its kinds
├── (recording.errors)  RecordingError and its kinds
├── (ptz.errors)        SteeringError and its kinds
└── (gateway.*.errors)  AccessError, LiveError, ...

Each package draws its own tree in its own ``errors`` module.
"""


class SightlineError(Exception):
    """An expected failure: one plain sentence, and what the reader can do about it.

    ``code`` is a stable, dotted identifier (``camera.unreachable``). It becomes the ``type`` of RFC 9457
    problem details at the API and the ``error`` field of a log event.
    """

    code: str = "sightline.error"

    def __init__(self, message: str, *, cure: str = "", **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.facts = facts

    def __str__(self) -> str:
        """Return the sentence, followed by the cure where there is one."""
        return f"{self.message} {self.cure}".rstrip()
