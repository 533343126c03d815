"""A test stand: one simulated camera, and a client that writes its SOAP by hand."""

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import aiohttp
from multidict import CIMultiDictProxy

from drivers.simulator.device import EncodedUnit, Mount, SimulatedDevice, StreamSettings
from drivers.simulator.faults import Faults
from drivers.simulator.head import Head
from drivers.simulator.onvif import onvif_server
from drivers.simulator.onvif.markup import NAMESPACES, find, leaves, local, text_at
from kernel.clock import Clock, utc
from kernel.geography import Place
from kernel.ids import StreamName
from kernel.media import VideoCodec, VideoParameters
from tests.fakes.waiting import PATIENCE_S

PROFILE = "<p:ProfileToken>profile-main</p:ProfileToken>"
JPEG = b"\xff\xd8 a still \xff\xd9"
DIGEST_TYPE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"


class StillFeed:
    """Satisfies ``Feed``; counts the keyframes asked for."""

    codec = VideoCodec.H264
    parameters = VideoParameters(VideoCodec.H264, 1280, 720, b"", b"")

    def __init__(self) -> None:
        self.keyframes = 0

    def attach(self, listener: Callable[[EncodedUnit], None]) -> Callable[[], None]:
        """Encode nothing."""
        return lambda: None

    def request_keyframe(self) -> None:
        """Count."""
        self.keyframes += 1

    async def jpeg(self) -> bytes:
        """Return always the same."""
        return JPEG


def a_device(clock: Clock, *faults: str, codec: VideoCodec = VideoCodec.H264, ptz: bool = True) -> SimulatedDevice:
    """Return a camera of two streams with the named knobs on."""
    mount = Mount(place=Place(51.5, -0.1, 8.0), bearing_deg=90.0)
    feed = StillFeed()
    return SimulatedDevice(
        number=7,
        name="High Street & Mill Lane",
        serial="SIM-0007",
        urn="urn:uuid:00000000-0000-4000-8000-000000000007",
        mount=mount,
        clock=clock,
        faults=Faults.from_names(list(faults)),
        streams={
            name: StreamSettings(token=f"profile-{name.value}", name=name, codec=codec, width=width, height=height)
            for name, width, height in ((StreamName.MAIN, 1280, 720), (StreamName.SUB, 640, 360))
        },
        head=Head(mount, clock) if ptz else None,
        feeds={StreamName.MAIN: feed, StreamName.SUB: feed},
        rtsp_port=8554,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over the wire."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def content(self) -> ET.Element:
        """Return the element in the SOAP body."""
        inner = find(ET.fromstring(self.body), "Body")  # noqa: S314 - our own camera's
        assert inner is not None
        return inner[0]

    @property
    def told(self) -> dict[str, str]:
        """Return every leaf of the answer."""
        return leaves(self.content)

    @property
    def fault(self) -> list[str]:
        """Return the ter: subcodes of a fault, the outer first; empty where it is none."""
        codes = []
        node = find(self.content, "Code") if local(self.content) == "Fault" else None
        while node is not None and (node := find(node, "Subcode")) is not None:
            codes.append((text_at(node, "Value") or "").removeprefix("ter:"))
        return codes


def token(device: SimulatedDevice, **changed: str) -> str:
    """Return a WS-UsernameToken header; ``created``, ``nonce``, ``username`` and ``password`` may be forced."""
    nonce = changed.get("nonce", base64.b64encode(secrets.token_bytes(16)).decode())
    created = changed.get("created", utc(device.wall_ns()).isoformat(timespec="seconds").replace("+00:00", "Z"))
    secret = changed.get("password", device.password)
    digest = hashlib.sha1(base64.b64decode(nonce) + created.encode() + secret.encode(), usedforsecurity=False)
    proof = base64.b64encode(digest.digest()).decode()
    wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
    return (
        f'<s:Security xmlns:s="{wsse}"><s:UsernameToken>'
        f"<s:Username>{changed.get('username', device.username)}</s:Username>"
        f'<s:Password Type="{changed.get("kind", DIGEST_TYPE)}">{proof}</s:Password>'
        f"<s:Nonce>{nonce}</s:Nonce><s:Created>{created}</s:Created></s:UsernameToken></s:Security>"
    )


def addressing(action: str = "urn:any") -> str:
    """Return WS-Addressing headers."""
    space = f'xmlns:a="{NAMESPACES["wsa"]}"'
    return f"<a:Action {space}>{action}</a:Action><a:MessageID {space}>urn:uuid:1</a:MessageID>"


class Wire:
    """Speaks to one camera."""

    def __init__(self, device: SimulatedDevice, session: aiohttp.ClientSession) -> None:
        self.device = device
        self.session = session

    @property
    def base(self) -> str:
        """Return scheme, host and port."""
        return f"http://{self.device.host}:{self.device.http_port}"

    async def post(self, body: str | bytes, *, path: str = "/onvif/device_service", **headers: str) -> Answer:
        """Send a body as it is."""
        async with self.session.post(self.base + path, data=body, headers=headers, allow_redirects=False) as response:
            return Answer(response.status, response.headers, await response.read())

    async def call(
        self,
        prefix: str,
        name: str,
        arguments: str = "",
        *,
        header: str | None = None,
        path: str = "/onvif/any",
        **http: str,
    ) -> Answer:
        """Call an operation, with a good UsernameToken where ``header`` is not given. ``p:`` is its namespace."""
        proof = token(self.device) if header is None else header
        return await self.post(
            f'<e:Envelope xmlns:e="{NAMESPACES["env"]}" xmlns:p="{NAMESPACES[prefix]}" xmlns:tt="{NAMESPACES["tt"]}" '
            f'xmlns:wsnt="{NAMESPACES["wsnt"]}"><e:Header>{proof}</e:Header>'
            f"<e:Body><p:{name}>{arguments}</p:{name}></e:Body></e:Envelope>",
            path=path,
            **http,
        )


@asynccontextmanager
async def on_the_wire(device: SimulatedDevice) -> AsyncIterator[Wire]:
    """Serve ``device`` and connect to it."""
    async with onvif_server(device), aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as session:
        yield Wire(device, session)
