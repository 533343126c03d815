"""What a camera says that it can do: GetServices, GetCapabilities, and GetServiceCapabilities of every service."""

from collections.abc import Callable
from dataclasses import dataclass

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.onvif.addresses import told_url
from drivers.simulator.onvif.markup import NAMESPACES, Element, el
from drivers.simulator.onvif.soap import Request, Service, operation, unsupported

SUBSCRIPTIONS_MAX = 16
PRESETS_MAX = 256
TOURS_MAX = 8
SPOTS_MAX = 32
_VERSION = (21, 12)


@dataclass(frozen=True, slots=True)
class _Listed:
    """One service as GetServices lists it."""

    prefix: str
    path: str
    capabilities: Callable[[SimulatedDevice], Element]


def pullpoint_claimed(device: SimulatedDevice) -> bool:
    """Return what the capability flags say of PullPoint, true or not."""
    return not device.faults.hides_pullpoint


def _device(device: SimulatedDevice) -> Element:
    http = {"HttpDigest": not device.faults.wsse_only, "UsernameToken": not device.faults.digest_only}
    security = {"TLS1.0": False, "TLS1.1": False, "TLS1.2": False, "X.509Token": False}
    return el(
        "tds:Capabilities",
        el("tds:Network", IPFilter=False, ZeroConfiguration=False, IPVersion6=False, DynDNS=False, NTP=0),
        el("tds:Security", **security, **http, RemoteUserHandling=False, MaxUsers=1),
        el("tds:System", DiscoveryResolve=True, DiscoveryBye=True, RemoteDiscovery=False, SystemBackup=False),
        el("tds:Misc", AuxiliaryCommands=" ".join(device.auxiliary)),
    )


def _media1(device: SimulatedDevice) -> Element:
    return el(
        "trt:Capabilities",
        el("trt:ProfileCapabilities", MaximumNumberOfProfiles=len(device.streams)),
        el("trt:StreamingCapabilities", RTPMulticast=False, RTP_TCP=True, RTP_RTSP_TCP=True),
        SnapshotUri=True,
        Rotation=False,
        VideoSourceMode=False,
        OSD=False,
    )


def _media2(device: SimulatedDevice) -> Element:
    kinds = ["VideoSource", "VideoEncoder", "Metadata"]
    kinds += ["AudioSource", "AudioEncoder"] if device.audio else []
    kinds += ["PTZ"] if device.head else []
    return el(
        "tr2:Capabilities",
        el(
            "tr2:ProfileCapabilities",
            MaximumNumberOfProfiles=len(device.streams),
            ConfigurationsSupported=" ".join(kinds),
        ),
        el("tr2:StreamingCapabilities", RTSPStreaming=True, RTPMulticast=False, RTP_RTSP_TCP=True),
        SnapshotUri=True,
        Rotation=False,
        VideoSourceMode=False,
        OSD=False,
    )


def _events(device: SimulatedDevice) -> Element:
    claimed = pullpoint_claimed(device)
    return el(
        "tev:Capabilities",
        WSSubscriptionPolicySupport=False,
        WSPullPointSupport=claimed,
        WSPausableSubscriptionManagerInterfaceSupport=False,
        MaxNotificationProducers=0,
        MaxPullPoints=(device.faults.subscription_slots or SUBSCRIPTIONS_MAX) if claimed else 0,
        PersistentNotificationStorage=False,
        EventBrokerProtocols="mqtt mqtts",
        MaxEventBrokers=2,
    )


def _deviceio(device: SimulatedDevice) -> Element:
    return el(
        "tmd:Capabilities",
        VideoSources=1,
        VideoOutputs=0,
        AudioSources=int(device.audio is not None),
        AudioOutputs=0,
        RelayOutputs=len(device.relays),
        SerialPorts=0,
        DigitalInputs=len(device.inputs),
        DigitalInputOptions=False,
    )


_SERVICES = (
    _Listed("tds", "/onvif/device_service", _device),
    _Listed("trt", "/onvif/media_service", _media1),
    _Listed("tr2", "/onvif/media2_service", _media2),
    _Listed(
        "tptz", "/onvif/ptz_service", lambda _: el("tptz:Capabilities", EFlip=False, Reverse=False, MoveStatus=True)
    ),
    _Listed("timg", "/onvif/imaging_service", lambda _: el("timg:Capabilities", ImageStabilization=False)),
    _Listed("tev", "/onvif/event_service", _events),
    _Listed("tmd", "/onvif/deviceio_service", _deviceio),
)


