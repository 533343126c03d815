"""What recording may use, and how long it keeps what it wrote."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MIB = 1024 * 1024


class DiskSettings(BaseModel):
    """One disk (or one directory) that takes recordings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    """The directory; where it is a mount point of its own, an unmounted disk is noticed and refused."""
    quota_bytes: Annotated[int, Field(gt=0)] | None = None
    """Most that recordings may take here; none: as much as ``free_share`` and ``free_minutes`` leave."""


class RecordingSettings(BaseModel):
    """Rolling storage. docs/design/recording.md says why each default is what it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    disks: tuple[DiskSettings, ...] = ()
    """Empty: one directory, ``recordings``, under ``server.data_dir``."""
    disk_register: Path | None = None
    """File that remembers which disk belongs where; it must not lie on the disks themselves.
    None: ``sightline-disks.json`` beside the first disk's directory."""
    owner: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] = "host"
    """The camera host whose recordings these are: each keeps its own catalog and files under ``<disk>/<owner>``."""
    retention_days: Annotated[float, Field(gt=0, le=3660)] = 31.0
    """Footage older than this is deleted, unless it is held."""
    file_s: Annotated[float, Field(ge=1, le=3600)] = 300.0
    """A new file begins at the first keyframe after this long."""
    fragment_s: Annotated[float, Field(ge=0.2, le=6)] = 4.0
    """A GOP longer than this is split over several fragments."""
    batch_bytes: Annotated[int, Field(ge=4096, le=64 * MIB)] = 4 * MIB
    """Write when this much waits ..."""
    batch_s: Annotated[float, Field(ge=0.2, le=8.0)] = 8.0
    """... or when the oldest of it is this old. With it a killed process loses less than ten seconds."""
    lane_bytes: Annotated[int, Field(ge=64 * 1024)] = 32 * MIB
    """Most that may wait for a disk, per stream; beyond it the run ends and a gap is written."""
    free_share: Annotated[float, Field(ge=0, lt=0.5)] = 0.02
    """Share of a disk kept free ..."""
    free_minutes: Annotated[float, Field(ge=0, le=1440)] = 30.0
    """... or this many minutes of writing, whichever is larger."""
    writer_threads: Annotated[int, Field(ge=1, le=64)] = 4
    """Threads that write to one disk."""
    slow_write_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """A write that takes longer marks the disk as slow, and its streams move to another."""
    missing_share: Annotated[float, Field(ge=0, le=1)] = 0.01
    """At start: when a larger share of the catalogued files is missing, nothing is touched and the start fails."""
    accept_missing: bool = False
    """Start although more is missing, and write it off as gaps."""
    playlist_hours: Annotated[float, Field(gt=0, le=168)] = 24.0
    """Longest range of one playlist or one exported file."""
    still_threads: Annotated[int, Field(ge=1, le=16)] = 1
    """Threads that decode stills, beside everything else."""
    still_queue: Annotated[int, Field(ge=1, le=1000)] = 16
    """Most stills that may wait to be decoded; more are refused."""
