"""Writing the answer to a viewer's offer (RFC 8829 section 5.3, RFC 9725)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiortc import RTCIceParameters
from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.sdp import candidate_to_sdp

from gateway.live.offer import Offer, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The RTP source of one accepted section."""

    ssrc: int
    rtx_ssrc: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all sections of one answer share."""

    session: str
    cname: str
    ice: RTCIceParameters
    fingerprint: str
    setup: str
    """``active`` or ``passive``."""
    candidates: Sequence[RTCIceCandidate]


def write_answer(offer: Offer, ground: Ground, sources: Mapping[str, Source]) -> str:
    """Return the SDP answer; ``sources`` by media kind. Every candidate is in it, so nothing is trickled to viewers."""
    accepted = [section.mid for section in offer.sections if section.coding]
    lines = ["v=0", f"o=- {int(ground.session[:12], 16)} 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    if offer.bundled:
        lines.append(f"a=group:BUNDLE {' '.join(accepted)}")
    lines.append("a=msid-semantic: WMS *")
    carried = False
    for section in offer.sections:
        if section.coding is None:
            lines += _turned_down(section)
        else:
            lines += _section(section, ground, sources[section.kind])
            if not carried:
                lines += [f"a=candidate:{candidate_to_sdp(candidate)}" for candidate in ground.candidates]
                lines.append("a=end-of-candidates")
                carried = True
    return "\r\n".join(lines) + "\r\n"


def _turned_down(section: Section) -> list[str]:
    lines = [f"m={section.kind} 0 {section.protocol} {section.formats}", "c=IN IP4 0.0.0.0", "a=inactive"]
    return [*lines, f"a=mid:{section.mid}"] if section.mid else lines


def _section(section: Section, ground: Ground, source: Source) -> list[str]:
    coding = section.coding
    assert coding is not None
    formats = [coding.payload_type]
    if coding.rtx_payload_type is not None and source.rtx_ssrc is not None:
        formats.append(coding.rtx_payload_type)
    lines = [
        f"m={section.kind} 9 {section.protocol} {' '.join(map(str, formats))}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=ice-ufrag:{ground.ice.usernameFragment}",
        f"a=ice-pwd:{ground.ice.password}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {ground.fingerprint}",
        f"a=setup:{ground.setup}",
    ]
    if section.mid:
        lines.append(f"a=mid:{section.mid}")
    lines += ["a=sendonly", f"a=msid:{ground.session} {section.kind}"]
    # Both of them in both descriptions (draft-ietf-wish-whep-03 section 4.5.1, RFC 8858 section 4).
    lines += ["a=rtcp-mux", "a=rtcp-mux-only", "a=rtcp-rsize"]
    lines.append(f"a=rtpmap:{coding.payload_type} {coding.name}")
    lines += [f"a=rtcp-fb:{coding.payload_type} {feedback}" for feedback in coding.feedback]
    if coding.fmtp:
        lines.append(f"a=fmtp:{coding.payload_type} {coding.fmtp}")
    if len(formats) > 1:
        clock_hz = coding.name.split("/")[1]
        lines += [f"a=rtpmap:{formats[1]} rtx/{clock_hz}", f"a=fmtp:{formats[1]} apt={coding.payload_type}"]
        lines.append(f"a=ssrc-group:FID {source.ssrc} {source.rtx_ssrc}")
    lines.append(f"a=ssrc:{source.ssrc} cname:{ground.cname}")
    if len(formats) > 1:
        lines.append(f"a=ssrc:{source.rtx_ssrc} cname:{ground.cname}")
    return lines
