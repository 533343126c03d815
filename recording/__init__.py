"""Rolling storage: muxer, writer, catalog, retention, timeline, playback, export and verify.

Design note: docs/design/recording.md.
"""

from recording.disk import DiskState
from recording.errors import (
    BadRangeError,
    BusyError,
    DiskBusyError,
    DiskMissingError,
    DiskUnusableError,
    FootageMissingError,
    FootageUnreadableError,
    MixedCodecError,
    NothingRecordedError,
    RecordingError,
    StorageStartError,
    UnknownFileError,
    UnknownHoldError,
)
from recording.export import Export
from recording.holds import Hold
from recording.recorder import Recorder, RecordState
from recording.stills import Still
from recording.storage import DiskStats, Storage, StorageStats, open_storage
from recording.timeline import GapSpan, RunSpan, Timeline
from recording.verify import VerifyFault, VerifyReport

__all__ = [
    "BadRangeError",
    "BusyError",
    "DiskBusyError",
    "DiskMissingError",
    "DiskState",
    "DiskStats",
    "DiskUnusableError",
    "Export",
    "FootageMissingError",
    "FootageUnreadableError",
    "GapSpan",
    "Hold",
    "MixedCodecError",
    "NothingRecordedError",
    "RecordState",
    "Recorder",
    "RecordingError",
    "RunSpan",
    "Still",
    "Storage",
    "StorageStartError",
    "StorageStats",
    "Timeline",
    "UnknownFileError",
    "UnknownHoldError",
    "VerifyFault",
    "VerifyReport",
    "open_storage",
]
