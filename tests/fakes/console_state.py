"""What the console's fake gateway knows, and the knobs that put the page into a state."""

import math
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection

from kernel.clock import NS_PER_S, Clock, utc
from tests.fakes import console_hosts
from tests.fakes.console_borough import PRESETS, cameras

EVERY_PERMISSION = [
    "signed_in",
    "view_live",
    "view_recorded",
    "steer",
    "export",
    "enrol",
    "supervise",
    "administer",
    "audit",
]
USER = {
    "id": "u1",
    "username": "mary",
    "name": "Mary Ellis",
    "role": "administrator",
    "permissions": EVERY_PERMISSION,
}


@dataclass
class FakeBorough:
    """What the fake gateway knows, and the knobs that put the page into a state."""

    clock: Clock
    face: str = "ready"
    """One of ready, setup, signed-out, empty, forbidden, failed, viewer, faults, stick, and of hosts: host-down,
    host-silent, host-version, hosts-busy, hosts-failed, hosts-forbidden, one-host, of health: health, health-none,
    health-failed, health-host, health-new, health-team and health-deployments (who deploys too), health-broker;
    deployments and deployments-withdrawn: for who deploys; and of units: units, units-none, units-failed,
    units-forbidden, units-operator."""
    cameras: list[dict[str, Any]] = field(default_factory=cameras)
    presets: list[dict[str, str]] = field(default_factory=lambda: [dict(preset) for preset in PRESETS])
    bounds: dict[str, Any] = field(default_factory=lambda: {"limits": [], "zones": [], "confirmed": True, "told": True})
    commands: list[dict[str, Any]] = field(default_factory=list)
    """Everything that came over the steering sockets, in order."""
    audit_asked: list[dict[str, str]] = field(default_factory=list)
    """Questions to the audit about who saw what, as they came."""
    record_asked: list[dict[str, str]] = field(default_factory=list)
    """What was asked for of the record itself."""
    exports: list[tuple[str, str]] = field(default_factory=list)
    providers: list[dict[str, str]] = field(default_factory=list)
    """Start and end of each clip that was asked for."""
    hosts: list[dict[str, Any]] = field(default_factory=list)
    hosts_asked: int = 0
    views: list[tuple[str, str]] = field(default_factory=list)
    """What came for each live view, in order: POST or DELETE, and the camera."""
    refused_offers: int = 0
    """Those for cameras whose host is away."""
    shown: dict[int, dict[str, str]] = field(default_factory=dict)
    """By number, headers of answers that tell of another stream than was asked for, or of a conversion."""
    put_off: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What needs somebody and waits, by camera and kind."""
    references: dict[str, str] = field(default_factory=dict)
    """When each camera's reference view was taken."""
    units: dict[str, dict[str, Any]] | None = None
    """Deployable units by label, once they were asked for (console_units)."""
    told_units: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """What each unit was told: label, command, body."""
    camera_password: str | None = None
    """Since when a camera has a random password."""
    event_brokers: list[dict[str, str]] = field(default_factory=list)
    """At which brokers cameras publish their events; those from number 3 on have no such thing."""
    enrolled: list[dict[str, Any]] = field(default_factory=list)
    """What was said of each camera that was enrolled."""
    labels_printed: list[list[tuple[str, str]]] = field(default_factory=list)
    """What was asked for of each sheet of labels."""
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    signed_in: bool = True

    def __post_init__(self) -> None:
        """Turn the knob."""
        self.signed_in = self.face not in ("setup", "signed-out")
        if self.face == "empty":
            self.cameras = []
        if self.face == "faults":
            self._break()
        if self.face in {"health", "health-team"}:
            self.references[self.cameras[4]["id"]] = self.iso(-40 * 86_400)
        if self.face == "stick":
            self.cameras[0]["state"]["stick"] = {"holder": "B. Jones", "user_id": "u2", "idle_s": 12, "mine": False}

        self.hosts = console_hosts.hosts(self.cameras, 1 if self.face == "one-host" else 2)
        away = {"host-down": "host.unreachable", "host-silent": "host.silent", "host-version": "host.version"}
        if self.face in away:
            self.down(1, away[self.face])
        if self.face == "hosts-busy":
            self.cameras[2]["state"]["live"] = "retrying"
            self.cameras[2]["state"]["recording"] = {"main": False, "sub": False, "cause": "network"}
            full = {"record_lane_max_bytes": 11_000_000, "cpu_percent": 93.0, "loop_lag_p99_ms": 68.0}
            self.hosts[0]["load"] |= full | {"viewers": 200, "transcodes": 2}

    def down(self, index: int, code: str = "host.unreachable") -> None:
        """Take a host away, and its cameras with it."""
        console_hosts.down(self.hosts[index], self.cameras, code)

    def back(self, index: int) -> None:
        """Bring it back."""
        console_hosts.back(self.hosts[index], self.cameras)

    def _break(self) -> None:
        locked = (
            "Give it the right one; a camera locks itself after a few wrong ones, so it is not tried again by itself."
        )
        trouble = [
            ("retrying", "camera.unreachable", "The camera does not answer.", "Check its power and its network cable."),
            ("parked", "camera.unauthorized", "The camera refuses the password.", locked),
        ]
        for camera, (live, code, title, cure) in zip(self.cameras[1:], trouble, strict=False):
            camera["state"] |= {
                "live": live,
                "problem": {"type": code, "title": title, "cure": cure},
                "recording": {"main": False, "sub": False, "cause": "network"},
            }
        self.cameras[4]["state"]["recording"] = {"main": False, "sub": None, "cause": "storage"}

    @property
    def user(self) -> dict[str, Any]:
        """Who is signed in."""
        if self.face in {"viewer", "health-viewer"}:
            return USER | {"role": "viewer", "permissions": ["signed_in", "view_live", "view_recorded"]}
        if self.face in {"deployments", "deployments-withdrawn"}:
            return USER | {"permissions": [*EVERY_PERMISSION, "deploy", "decide_deployment"]}
        if self.face in {"units-operator", "units-forbidden"}:
            return USER | {"role": "operator", "permissions": ["signed_in", "view_live", "view_recorded", "deploy"]}
        if self.face.startswith("units") or self.face in {"health-team", "health-deployments"}:
            return USER | {"permissions": [*EVERY_PERMISSION, "deploy"]}
        return USER

    def iso(self, offset_s: float = 0.0) -> str:
        """Return the time now, shifted, as the API writes it."""
        moment = utc(self.clock.wall_ns() + round(offset_s * NS_PER_S))
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def turn(self, elapsed_s: float) -> None:
        """Move the head that is being steered."""
        pan, _, zoom = self.velocity
        head = self.cameras[0]["state"]["head"] if self.cameras else None
        if head is None:
            return
        head["bearing_deg"] = (head["bearing_deg"] + pan * 60 * elapsed_s) % 360
        head["hfov_deg"] = min(60.0, max(2.5, head["hfov_deg"] * math.exp(-zoom * elapsed_s)))
        head["moving"] = self.velocity != (0.0, 0.0, 0.0)


def borough_of(request: HTTPConnection) -> FakeBorough:
    """Return the borough of the application that a request came to."""
    found: FakeBorough = request.app.state.borough
    return found
