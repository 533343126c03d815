"""Relays and digital inputs (ONVIF DeviceIO service specification).

GetRelayOutputs, SetRelayOutputState, GetVideoSources and GetAudioSources, which its WSDL lists too, are messages of
the Device and Media namespaces; they are answered there, whatever address they were sent to.
"""

from drivers.simulator.onvif.markup import Element, el
from drivers.simulator.onvif.soap import Request, Service, operation
from drivers.simulator.onvif.system import relay_token, set_relay_settings


class DeviceIoService(Service):
    """Inputs and outputs of the housing."""

    prefix = "tmd"

    @operation("GetRelayOutputOptions")
    def get_relay_output_options(self, request: Request) -> list[Element]:
        """Return what the relays can be set to."""
        asked = request.text("RelayOutputToken")
        tokens = [relay_token(request, "RelayOutputToken")] if asked else list(self.device.relays)
        return [el("tmd:RelayOutputOptions", el("tmd:Mode", "Bistable"), token=token) for token in tokens]

    @operation("SetRelayOutputSettings")
    def set_relay_output_settings(self, request: Request) -> None:
        """Accept the one mode that the relays have."""
        set_relay_settings(request, "RelayOutput", "RelayOutput/Properties/Mode")

    @operation("GetDigitalInputs")
    def get_digital_inputs(self) -> list[Element]:
        """Return the contacts."""
        return [el("tmd:DigitalInputs", token=token) for token in self.device.inputs]

    @operation("GetVideoOutputs")
    def get_video_outputs(self, request: Request) -> None:
        """Return none: a camera shows nothing."""

    @operation("GetSerialPorts")
    def get_serial_ports(self, request: Request) -> None:
        """Return none."""
