"""What can go wrong for somebody who wants to watch.

LiveError
├── LiveOfferError        400  the offer is not one we can answer
├── LiveOfferSizeError    413  the offer or fragment is far too long
├── LiveMediaTypeError    415  it is not SDP at all
├── LiveCodecError        406  the browser offers nothing that can play what the camera sends
├── LiveNotLiveError      409  the camera is not live now; ``retry_after_s`` says when to ask again
├── LiveFullError         503  no room for another viewer; ``retry_after_s``
│   └── LiveTranscodesFullError    as many H.265 streams as may be are coded anew for others
├── LiveTranscodeError    503  the camera's H.265 could not be decoded; ``retry_after_s``
├── LiveSessionError      404  there is no such view (any more)
├── LivePreconditionError 412  the ETag is not this session's (428 where none was given)
├── LiveFragmentError     422  a fragment that is well made and cannot be taken; the view goes on as it was
├── LiveAddressError      500  the configuration leaves no address to serve viewers from
├── LiveOutletsOffError   409  the host does not listen for RTSPS
└── LivePortError         500  the port for viewers cannot be opened; the host does not start
"""

from kernel.errors import SightlineError


class LiveError(SightlineError):
    """Root of this tree. ``status`` is the HTTP status that fits."""

    code = "live.error"
    status = 400
    retry_after_s: int | None = None


class LiveOfferError(LiveError):
    """The offer cannot be answered."""

    code = "live.offer"


class LiveOfferSizeError(LiveError):
    """It is longer than any browser's."""

    code = "live.offer-size"
    status = 413


class LiveMediaTypeError(LiveError):
    """The body is not SDP."""

    code = "live.media-type"
    status = 415


class LiveCodecError(LiveError):
    """Offer and camera have no coding in common."""

    code = "live.codec"
    status = 406


class LiveNotLiveError(LiveError):
    """There is no picture to show now."""

    code = "live.not-live"
    status = 409
    retry_after_s = 2


class LiveFullError(LiveError):
    """Every place is taken."""

    code = "live.full"
    status = 503
    retry_after_s = 10


class LiveTranscodesFullError(LiveFullError):
    """The browser plays no H.265, and no more streams may be coded anew."""

    code = "live.transcodes-full"


class LiveTranscodeError(LiveError):
    """The browser plays no H.265, and the camera's could not be decoded here either."""

    code = "live.transcode"
    status = 503
    retry_after_s = 30


class LiveSessionError(LiveError):
    """The view is over, or never was."""

    code = "live.no-session"
    status = 404


class LivePreconditionError(LiveError):
    """If-Match is missing or names another state of the session."""

    code = "live.precondition"
    status = 412


class LiveFragmentError(LiveError):
    """The fragment is well made and does not fit the view, or not now."""

    code = "live.fragment"
    status = 422


class LiveAddressError(LiveError):
    """No candidate can be offered."""

    code = "live.no-address"
    status = 500


class LiveOutletsOffError(LiveError):
    """An outlet is to be put, and RTSPS is switched off."""

    code = "live.outlets-off"
    status = 409


class LivePortError(LiveError):
    """Another program has the port, or it may not be opened."""

    code = "live.port"
    status = 500
