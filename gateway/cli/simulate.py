"""`sightline simulate`: the simulated borough alone, for any ONVIF or RTSP client."""


def simulate() -> None:
    """Run simulated cameras alone, for any client."""
