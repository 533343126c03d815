"""What a viewer is shown of a camera that sends H.265: that, its H.264 stream, or H.265 coded anew.

The offer decides: a browser that offers H.265 gets it. One that cannot truly decode what it offers leaves H.265 out of
its next offer, as the console does when no frame comes of the packets. What was chosen is told with the answer.
"""

from dataclasses import dataclass

from gateway.live.errors import LiveCodecError, LiveTranscodeError, LiveTranscodesFullError
from gateway.live.feed import LiveFeed
from gateway.live.offer import Offer, read_offer
from gateway.live.transcode import Transcode, Transcodes
from kernel.media import VideoCodec, VideoParameters

CODED_ANEW = VideoParameters(VideoCodec.H264, 1280, 720, sps=b"\x67\x42\xc0\x1f", pps=b"\x68")
"""What a transcode will send, before it has begun: constrained baseline at level 3.1."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A feed that an offer can be answered with. A ``transcode`` is held for the viewer, who must release it."""

    feed: LiveFeed
    offer: Offer
    transcode: Transcode | None = None

    @property
    def origin(self) -> LiveFeed:
        """Return the camera's own feed behind it."""
        return self.transcode.source if self.transcode is not None else self.feed

    @property
    def over(self) -> bool:
        """Return whether what is held has ended already."""
        return self.transcode is not None and self.transcode.over

    def release(self) -> None:
        """Let go of what is held."""
        if self.transcode is not None:
            self.transcode.release()


def choose(text: str, asked: LiveFeed, other: LiveFeed | None, transcodes: Transcodes) -> Choice:
    """Choose what to answer with; ``asked`` is live, ``other`` is the camera's other stream, if that may be shown.

    Raises:
        LiveOfferError, LiveOfferSizeError, LiveMediaTypeError: see ``read_offer``.
        LiveCodecError: nothing that the camera sends, or could be made of it, is in the offer.
        LiveTranscodesFullError, LiveTranscodeError: see ``Transcodes.hold``.
    """
    assert asked.parameters is not None
    try:
        return Choice(asked, read_offer(text, asked.parameters, asked.browser_sound))
    except LiveCodecError:
        if asked.parameters.codec is not VideoCodec.H265:
            raise
        if other is not None and other.parameters is not None and other.parameters.codec is VideoCodec.H264:
            return Choice(other, read_offer(text, other.parameters, other.browser_sound))
        if transcodes.limit == 0:
            raise
    offer = read_offer(text, CODED_ANEW, asked.browser_sound)
    try:
        return _held(offer, transcodes.hold(asked))
    except (LiveTranscodesFullError, LiveTranscodeError) as error:
        # Better the camera's other stream than no picture; where all places are taken, if it has one of them.
        full = isinstance(error, LiveTranscodesFullError)
        if other is None or (full and transcodes.running(other) is None):
            raise
        offer = read_offer(text, CODED_ANEW, other.browser_sound)
        return _held(offer, transcodes.hold(other))


def _held(offer: Offer, transcode: Transcode) -> Choice:
    return Choice(transcode.feed, offer, transcode)
