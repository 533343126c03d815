"""One deployable unit, stepped by the clock: what is true of it at this instant, and what has happened to it.

Pure: nothing here opens a port or awaits. ``telling`` makes messages of it, ``client`` sends them.
"""

import enum
import math
import random
from collections import deque
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any
from uuid import UUID, uuid5

from drivers.simulator.town.town import PLANE
from drivers.simulator.units import sky
from drivers.simulator.units.battery import Battery
from drivers.simulator.units.faults import UnitFaults
from drivers.simulator.units.gnss import Gnss
from drivers.simulator.units.movement import Move, Post, Where, flight, journey
from drivers.simulator.units.own_clock import OwnClock
from drivers.simulator.units.radio import OPERATORS, Air, Modem
from kernel.clock import NS_PER_S, Clock
from kernel.geography import Place, bearing_wrap

CAPACITY_WH = 720.0
BACKUP_WH = 6.0
"""What is left in the box itself when it is torn from the battery pack on its post."""
NEARLY_FLAT_WH = 0.3
"""Two minutes."""
BOOT_S = 12.0
GOODBYE_S = 4.0
"""From the word that it will be off until it is."""
FIRMWARE = "4.2.1"
DISK_BYTES = 256_000_000_000
LOW_SHARE, LOW_OVER_SHARE = 0.15, 0.2
_IDLE_W, _STREAMING_W, _HEATER_W, _MODEM_W = 7.0, 2.5, 8.0, 2.0
_MAINS_W, _PANEL_W = 60.0, 80.0
_HEATS_BELOW_C = 3.0
_STEP_MAX_S = 60.0
_WARMS_S = 1800.0
_RECORDING_BYTES_S = 375_000.0
_ADDRESSES = IPv4Network("127.64.0.0/28")
"""A network's pool: few enough that several units are met behind one address."""
_URNS = UUID("6d3c1a52-6f0e-4b55-9d0b-2d7c7f1f7b11")


class Power(enum.Enum):
    """What a unit's processor does."""

    OFF = "off"
    BOOTING = "booting"
    ON = "on"
    CLOSING = "closing"
    """It has said that it will be off, and has a moment to send that."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened. ``time`` is by the unit's own clock."""

    kind: str
    body: dict[str, Any]
    time: str


def label_of(number: int) -> str:
    """Return what is printed on a unit, and the common name of its certificate: ``D017``."""
    return f"D{number:03d}"


