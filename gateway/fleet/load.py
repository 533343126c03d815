"""What a camera host carries, as it tells with every heartbeat.

Rates are those of the last five seconds, taken once a second; counts are those since the host's start.
"""

from pydantic import BaseModel, ConfigDict


class HostLoad(BaseModel):
    """The work of one camera host, and what waits in it."""

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
    """Pictures that come in from cameras, all streams together."""
    packets_lost: int
    """RTP packets that never came, since the start."""
    cpu_percent: float
    """Of one core, all threads together: 100 is one core. With ``hosts.workers = 0`` it is that of the gateway's
    process as a whole, its web server and database with it. Processes that transcode are not in it."""
    memory_bytes: int
    """Resident, of the same process as ``cpu_percent``."""
    loop_lag_p99_ms: float
    """How late the event loop came to what was due, over the last minute; what fell due while it stood is counted."""
    loop_lag_max_ms: float
    record_lane_bytes: int
    """What waits for the disks, all streams together."""
    record_lane_max_bytes: int
    """The fullest stream's."""
    record_lane_limit_bytes: int
    """What one stream's lane holds; one that runs over ends its run, and a gap is written."""
    live_lane_pictures: int
    """What waits for viewers, all together."""
    pictures_dropped: int
    """Left out for slow viewers, since the start."""
    gaps: int
    """Runs of recording that the host itself had to end since the start: a lane ran over, a disk failed."""
