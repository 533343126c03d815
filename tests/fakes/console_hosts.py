"""The camera hosts that the console's fake gateway tells of, and what becomes of their cameras when one dies."""

import math
from typing import Any

from tests.fakes.load import host_load

AWAY = {
    "host.unreachable": (
        "The camera host at /run/sightline/host-1.sock does not answer (ConnectError).",
        "It is restarted by itself; look at its log if this lasts.",
    ),
    "host.silent": (
        "The camera host at /run/sightline/host-1.sock does not answer (ReadTimeout).",
        "It is restarted by itself; look at its log if this lasts.",
    ),
    "host.version": (
        "The camera host sightline-host@1 is of another version (0.2.0, wire 3); it keeps recording what it has.",
        "Restart it so that it runs what is installed: systemctl restart sightline-host@1.",
    ),
}


def hosts(cameras: list[dict[str, Any]], count: int = 2) -> list[dict[str, Any]]:
    """Return hosts as ``GET /api/v1/hosts`` gives them, all up, and share the cameras out among them."""
    for position, camera in enumerate(cameras):
        camera["host"] = position % count
        camera["recording"] = True
    return [
        {
            "index": index,
            "name": f"sightline-host@{index}",
            "up": True,
            "problem": None,
            "restart": f"systemctl restart sightline-host@{index}",
            "version": "0.2.0",
            "cameras": {},
            "load": host_load(cpu_percent=61.5 - 7 * index, mbit_s=1874.3 - 22 * index).model_dump(),
        }
        for index in range(count)
    ]


def counted(host: dict[str, Any], cameras: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a host with its cameras counted."""
    own = [camera["state"] for camera in cameras if camera["host"] == host["index"]]
    recording: int | None = sum(state["recording"]["main"] for state in own)
    if host["problem"] is not None and host["problem"]["type"] != "host.unreachable":
        recording = None
    live = sum(state["live"] == "live" for state in own)
    return host | {
        "cameras": {"assigned": len(own), "live": live, "to_record": len(own), "recording": recording},
    }


def drift(load: dict[str, Any], turn: int) -> dict[str, Any]:
    """Return a load that goes up and down a little with every question, as real ones do."""
    wave = math.sin(turn / 4)
    return load | {
        "cpu_percent": load["cpu_percent"] + 5 * wave,
        "mbit_s": load["mbit_s"] + 40 * math.sin(turn / 7),
        "loop_lag_p99_ms": load["loop_lag_p99_ms"] + 3 * abs(wave),
    }


def down(host: dict[str, Any], cameras: list[dict[str, Any]], code: str) -> None:
    """Take a host away for a reason, and its cameras with it."""
    title, cure = AWAY[code]
    problem = {"type": code, "title": title, "cure": cure}
    host |= {"up": False, "load": None, "problem": problem}
    for camera in cameras:
        if camera["host"] == host["index"]:
            camera["state"] = camera["state"] | {
                "live": "off",
                "problem": problem,
                "recording": {"main": False, "sub": None, "cause": title},
            }


def back(host: dict[str, Any], cameras: list[dict[str, Any]]) -> None:
    """Bring a host back, and its cameras with it."""
    host |= {"up": True, "load": host_load().model_dump(), "problem": None}
    for camera in cameras:
        if camera["host"] == host["index"]:
            camera["state"] = camera["state"] | {
                "live": "live",
                "problem": None,
                "recording": {"main": True, "sub": True, "cause": None},
            }


def viewers(cameras: list[dict[str, Any]], since: str) -> list[dict[str, Any]]:
    """Return who watches through the first host, as ``GET /api/v1/hosts/0/viewers`` gives them."""
    people = (
        # who, address, stream, converted, connected, loss, rtt, kind
        ("Mary Ellis", "10.0.4.17", "main", False, True, 0.0, 0.6, "webrtc"),
        ("Bryn Jones", "10.0.4.21", "sub", False, True, 0.1, 0.9, "webrtc"),
        ("Duty desk", "10.0.4.30", "sub", True, True, 0.0, 1.2, "webrtc"),
        ("PC Okafor", "82.132.214.9", "sub", False, True, 6.4, 141.0, "webrtc"),
        ("PC Lindqvist", "82.132.219.80", "sub", False, False, 0.0, None, "webrtc"),
        ("Met, VMS 2", "203.0.113.7", "main", False, True, 0.0, None, "rtsp"),
    )
    own = [camera for camera in cameras if camera["host"] == 0]
    return [
        {
            "id": f"v{position}",
            "camera": own[position % len(own)]["id"],
            "number": own[position % len(own)]["number"],
            "stream": stream,
            "transcoded": transcoded,
            "kind": kind,
            "outlet": "",
            "who": who,
            "user_id": f"u{position}",
            "address": address,
            "since": since,
            "connected": connected,
            "loss_percent": loss,
            "packets_lost": 0,
            "retransmitted": 0,
            "rtt_ms": rtt,
            "frames_sent": 1000,
            "frames_dropped": 0,
            "packets_sent": 9000,
            "bytes_sent": 9_000_000,
        }
        for position, (who, address, stream, transcoded, connected, loss, rtt, kind) in enumerate(people)
    ]