class Unit:
    """One box. Turn ``faults``; give orders by :meth:`deploy` and :meth:`reboot`; then :meth:`step`."""

    def __init__(  # noqa: PLR0913 - what a unit is made of
        self,
        number: int,
        *,
        seed: int,
        air: Air,
        clock: Clock,
        post: Post,
        faults: UnitFaults | None = None,
        fixed_host: str | None = None,
    ) -> None:
        self.number = number
        self.label = label_of(number)
        self.serial = f"SIMD{seed % 10_000:04d}{number:04d}"
        self.urn = f"urn:uuid:{uuid5(_URNS, f'{seed}/{number}')}"
        self.faults = faults or UnitFaults()
        self.power = Power.ON
        self.boot = ""
        """Of this boot: another random one each time."""
        self.attaches = 0
        """How often the modem has attached to the network: each time it is given an address."""
        self.host = fixed_host or "127.0.0.1"
        self.http_port, self.rtsp_port = 80, 554
        """Its address now; who keeps its servers says on which ports."""
        self.post = post
        """Where it was last set up."""
        self.events: deque[Event] = deque(maxlen=64)
        """What happened and was not told yet."""
        self.streaming = False
        """Somebody takes its pictures."""
        self.sent_bytes = 0
        """By its modem, since it was first switched on."""
        self.thin = False
        """Told to send as little as it can: the sub stream."""
        self.budget_bytes: int | None = None
        self._fixed_host = fixed_host
        """Where its network gives out ports alone."""
        self._rng = random.Random(f"unit {seed}/{number}")  # noqa: S311 - a drawing
        self._seed = seed
        self._clock = clock
        self._own = OwnClock(clock, self.faults)
        self.modem = Modem(air, OPERATORS[number % len(OPERATORS)])
        self.gnss = Gnss(self._rng)
        self._now_ns = clock.monotonic_ns()
        self.battery = Battery(capacity_wh=CAPACITY_WH, energy_wh=CAPACITY_WH * self._rng.uniform(0.7, 1.0))
        self._move: Move | None = None
        self._goal: Post | None = None
        self._lying_at: Where | None = None
        """Where it was left by whoever took it, if anybody did."""
        self._turned_deg, self._pitch_deg, self._roll_deg = 0.0, 0.0, 0.0
        self.box_c = sky.celsius(clock.wall_ns(), seed) + 5.0
        self._until_s = self._now_s
        self._attached_s = self._now_s
        self._was = UnitFaults()
        self._was_low = False
        self._recorded_bytes = DISK_BYTES * self._rng.uniform(0.3, 0.9)
        self.since = self.time()
        self._boot_up()

    # --- what is true of it

    @property
    def _now_s(self) -> float:
        return self._now_ns / NS_PER_S

    def time(self) -> str:
        """Return its own clock's time (RFC 3339)."""
        return self._own.told()

    @property
    def clock_error_s(self) -> float:
        """Return its clock's time minus the true time."""
        return self._own.error_s

    @property
    def energy_wh(self) -> float:
        """Return what is in its battery."""
        return self.battery.energy_wh

    @property
    def where(self) -> Where:
        """Return where it is."""
        if self._move is not None:
            return self._move.where(self._now_s)
        return self._lying_at or Where(self.post.at, self.post.height_m, None, 0.0)

    @property
    def place(self) -> Place:
        """Return the same in degrees."""
        here = self.where
        return PLANE.to_place(here.at[0], here.at[1], here.height_m)

    @property
    def carried(self) -> bool:
        """Return whether somebody has it in hand or in a van; its camera then sees the inside of a bag."""
        return self._move is not None

    @property
    def bearing_deg(self) -> float:
        """Return which way its camera looks at 0 degrees pan."""
        course = self.where.course_deg
        return bearing_wrap((self.post.bearing_deg if course is None else course) + self._turned_deg)

    @property
    def lean_deg(self) -> tuple[float, float]:
        """Return pitch (up) and roll (clockwise)."""
        if self.where.course_deg is None:
            return self._pitch_deg, self._roll_deg
        swing = math.sin(self._now_s * 2.3) * 4.0
        return self._pitch_deg + swing, self._roll_deg + swing / 2.0

    @property
    def case_open(self) -> bool:
        """Return whether somebody could reach in."""
        return self.faults.case_open or self.faults.stolen

    @property
    def running(self) -> bool:
        """Return whether its programs run, so that it can speak."""
        return self.power in {Power.ON, Power.CLOSING}

    @property
    def linked(self) -> bool:
        """Return whether the network would carry something."""
        return self.running and self.modem.signal is not None and not (self.faults.lost_link or self.faults.cut_link)

    def source(self) -> str:
        """Return what it lives on: ``mains``, ``solar`` or ``battery``."""
        if self._on_mains:
            return "mains"
        return "solar" if self._solar_w >= self._load_w else "battery"

    def free_bytes(self) -> int:
        """Return what is free on its disk; it records over the oldest when a twentieth is left."""
        return max(round(DISK_BYTES - self._recorded_bytes), DISK_BYTES // 20)

    def jitter(self, size: float) -> float:
        """Return a sensor's noise."""
        return self._rng.uniform(-size, size)

    # --- what is done to it

    def deploy(self, post: Post) -> None:
        """Have it taken to a post: carried along the streets in a van, then lifted; its mains come with the post."""
        self._begin(journey(self._now_s, self.where, post), post)

    def stand(self, post: Post) -> None:
        """Have it set up at a post by now: nobody tells how it came there."""
        # What its knobs asked for until now has happened elsewhere.
        self._turn_of_events()
        self.post, self._move, self._goal, self._lying_at = post, None, None, None

    def reboot(self) -> None:
        """Start anew after a goodbye: another boot, another address."""
        if self.power is Power.ON:
            self._say_goodbye()

    def sent(self, size_bytes: int) -> None:
        """Count what its modem has sent; beyond its budget it sends as little as it can."""
        self.sent_bytes += size_bytes
        self.thin = self.thin or self.over_budget

    @property
    def over_budget(self) -> bool:
        """Return whether it has sent more than it may."""
        return self.budget_bytes is not None and self.sent_bytes > self.budget_bytes

    def step(self) -> None:
        """Bring it to the clock's present."""
        duration_s = (self._clock.monotonic_ns() - self._now_ns) / NS_PER_S
        end_ns = self._clock.monotonic_ns()
        self._turn_of_events()
        parts = max(1, math.ceil(duration_s / _STEP_MAX_S))
        for _ in range(parts):
            self._now_ns += round(duration_s / parts * NS_PER_S)
            self._pass(duration_s / parts)
        self._now_ns = end_ns

    # --- within

    @property
    def air_c(self) -> float:
        """Return the temperature around it."""
        return sky.celsius(self._clock.wall_ns(), self._seed) + self.faults.warmer_by_c

    @property
    def _on_mains(self) -> bool:
        set_up = self._move is None and self._lying_at is None
        return set_up and self.post.mains and not (self.faults.no_charging or self.faults.flat_battery)

    @property
    def _solar_w(self) -> float:
        dark = self.carried or self.faults.no_charging or self.faults.flat_battery or self._lying_at is not None
        return 0.0 if dark else _PANEL_W * sky.sun(self._clock.wall_ns(), self._seed)

    @property
    def _load_w(self) -> float:
        if self.power is Power.OFF:
            return 0.0
        heater = _HEATER_W if self.air_c < _HEATS_BELOW_C else 0.0
        return _IDLE_W + _MODEM_W + heater + (_STREAMING_W if self.streaming else 0.0)

    def _happened(self, kind: str, **body: Any) -> None:
        if self.running:
            self.events.append(Event(kind, body, self.time()))

    def _begin(self, move: Move, goal: Post | None) -> None:
        self._move, self._goal, self._lying_at = move, goal, None
        self._happened("moved")

    def _turn_of_events(self) -> None:
        """Do what a knob asks for the moment it is turned."""
        now, was = self.faults, self._was
        if now.knocked is not was.knocked:
            self._turned_deg = self._rng.choice((-1, 1)) * self._rng.uniform(15.0, 40.0) if now.knocked else 0.0
            self._pitch_deg = -self._rng.uniform(5.0, 12.0) if now.knocked else 0.0
            self._roll_deg = self._rng.uniform(-10.0, 10.0) if now.knocked else 0.0
            if now.knocked:
                self._happened("shock", peak_g=round(self._rng.uniform(3.0, 6.0), 1))
        if now.stolen and not was.stolen:
            self._happened("shock", peak_g=round(self._rng.uniform(5.0, 9.0), 1))
            self.battery.energy_wh = min(self.battery.energy_wh, self.battery.locked_wh(self.air_c) + BACKUP_WH)
            self._begin(flight(self._now_s, self.where), None)
        elif was.stolen and not now.stolen:
            self._lying_at, self._move = self.where, None
        if (now.case_open or now.stolen) and not (was.case_open or was.stolen):
            self._happened("tamper")
        if now.flat_battery and not was.flat_battery:
            nearly_wh = self.battery.locked_wh(self.air_c) + NEARLY_FLAT_WH
            self.battery.energy_wh = min(self.battery.energy_wh, nearly_wh)
        for name in was.__dataclass_fields__:
            setattr(was, name, getattr(now, name))

    def _pass(self, duration_s: float) -> None:
        self._own.step(duration_s)
        self._arrive()
        self.box_c += (self.air_c + 0.6 * self._load_w - self.box_c) * -math.expm1(-duration_s / _WARMS_S)
        charge_w = _MAINS_W if self._on_mains else self._solar_w
        self.battery.step(duration_s, load_w=self._load_w, charge_w=charge_w, celsius=self.air_c)
        self._supply()
        if not self.running:
            return
        self._warn()
        if not self.faults.disk_fault:
            self._recorded_bytes += _RECORDING_BYTES_S * duration_s
        self._listen(duration_s)
        here = self.where
        if self.faults.no_gnss:
            self.gnss.off()
        else:
            self.gnss.step(duration_s, here.at, sky=0.4 if self.carried else 0.8, drift_m=self.faults.gnss_drift_m)

    def _arrive(self) -> None:
        if self._move is not None and self._goal is not None and self._now_s >= self._move.ends_s:
            self.post, self._move, self._goal = self._goal, None, None

    def _supply(self) -> None:
        """Go from one state of power to the next."""
        flat = self.battery.flat(self.air_c) and not self._on_mains
        if flat and self.power is not Power.OFF:
            if self.power is Power.ON and not self.faults.stolen:
                self._say_goodbye()
            elif self.power is not Power.CLOSING:
                self._go_off()
        if self.power is Power.CLOSING and self._now_s >= self._until_s:
            self._go_off()
            if not flat:
                self.power, self._until_s = Power.BOOTING, self._now_s + BOOT_S
        elif self.power is Power.OFF:
            # It waits for a little more than it went off with, or it would come and go.
            spare_wh = self.battery.energy_wh - self.battery.locked_wh(self.air_c)
            if self._on_mains or spare_wh > 0.03 * CAPACITY_WH:
                self.power, self._until_s = Power.BOOTING, self._now_s + BOOT_S
        elif self.power is Power.BOOTING and self._now_s >= self._until_s:
            self._boot_up()

    def _boot_up(self) -> None:
        self.power = Power.ON
        # A borough that is started again has the same seed, and its units boot again: what they say is no replay.
        self.boot = str(UUID(int=self._rng.getrandbits(128) ^ self._clock.wall_ns(), version=4))
        self._own.set_right()
        self._was_low = False
        self.events.clear()

    def _say_goodbye(self) -> None:
        self._happened("shutdown")
        self.power, self._until_s = Power.CLOSING, self._now_s + GOODBYE_S

    def _go_off(self) -> None:
        self.power = Power.OFF
        self.modem.off()
        self.gnss.off()
        self.streaming = False

    def _warn(self) -> None:
        share = self.battery.share
        if share < LOW_SHARE and not self._was_low:
            self._was_low = True
            self._happened("low_battery")
        elif share > LOW_OVER_SHARE:
            self._was_low = False

    def _listen(self, duration_s: float) -> None:
        """Let the modem listen, and take another address with each attach."""
        served = self.modem.signal is not None
        self.modem.step(duration_s, self.where.at, indoors_db=8.0 if self.carried else 0.0)
        every_s = self.faults.new_address_s
        due = every_s > 0.0 and self._now_s - self._attached_s >= every_s
        if self.modem.signal is not None and (due or not served):
            self._attached_s = self._now_s
            self.attaches += 1
            if self._fixed_host is not None:
                return
            others = [str(host) for host in _ADDRESSES.hosts() if str(host) != self.host]
            self.host = self._rng.choice(others)