def services_of(device: SimulatedDevice) -> list[_Listed]:
    """Return the services that this camera has."""
    absent = {"tr2"} if device.faults.no_media2 else set()
    absent |= set() if device.head else {"tptz"}
    return [service for service in _SERVICES if service.prefix not in absent]


class CapabilityService(Service):
    """GetServiceCapabilities of one namespace."""

    def __init__(self, device: SimulatedDevice, prefix: str) -> None:
        super().__init__(device)
        self.prefix = prefix

    @operation("GetServiceCapabilities")
    def get_service_capabilities(self, request: Request) -> Element:
        """Return the same element that GetServices includes."""
        listed = next(service for service in _SERVICES if NAMESPACES[service.prefix] == request.namespace)
        return listed.capabilities(self.device)


class DirectoryService(Service):
    """Where the services are (ONVIF Core section 8.1)."""

    prefix = "tds"

    @operation("GetServices")
    def get_services(self, request: Request) -> list[Element]:
        """Return every service with its address."""
        if request.faults.no_get_services:
            raise unsupported("GetServices is not implemented.")
        full = request.flag("IncludeCapability", default=False)
        major, minor = _VERSION
        return [
            el(
                "tds:Service",
                el("tds:Namespace", NAMESPACES[service.prefix]),
                el("tds:XAddr", told_url(self.device, request.host, service.path)),
                el("tds:Capabilities", service.capabilities(self.device)) if full else None,
                el("tds:Version", el("tt:Major", major), el("tt:Minor", minor)),
            )
            for service in services_of(self.device)
        ]

    @operation("GetWsdlUrl")
    def get_wsdl_url(self) -> Element:
        """Return where the interface is described."""
        return el("tds:WsdlUrl", "http://www.onvif.org/ver10/device/wsdl/devicemgmt.wsdl")

    @operation("GetCapabilities")
    def get_capabilities(self, request: Request) -> Element:
        """Return the older directory, which knows nothing of Media 2."""
        there = {service.prefix: service for service in services_of(self.device)}

        def address(prefix: str) -> Element:
            return el("tt:XAddr", told_url(self.device, request.host, there[prefix].path))

        pullpoint = pullpoint_claimed(self.device)
        return el(
            "tds:Capabilities",
            self._device_capabilities(address("tds")),
            el(
                "tt:Events",
                address("tev"),
                el("tt:WSSubscriptionPolicySupport", False),
                el("tt:WSPullPointSupport", pullpoint),
                el("tt:WSPausableSubscriptionManagerInterfaceSupport", False),
            ),
            el("tt:Imaging", address("timg")),
            el(
                "tt:Media",
                address("trt"),
                el(
                    "tt:StreamingCapabilities",
                    el("tt:RTPMulticast", False),
                    el("tt:RTP_TCP", True),
                    el("tt:RTP_RTSP_TCP", True),
                ),
            ),
            el("tt:PTZ", address("tptz")) if "tptz" in there else None,
            el(
                "tt:Extension",
                el(
                    "tt:DeviceIO",
                    address("tmd"),
                    el("tt:VideoSources", 1),
                    el("tt:VideoOutputs", 0),
                    el("tt:AudioSources", int(self.device.audio is not None)),
                    el("tt:AudioOutputs", 0),
                    el("tt:RelayOutputs", len(self.device.relays)),
                ),
            ),
        )

    def _device_capabilities(self, address: Element) -> Element:
        network = ("IPFilter", "ZeroConfiguration", "IPVersion6", "DynDNS")
        later = ("RemoteDiscovery", "SystemBackup", "SystemLogging", "FirmwareUpgrade")
        security = ("TLS1.1", "TLS1.2", "OnboardKeyGeneration", "AccessPolicyConfig")
        tokens = ("X.509Token", "SAMLToken", "KerberosToken", "RELToken")
        return el(
            "tt:Device",
            address,
            el("tt:Network", [el(f"tt:{name}", False) for name in network]),
            el(
                "tt:System",
                [el("tt:DiscoveryResolve", True), el("tt:DiscoveryBye", True)],
                [el(f"tt:{name}", False) for name in later],
                el("tt:SupportedVersions", el("tt:Major", _VERSION[0]), el("tt:Minor", _VERSION[1])),
            ),
            el(
                "tt:IO",
                el("tt:InputConnectors", len(self.device.inputs)),
                el("tt:RelayOutputs", len(self.device.relays)),
            ),
            el("tt:Security", [el(f"tt:{name}", False) for name in security + tokens]),
        )
