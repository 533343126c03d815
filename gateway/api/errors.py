"""What the API itself refuses.

ApiError (kernel.errors.SightlineError; ``status`` is the HTTP status)
├── BadRequestError       the request cannot be understood
├── RangeError            a range that ends before it starts
├── MediaTypeError        a body of the wrong kind
├── PresetVoidError       a preset that was stored at another place is recalled
├── NotHereError          nothing at that address
├── AnotherUserError      a page that shows somebody asks with the session of somebody else
├── UnitsOffError         units in the field are not heard: the settings name no broker
├── TooManyOffersError    a viewer offers and patches faster than any wall of tiles; ``retry_after_s``
├── TooManySwitchesError  the main stream of a unit is asked for and given back again and again; ``retry_after_s``
├── TooManySocketsError   a session has as many WebSockets as it may have
└── ControlSocketError    nonsense or a flood on a WebSocket
"""

from kernel.errors import SightlineError


class ApiError(SightlineError):
    """Root of this tree."""

    code = "api.error"
    status = 400


class BadRequestError(ApiError):
    """The request cannot be understood."""

    code = "api.request"
    status = 422


class RangeError(ApiError):
    """A range that ends before it starts."""

    code = "api.range"
    status = 422


class MediaTypeError(ApiError):
    """A body of the wrong kind."""

    code = "api.media-type"
    status = 415


class PresetVoidError(ApiError):
    """A preset that was stored at another place is recalled."""

    code = "api.preset-void"
    status = 409


class NotHereError(ApiError):
    """Nothing at that address."""

    code = "api.not-here"
    status = 404


class AnotherUserError(ApiError):
    """A page that shows somebody asks with the session of somebody else, who signed in beside it."""

    code = "api.another-user"
    status = 409

    def __init__(self) -> None:
        super().__init__(
            "Somebody else is signed in by now, and this was not done in their name.",
            cure="Whoever did it signs in again; then it is sent.",
        )


class UnitsOffError(ApiError):
    """Units in the field are not heard: the settings name no broker."""

    code = "api.units-off"
    status = 404

    def __init__(self) -> None:
        super().__init__(
            "Units in the field are not heard here.", cure="Set telemetry.broker_url, or telemetry.embedded."
        )


class TooManyOffersError(ApiError):
    """A session or token makes WHEP offers and changes faster than it may."""

    code = "api.signalling"
    status = 429

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("There were too many offers and changes of views.", cure=f"Wait {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class TooManySwitchesError(ApiError):
    """A camera behind a thin link is switched from one stream to the other again and again."""

    code = "api.switches"
    status = 429

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("This camera's streams were switched too often.", cure=f"Wait {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class TooManySocketsError(ApiError):
    """A session has as many WebSockets as it may have."""

    code = "api.sockets"
    status = 429


class ControlSocketError(ApiError):
    """Nonsense or a flood on a WebSocket; it is closed with 1008."""

    code = "api.socket"
    status = 400
