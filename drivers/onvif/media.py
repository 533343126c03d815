"""Finding a device's views, and choosing their main and sub streams (Media2 section 5, Media section 5).

Media 2 is asked first: H.265 can be seen only there. Streams are chosen by resolution and rate, never by name.
"""

from dataclasses import dataclass, field

from drivers.errors import CameraAnswerError, CameraBusyError, CameraError, CameraFaultError, CameraNoMediaError
from drivers.model import StreamProfile
from drivers.onvif.catalogue import Service
from drivers.onvif.locations import Locations
from drivers.onvif.reading import Node
from drivers.onvif.soap import Caller
from kernel.media import VideoCodec

_CODECS = {"H264": VideoCodec.H264, "H265": VideoCodec.H265, "HEVC": VideoCodec.H265}
_SUB_PIXELS = 1280 * 720
"""A sub stream is no larger than this."""
_SUB_WANTED = 640 * 360


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A media profile that has picture and coding."""

    token: str
    name: str
    source: str
    """Token of the video source."""
    codec: VideoCodec
    width: int
    height: int
    frame_rate: float
    bitrate_kbit: int | None
    gop_frames: int | None
    audio: str | None
    ptz_node: str | None
    """Token of the node its PTZ configuration names."""
    ptz: bool

    @property
    def pixels(self) -> int:
        """Return the number of pixels of a picture."""
        return self.width * self.height

    @property
    def rank(self) -> tuple[int, float, int]:
        """Return what makes one better than another: pixels, rate, bits."""
        return self.pixels, self.frame_rate, self.bitrate_kbit or 0


@dataclass(slots=True, kw_only=True)
class Offer:
    """One video source and its profiles."""

    source: str
    profiles: list[Profile] = field(default_factory=list)

    @property
    def main(self) -> Profile:
        """Return the largest picture, the fastest among equals."""
        return max(self.profiles, key=lambda one: one.rank)

    @property
    def sub(self) -> Profile | None:
        """Return a clearly smaller picture, the nearest to 640x360; H.264 among equals: every browser shows it."""
        main = self.main
        smaller = [
            one for one in self.profiles if one.token != main.token and one.pixels <= min(main.pixels // 2, _SUB_PIXELS)
        ]
        return min(
            smaller,
            key=lambda one: (abs(one.pixels - _SUB_WANTED), one.codec is not VideoCodec.H264, -one.frame_rate),
            default=None,
        )

    @property
    def ptz(self) -> Profile | None:
        """Return a profile that steers, the main one if it does; chosen apart from the streams."""
        steering = [one for one in self.profiles if one.ptz]
        return max(steering, key=lambda one: (one.token == self.main.token, one.rank), default=None)


class Media:
    """The media service of one device, version 2 or 1."""

    def __init__(self, caller: Caller, services: dict[Service, str], locations: Locations, service: Service) -> None:
        self._caller = caller
        self._locations = locations
        self._service = service
        self._url = services[service]

    @property
    def service(self) -> Service:
        """Return which version it is."""
        return self._service

    async def profiles(self) -> list[Profile]:
        """Return every profile that has a picture we can record."""
        fields = {"Type": ["All"]} if self._service is Service.MEDIA2 else {}
        answer = await self._caller.call(self._url, self._service, "GetProfiles", fields)
        found = []
        for node in answer.all("Profiles"):
            try:
                profile = self._read(node)
            except ValueError as error:
                self._caller.quirks.note(f"Its profile {node.text('Name') or node.get('token')!r} is left out: {error}")
                continue
            if profile is not None:
                found.append(profile)
        return found

    def _read(self, node: Node) -> Profile | None:
        """Return the profile, None for one without picture.

        Raises:
            ValueError: it has one that we cannot use, and why.
        """
        two = self._service is Service.MEDIA2
        base = node.one("Configurations") if two else node
        source = base and base.one("VideoSource" if two else "VideoSourceConfiguration")
        encoder = base and base.one("VideoEncoder" if two else "VideoEncoderConfiguration")
        ptz = base and base.one("PTZ" if two else "PTZConfiguration")
        audio = base and base.one("AudioEncoder" if two else "AudioEncoderConfiguration")
        if source is None or encoder is None:
            return None
        coding = encoder.text("Encoding").upper().replace(".", "").replace("-", "")
        codec = _CODECS.get(coding)
        width, height = encoder.number("Resolution/Width"), encoder.number("Resolution/Height")
        if codec is None:
            raise ValueError(f"{coding or 'no'} coding cannot be recorded.")
        if not width or not height:
            raise ValueError("it tells no resolution.")
        gop = (encoder.number(attribute="GovLength") if two else encoder.number(f"{coding}/GovLength")) or 0
        return Profile(
            token=node.get("token"),
            name=node.text("Name") or node.get("token"),
            source=source.text("SourceToken") or source.get("token"),
            codec=codec,
            width=int(width),
            height=int(height),
            frame_rate=encoder.number("RateControl/FrameRateLimit") or 0.0,
            bitrate_kbit=int(encoder.number("RateControl/BitrateLimit") or 0) or None,
            gop_frames=int(gop) or None,
            audio=audio.text("Encoding") or None if audio is not None else None,
            ptz_node=ptz.text("NodeToken") or None if ptz is not None else None,
            ptz=ptz is not None,
        )

    async def stream(self, profile: Profile) -> StreamProfile:
        """Return the profile with the address of its stream, as we reach it."""
        if self._service is Service.MEDIA2:
            url = await self._stream_uri_2(profile.token)
        else:
            setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
            answer = await self._caller.call(
                self._url, self._service, "GetStreamUri", {"StreamSetup": setup, "ProfileToken": profile.token}
            )
            url = answer.text("MediaUri/Uri")
        reached = self._locations.reach(url)
        if not reached.startswith(("rtsp:", "rtsps:")):
            raise CameraAnswerError(
                "The camera gives an address of its stream that is not RTSP's.",
                cure="Check its streaming settings.",
                address=self._locations.device_url,
                given=reached,
            )
        return StreamProfile(
            token=profile.token,
            name=profile.name,
            codec=profile.codec,
            width=profile.width,
            height=profile.height,
            frame_rate=profile.frame_rate,
            bitrate_kbit=profile.bitrate_kbit,
            gop_frames=profile.gop_frames,
            audio=profile.audio,
            rtsp_url=reached,
        )

    async def _stream_uri_2(self, token: str) -> str:
        """Ask for RTP over RTSP, and for plain RTSP where it knows only that (Media2 section 5.5.1)."""
        for protocol in ("RTSP", "RtspUnicast"):
            try:
                answer = await self._caller.call(
                    self._url, self._service, "GetStreamUri", {"Protocol": protocol, "ProfileToken": token}
                )
            except CameraFaultError:
                if protocol == "RtspUnicast":
                    raise
                continue
            if answer.text("Uri"):
                return answer.text("Uri")
        return ""

    async def snapshot_url(self, token: str) -> str | None:
        """Return the address of its snapshot, None where it has none."""
        try:
            answer = await self._caller.call(self._url, self._service, "GetSnapshotUri", {"ProfileToken": token})
            url = answer.text("Uri") or answer.text("MediaUri/Uri")
            return self._locations.reach(url) if url else None
        except (CameraFaultError, CameraAnswerError, CameraBusyError):
            return None

    async def synchronize(self, token: str) -> None:
        """Ask for a keyframe now (SetSynchronizationPoint)."""
        await self._caller.call(self._url, self._service, "SetSynchronizationPoint", {"ProfileToken": token})


async def find_views(caller: Caller, services: dict[Service, str], locations: Locations) -> tuple[Media, list[Offer]]:
    """Return the media service that shows most, and an offer for each video source, in the device's order.

    Raises:
        CameraNoMediaError: no profile of it can be recorded.
    """
    failure: CameraError | None = None
    for service in (Service.MEDIA2, Service.MEDIA):
        if service not in services:
            continue
        media = Media(caller, services, locations, service)
        try:
            profiles = await media.profiles()
        except (CameraFaultError, CameraAnswerError) as error:
            failure = error
            continue
        if not profiles:
            continue
        if service is Service.MEDIA:
            caller.quirks.learn("no-media2")
        offers: dict[str, Offer] = {}
        for profile in profiles:
            offers.setdefault(profile.source, Offer(source=profile.source)).profiles.append(profile)
        return media, list(offers.values())
    if isinstance(failure, CameraAnswerError):
        raise failure
    remarks = " ".join(remark.text for remark in caller.quirks.remarks if remark.quirk is None)
    raise CameraNoMediaError(
        f"The camera offers no video that can be recorded. {remarks}".rstrip(),
        cure="Set up an H.264 or H.265 profile in the camera.",
        address=locations.device_url,
    ) from failure
