"""What a WHEP session is patched with: SDP fragments (RFC 8840 section 9) and the ICE session that they are meant for.

Section numbers without a name are those of draft-ietf-wish-whep-03.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aiortc import RTCIceParameters
from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp, candidate_to_sdp

from gateway.live.errors import LiveFragmentError, LiveOfferError, LivePreconditionError
from gateway.live.offer import PASSWORD, UFRAG, Offer, text_of

_CURE = "Send an application/trickle-ice-sdpfrag as RFC 8840 section 9 has it."
_LINE = re.compile(r"[a-z]=\S.*")
_TAG = re.compile(r'\s*(?:(\*|"\*")|(W/)?("[\x21\x23-\x7e\x80-\xff]*"))\s*(?:,|$)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """Candidates, and the credentials and media sections they belong to."""

    username_fragment: str | None
    password: str | None
    lite: bool
    mids: frozenset[str]
    candidates: tuple[RTCIceCandidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted:
    """What a PATCH that restarted ICE is answered with (section 4.4.3). ``etag`` comes with its quotation marks."""

    fragment: str
    etag: str


def read_fragment(body: bytes | str) -> Fragment:
    """Read a fragment.

    Raises:
        LiveOfferSizeError, LiveMediaTypeError: see ``gateway.live.offer.text_of``.
        LiveOfferError: it is malformed, or says nothing.
    """
    names: set[str] = set()
    said: dict[str, set[str]] = {"ice-ufrag": set(), "ice-pwd": set(), "mid": set()}
    candidates = []
    lines = [line for line in text_of(body).splitlines() if line.strip()]
    for line in lines:
        if _LINE.fullmatch(line) is None:
            raise LiveOfferError("The fragment has a line that is not SDP.", cure=_CURE)
        if not line.startswith("a="):
            continue
        name, _, value = line[2:].partition(":")
        names.add(name.strip())
        if name in said:
            said[name].add(value.strip())
        elif name == "candidate":
            try:
                candidates.append(candidate_from_sdp(value))
            except (ValueError, AssertionError, IndexError) as error:
                raise LiveOfferError("A candidate in the fragment cannot be read.", cure=_CURE) from error
    if not names & {"candidate", "end-of-candidates", "ice-ufrag"}:
        raise LiveOfferError("The fragment has neither candidates nor credentials.", cure=_CURE)
    return Fragment(
        username_fragment=_one(said["ice-ufrag"], UFRAG),
        password=_one(said["ice-pwd"], PASSWORD),
        lite="ice-lite" in names,
        mids=frozenset(said["mid"]),
        candidates=tuple(candidates),
    )


def _one(values: set[str], grammar: re.Pattern[str]) -> str | None:
    """Return a credential; every section of a bundle repeats it (RFC 8843 section 9.1)."""
    if not values:
        return None
    if len(values) > 1 or grammar.fullmatch(value := values.pop()) is None:
        raise LiveOfferError("The fragment's ICE credentials are malformed, or differ.", cure=_CURE)
    return value


def check_precondition(if_match: str | None, etag: str) -> bool:
    """Return whether ``If-Match`` names this very ICE session, and not just whichever there is (``*``).

    Raises:
        LivePreconditionError: it is missing (428), or names another one (412); RFC 9110 section 13.1.1, RFC 6585
            section 3. The draft's own example puts quotation marks around the star, so that is taken for one too.
    """
    if if_match is None:
        missing = LivePreconditionError("A PATCH needs If-Match.", cure="Send the latest ETag of this view.")
        missing.status = 428
        raise missing
    tags = [found.groups() for found in _TAG.finditer(if_match)]
    # Strong comparison: a weak tag matches nothing (RFC 9110 section 8.8.3.2).
    if any(strong == etag and not weak for _, weak, strong in tags):
        return True
    if any(star for star, _, _ in tags):
        return False
    raise LivePreconditionError("If-Match names another ICE session.", cure="Send the latest ETag of this view.")


def write_fragment(offer: Offer, ice: RTCIceParameters, candidates: Sequence[RTCIceCandidate]) -> str:
    """Return our side of a restart: credentials and every candidate, under the section that carries the bundle."""
    accepted = [section for section in offer.sections if section.coding]
    lines = ["a=ice-options:trickle"]
    if offer.bundled:
        lines.append(f"a=group:BUNDLE {' '.join(section.mid for section in accepted)}")
    carrier = accepted[0]
    lines.append(f"m={carrier.kind} 9 {carrier.protocol} {carrier.formats}")
    if carrier.mid:
        lines.append(f"a=mid:{carrier.mid}")
    lines += [f"a=ice-ufrag:{ice.usernameFragment}", f"a=ice-pwd:{ice.password}"]
    lines += [f"a=candidate:{candidate_to_sdp(candidate)}" for candidate in candidates]
    return "\r\n".join([*lines, "a=end-of-candidates", ""])


class IceTurns:
    """The ICE sessions of one view, one after another: what a fragment is to the present one."""

    def __init__(self, offer: Offer) -> None:
        self._mids = {section.mid for section in offer.sections}
        self._theirs = offer.ice
        self._past: set[str | None] = set()

    def restarts(self, fragment: Fragment) -> RTCIceParameters | None:
        """Return the viewer's new credentials, or ``None`` for candidates of the present session.

        A restart is known by its user fragment and by nothing else (section 4.4.3).

        Raises:
            LiveOfferError: new credentials are not whole.
            LiveFragmentError: it cannot be taken: credentials that were replaced before, half changed ones, or a media
                section that is not in this view.
        """
        if not fragment.mids <= self._mids:
            raise LiveFragmentError("The fragment names a media section that is not in the offer.", cure=_CURE)
        name, password = fragment.username_fragment, fragment.password
        if name in {None, self._theirs.usernameFragment}:
            if password not in {None, self._theirs.password}:
                raise LiveFragmentError(
                    "The password is new and the user fragment is not.",
                    cure="Change both, or neither.",
                )
            return None
        if name in self._past:
            raise LiveFragmentError("These ICE credentials were replaced by newer ones.", cure="Restart with new ones.")
        if password is None:
            raise LiveOfferError("A new ice-ufrag came without its ice-pwd.", cure=_CURE)
        return RTCIceParameters(usernameFragment=name, password=password, iceLite=fragment.lite)

    def turn(self, theirs: RTCIceParameters) -> None:
        """Note that a restart began."""
        self._past.add(self._theirs.usernameFragment)
        self._theirs = theirs
