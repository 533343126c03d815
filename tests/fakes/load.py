"""What a camera host with half the borough on it tells of itself."""

from gateway.fleet.load import HostLoad

_BUSY = HostLoad(
    cameras=467,
    streams_live=934,
    recording=934,
    viewers=24,
    viewers_max=200,
    transcodes=1,
    transcodes_max=2,
    mbit_s=1874.3,
    frames_s=20_412.0,
    packets_lost=31,
    cpu_percent=61.5,
    memory_bytes=2_147_483_648,
    loop_lag_p99_ms=8.4,
    loop_lag_max_ms=31.0,
    record_lane_bytes=48_000_000,
    record_lane_max_bytes=1_800_000,
    record_lane_limit_bytes=16_777_216,
    live_lane_pictures=3,
    pictures_dropped=12,
    gaps=0,
)


def host_load(**changes: float) -> HostLoad:
    """Return the load of a busy host in good order, some of it changed."""
    return _BUSY.model_copy(update=changes)
