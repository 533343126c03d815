"""The device service: who the camera is, its clock, its network, reboot (ONVIF Core section 8)."""

from datetime import UTC, datetime

import structlog

from drivers.simulator import happenings
from drivers.simulator.onvif import markup, values
from drivers.simulator.onvif.markup import Element, el
from drivers.simulator.onvif.soap import Fault, Request, Service, invalid, operation
from kernel.clock import NS_PER_S, to_ns, utc

log = structlog.get_logger()

MANUFACTURER = "Sightline"
MODEL = "Simulated Dome"
FIRMWARE = "1.0"
_ZONE = "UTC0"


class SystemService(Service):
    """Identity, time and housekeeping."""

    prefix = "tds"

    @operation("GetDeviceInformation")
    def get_device_information(self, request: Request) -> list[Element]:
        """Return make and serial number."""
        return [
            el("tds:Manufacturer", MANUFACTURER),
            el("tds:Model", MODEL + (" Caméra" if request.faults.bad_utf8 else "")),
            el("tds:FirmwareVersion", FIRMWARE),
            el("tds:SerialNumber", self.device.serial),
            el("tds:HardwareId", "sim-1"),
        ]

    @operation("GetEndpointReference")
    def get_endpoint_reference(self) -> Element:
        """Return the URN that discovery tells too."""
        return el("tds:GUID", self.device.urn)

    @operation("GetScopes")
    def get_scopes(self) -> list[Element]:
        """Return the scopes that discovery tells too."""
        return [
            el("tds:Scopes", el("tt:ScopeDef", "Fixed"), el("tt:ScopeItem", scope))
            for scope in happenings.scopes(self.device)
        ]

    @operation("GetDiscoveryMode")
    def get_discovery_mode(self) -> Element:
        """Return that it can be found."""
        return el("tds:DiscoveryMode", "Discoverable")

    @operation("GetSystemDateAndTime")
    def get_system_date_and_time(self, request: Request) -> Element:
        """Return the camera's own clock."""
        now = utc(self.device.wall_ns())
        day, hour, minute, second = (
            values.odd(now) if request.faults.odd_times else (now, now.hour, now.minute, now.second)
        )
        parts = [
            el("tt:Time", el("tt:Hour", hour), el("tt:Minute", minute), el("tt:Second", second)),
            el("tt:Date", el("tt:Year", day.year), el("tt:Month", day.month), el("tt:Day", day.day)),
        ]
        return el(
            "tds:SystemDateAndTime",
            el("tt:DateTimeType", "Manual"),
            el("tt:DaylightSavings", False),
            el("tt:TimeZone", el("tt:TZ", _ZONE)),
            el("tt:UTCDateTime", parts),
            el("tt:LocalDateTime", parts),
        )

    @operation("SetSystemDateAndTime")
    def set_system_date_and_time(self, request: Request) -> None:
        """Set the camera's clock: what it is then off is its clock error."""
        kind = request.need("DateTimeType")
        if kind == "NTP":
            self.device.faults.clock_error_s = 0.0
            return
        if kind != "Manual":
            raise invalid(f"{kind} is no way to keep time.", "InvalidDateTime")
        try:
            year, month, day = (int(request.need(f"UTCDateTime/Date/{part}")) for part in ("Year", "Month", "Day"))
            hour, minute, second = (
                int(request.need(f"UTCDateTime/Time/{part}")) for part in ("Hour", "Minute", "Second")
            )
            asked_ns = to_ns(datetime(year, month, day, hour, minute, second, tzinfo=UTC))
        except (ValueError, OverflowError) as error:
            raise invalid(f"This is no time: {error}.", "InvalidDateTime") from None
        faults = self.device.faults
        faults.clock_error_s = (asked_ns - self.device.clock.wall_ns()) / NS_PER_S - faults.clock_jump_s

    @operation("SystemReboot")
    def system_reboot(self, request: Request) -> Element:
        """Reboot once the answer is out."""
        request.after.append(self.device.reboot)
        return el("tds:Message", "Rebooting now.")

    @operation("GetHostname")
    def get_hostname(self) -> Element:
        """Return its host name."""
        return el("tds:HostnameInformation", el("tt:FromDHCP", False), el("tt:Name", f"camera-{self.device.number}"))

    @operation("GetNetworkInterfaces")
    def get_network_interfaces(self) -> Element:
        """Return its one interface, with a hardware address made of its number."""
        high, low = divmod(self.device.number, 256)
        host = self.device.host if self.device.host.count(".") == 3 else "127.0.0.1"
        return el(
            "tds:NetworkInterfaces",
            el("tt:Enabled", True),
            el(
                "tt:Info",
                el("tt:Name", "eth0"),
                el("tt:HwAddress", f"02:53:4c:00:{high:02x}:{low:02x}"),
                el("tt:MTU", 1500),
            ),
            el(
                "tt:IPv4",
                el("tt:Enabled", True),
                el(
                    "tt:Config",
                    el("tt:Manual", el("tt:Address", host), el("tt:PrefixLength", 8)),
                    el("tt:DHCP", False),
                ),
            ),
            token="eth0",  # noqa: S106 - an ONVIF reference token
        )

    @operation("GetNetworkProtocols")
    def get_network_protocols(self) -> list[Element]:
        """Return its ports."""
        ports = {"HTTP": self.device.http_port, "RTSP": self.device.rtsp_port}
        return [
            el("tds:NetworkProtocols", el("tt:Name", name), el("tt:Enabled", True), el("tt:Port", port))
            for name, port in ports.items()
        ]

    @operation("GetUsers")
    def get_users(self) -> list[Element]:
        """Return the account that opens it, and those that stand there beside it."""
        names = {self.device.username: "Administrator"} | self.device.other_accounts
        return [el("tds:User", el("tt:Username", name), el("tt:UserLevel", level)) for name, level in names.items()]

    @operation("SetUser")
    def set_user(self, request: Request) -> None:
        """Change the password of the account that opens it."""
        if request.need("User/Username") != self.device.username:
            raise invalid("There is no such account.", "UsernameMissing")
        if request.faults.setuser_refused:
            raise Fault("OperationProhibited", "Password", reason="The password is too weak.")
        password = request.need("User/Password")
        if not request.faults.setuser_ignored:
            self.device.password = password

    @operation("SendAuxiliaryCommand")
    def send_auxiliary_command(self, request: Request) -> Element:
        """Switch wiper or lamp."""
        return el("tds:AuxiliaryCommandResponse", auxiliary(request, request.need("AuxiliaryCommand")))

    @operation("GetRelayOutputs")
    def get_relay_outputs(self, request: Request) -> list[Element]:
        """Return the relays; the DeviceIO service has the same."""
        return relay_outputs(request, "tds")

    @operation("SetRelayOutputState")
    def set_relay_output_state(self, request: Request) -> None:
        """Switch a relay."""
        switch_relay(request)

    @operation("SetRelayOutputSettings")
    def set_relay_output_settings(self, request: Request) -> None:
        """Accept the one mode that the relays have."""
        set_relay_settings(request, "RelayOutputToken", "Properties/Mode")


