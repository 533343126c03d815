"""Everything that recording and playback raise on purpose.

RecordingError
├── StorageStartError      storage cannot be opened as it stands
│   ├── DiskUnusableError      not there, not a directory, read-only, full
│   ├── DiskMissingError       the known disk is not mounted, or another one is
│   ├── DiskBusyError          another process records there
│   └── FootageMissingError    more catalogued files are gone than chance explains
├── BadRangeError          a range that ends before it starts, or is too long
├── NothingRecordedError   no footage there; says why where that is known
├── UnknownFileError       no such file or fragment of that camera and stream
├── MixedCodecError        one MP4 cannot hold the range; says where to cut
├── FootageUnreadableError what was recorded cannot be read or decoded
├── UnknownHoldError       no such hold
└── BusyError              too many stills at once
"""

from kernel.errors import SightlineError


class RecordingError(SightlineError):
    """Root of this package's errors."""

    code = "recording.error"


class StorageStartError(RecordingError):
    """Storage cannot be opened as it stands."""

    code = "recording.start"


class DiskUnusableError(StorageStartError):
    """The directory cannot take recordings."""

    code = "recording.disk-unusable"


class DiskMissingError(StorageStartError):
    """What is mounted there is not the disk that was there before."""

    code = "recording.disk-missing"


class DiskBusyError(StorageStartError):
    """Another process holds the disk's lock."""

    code = "recording.disk-busy"


class FootageMissingError(StorageStartError):
    """More catalogued files are gone than the settings allow."""

    code = "recording.footage-missing"


class BadRangeError(RecordingError):
    """The range of time makes no sense or is too long."""

    code = "recording.bad-range"


class NothingRecordedError(RecordingError):
    """Nothing was recorded in the range."""

    code = "recording.nothing-recorded"


class UnknownFileError(RecordingError):
    """The file or fragment is not (or no longer) there."""

    code = "recording.unknown-file"


class MixedCodecError(RecordingError):
    """The range holds more than one codec; ``facts['cuts_ns']`` says where it changes."""

    code = "recording.mixed-codec"


class FootageUnreadableError(RecordingError):
    """The disk or the decoder would not give the picture."""

    code = "recording.unreadable"


class UnknownHoldError(RecordingError):
    """The hold is not (or no longer) there."""

    code = "recording.unknown-hold"


class BusyError(RecordingError):
    """Try again in a moment."""

    code = "recording.busy"


class MalformedFileError(RecordingError):
    """Bytes that are not a recording of ours; ``recording.recovery`` answers it by leaving the file alone."""

    code = "recording.malformed"
