"""What a cheap camera answers: enough RTSP (RFC 2326) to be played, and the time over ONVIF."""

import base64
import re
import struct
import time
from collections.abc import Callable

from cheap_cameras.film import PAYLOAD_TYPE, RTP_CLOCK_HZ, SSRC, Film

_NTP_EPOCH_S = 2_208_988_800
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CSEQ = re.compile(rb"cseq: *(\d+)", re.IGNORECASE)
_CAMERA = re.compile(rb"rtsp://[^/ ]+/(\d+)")
_SOAP = """<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema"
 xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><s:Body><tds:GetSystemDateAndTimeResponse>
<tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>
<tt:UTCDateTime><tt:Time><tt:Hour>{t.tm_hour}</tt:Hour><tt:Minute>{t.tm_min}</tt:Minute><tt:Second>{t.tm_sec}</tt:Second>
</tt:Time><tt:Date><tt:Year>{t.tm_year}</tt:Year><tt:Month>{t.tm_mon}</tt:Month><tt:Day>{t.tm_mday}</tt:Day></tt:Date>
</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse></s:Body></s:Envelope>"""


def sender_report(captured: float, timestamp: int) -> bytes:
    """Return an interleaved sender report on channel 1: the picture of ``timestamp`` was taken then (s since 1970)."""
    seconds, fraction = int(captured), int(captured % 1 * 2**32)
    return struct.pack(
        "!BBHBBHIIIIII", 0x24, 1, 28, 0x80, 200, 6, SSRC, seconds + _NTP_EPOCH_S, fraction, timestamp, 0, 0
    )


def description(film: Film) -> bytes:
    """Return the SDP of a film."""
    sets = ",".join(base64.b64encode(nal).decode() for nal in (film.sps, film.pps))
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=control:*\r\n"
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\na=rtpmap:{PAYLOAD_TYPE} H264/{RTP_CLOCK_HZ}\r\n"
        f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={film.sps[1:4].hex()};sprop-parameter-sets={sets}"
        f"\r\na=framerate:{film.shape.frame_rate:g}\r\na=control:video\r\n"
    ).encode()


class Replies:
    """One connection's conversation, RTSP or HTTP."""

    def __init__(self, film: Film, *, play: Callable[[int, int], None], stop: Callable[[int], None]) -> None:
        self._film = film
        self._play = play
        self._stop = stop
        self._unread = b""

    def answer(self, data: bytes, descriptor: int) -> bytes | None:
        """Take what came; return what to send, or ``None`` to close."""
        unread = self._unread + data
        answers = []
        while unread:
            if unread[0] == 0x24:
                stop = 4 + int.from_bytes(unread[2:4], "big") if len(unread) >= 4 else 4
                if len(unread) < stop:
                    break
                unread = unread[stop:]  # receiver reports
                continue
            head, blank, rest = unread.partition(b"\r\n\r\n")
            if not blank:
                break
            length = _LENGTH.search(head)
            size = int(length[1]) if length else 0
            if len(rest) < size:
                break
            body, unread = rest[:size], rest[size:]
            if b" HTTP/1." in head.split(b"\r\n", 1)[0]:
                answers.append(_http(body))
            else:
                answers.append(self._rtsp(head, descriptor))
        self._unread = unread
        return b"".join(answers) if len(unread) < 65536 else None

    def _rtsp(self, head: bytes, descriptor: int) -> bytes:
        method = head.split(b" ", 1)[0].decode("latin-1")
        sequence = _CSEQ.search(head)
        lines = ["RTSP/1.0 200 OK", f"CSeq: {sequence[1].decode() if sequence else 0}"]
        body = b""
        camera = _CAMERA.search(head)
        if method == "OPTIONS":
            lines.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
        elif method == "DESCRIBE":
            body = description(self._film)
            lines += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            lines += ["Session: 1;timeout=60", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]
        elif method == "PLAY" and camera is not None:
            lines.append("Session: 1")
            self._play(descriptor, int(camera[1]))
        elif method == "TEARDOWN":
            self._stop(descriptor)
        elif method != "GET_PARAMETER":
            lines[0] = "RTSP/1.0 501 Not Implemented"
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _http(body: bytes) -> bytes:
    if b"GetSystemDateAndTime" in body:
        content, status = _SOAP.format(t=time.gmtime()).encode(), "200 OK"
    else:
        content, status = b"This camera only tells the time.", "400 Bad Request"
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        + content
    )
