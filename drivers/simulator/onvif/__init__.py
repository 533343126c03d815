"""The ONVIF face of a simulated camera: SOAP services, snapshot and events over HTTP.

Design note: docs/design/simulated-onvif.md.
"""

from drivers.simulator.onvif.addresses import device_url
from drivers.simulator.onvif.server import onvif_server

__all__ = ["device_url", "onvif_server"]
