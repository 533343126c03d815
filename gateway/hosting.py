"""Camera host processes: where each answers, and, where the gateway supervises them, their starts, deaths and ends."""

from config.settings import Settings
from gateway.fleet.links import HostPlace


def place_of(settings: Settings, index: int) -> HostPlace:
    """Return where camera host ``index`` answers and how an operator knows it."""
    restart = "stop and start Sightline"
    if settings.hosts.workers and settings.hosts.supervisor == "systemd":
        restart = f"systemctl restart sightline-host@{index}"
    return HostPlace(
        socket=settings.host_socket(index),
        owner=settings.owners[index],
        site=settings.site,
        name=f"sightline-host@{index}" if settings.hosts.workers else "inside the gateway",
        restart=restart,
    )
