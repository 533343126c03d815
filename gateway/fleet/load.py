"""What a camera host carries, as it tells with every heartbeat."""

from pydantic import BaseModel, ConfigDict


class HostLoad(BaseModel):
    """The work of one camera host since the last heartbeat, and what waits in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cameras: int
    streams_live: int
    recording: int
    """Streams that are being written."""
    viewers: int
    viewers_max: int
    transcodes: int
    """H.265 streams being coded anew."""
    transcodes_max: int
    mbit_s: float
    """What comes in from cameras, in 10^6 bits a second."""
    frames_s: float
    packets_lost: int
    """RTP packets that never came, since the start."""
    cpu_percent: float
    """Of one core, all threads together."""
    memory_bytes: int
    """Resident."""
    loop_lag_p99_ms: float
    """How late the event loop came to what was due, over the last minute."""
    loop_lag_max_ms: float
    record_lane_bytes: int
    """What waits for the disks, all streams together."""
    record_lane_max_bytes: int
    """The fullest stream's."""
    live_lane_pictures: int
    """What waits for viewers, all together."""
    pictures_dropped: int
    """Left out for slow viewers, since the start."""
    gaps: int
    """Runs of recording that the host itself had to end since the start: a lane ran over, a disk failed."""