def auxiliary(request: Request, command: str) -> str:
    """Do an auxiliary command.

    Raises:
        Fault: it is not one of the advertised strings.
    """
    device = request.device
    if command not in device.auxiliary:
        raise invalid(f"There is no auxiliary command {command}.", "AuxiliaryDataNotSupported")
    thing, _, state = command.partition("|")
    if thing == "tt:Wiper":
        device.wiper = state == "On"
    elif thing == "tt:IRLamp":
        device.infrared = state == "On"
    log.debug("simulator.auxiliary", camera=device.number, command=command)
    return command


def relay_outputs(request: Request, prefix: str) -> list[Element]:
    """Return the relays as both services list them."""
    properties = el("tt:Properties", el("tt:Mode", "Bistable"), el("tt:DelayTime", "PT0S"), el("tt:IdleState", "open"))
    return [el(f"{prefix}:RelayOutputs", properties, token=token) for token in request.device.relays]


def relay_token(request: Request, path: str) -> str:
    """Return the relay that is meant.

    Raises:
        Fault: there is no such relay.
    """
    token = request.need(path)
    if token not in request.device.relays:
        raise invalid(f"There is no relay {token}.", "RelayToken")
    return token


def switch_relay(request: Request) -> None:
    """Do SetRelayOutputState, and tell it as an event."""
    token = relay_token(request, "RelayOutputToken")
    state = request.need("LogicalState")
    if state not in {"active", "inactive"}:
        raise invalid(f"A relay is active or inactive, not {state}.")
    happenings.relay(request.device, token, on=state == "active")


def set_relay_settings(request: Request, token_path: str, mode_path: str) -> None:
    """Do SetRelayOutputSettings of either service."""
    holder = markup.find(request.body, "RelayOutput")
    if holder is None or holder.get("token") is None:
        relay_token(request, token_path)
    elif holder.get("token") not in request.device.relays:
        raise invalid(f"There is no relay {holder.get('token')}.", "RelayToken")
    if request.need(mode_path) != "Bistable":
        raise invalid("The relays are bistable.", "ModeError")
