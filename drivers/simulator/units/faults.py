"""The knobs of a deployable unit: what happens to it, and what it says wrongly.

``sightline simulate --fault unit:NAME`` turns one on every unit, ``unit:3:NAME`` on D003. They may be changed while it
runs.
"""

from dataclasses import dataclass

from drivers.simulator.knobs import Knobs


@dataclass(slots=True)
class UnitFaults(Knobs):
    """One unit's misfortunes; the default is a unit to which nothing happens."""

    # --- what happens to it
    stolen: bool = False
    """Turned on: it is knocked, opened, torn from its supply and carried off. Turned off: it lies where it then is."""
    knocked: bool = False
    """Turned on: something hits it, and it stands turned and leaning. Turned off: it is set right."""
    case_open: bool = False
    """Its case is open."""
    flat_battery: bool = False
    """Turned on: the battery lasts two minutes more and is not charged; it warns, says goodbye and is off."""
    no_charging: bool = False
    """Neither mains nor sun reach it."""
    warmer_by_c: float = 0.0
    """Added to the air's temperature: -25 shows what frost does to a battery."""
    disk_fault: bool = False
    """Its disk no longer takes what is written."""
    no_gnss: bool = False
    """It sees no satellites."""
    gnss_drift_m: float = 0.0
    """Its position wanders off by as much, and its accuracy does not say so."""
    # --- its link
    lost_link: bool = False
    """Nothing comes or goes and nobody is told: the broker notices when it has heard nothing for too long."""
    cut_link: bool = False
    """The connection is reset, and cannot be made again: the broker knows at once."""
    new_address_s: float = 0.0
    """It attaches anew, with another address, after each so many seconds (0: only when it must)."""
    # --- its clock
    clock_offset_s: float = 0.0
    """Its clock minus the true time."""
    clock_jump_s: float = 0.0
    """Added to the clock's error the moment it is set."""
    clock_drift_ppm: float = 0.0
    """Its clock gains so many microseconds each second."""
    # --- what it says wrongly
    out_of_order: bool = False
    """Of two messages of a kind the later is sent first."""
    replayed: bool = False
    """Each message but the birth is sent twice."""
    malformed: bool = False
    """Messages end in the middle."""
    oversized: bool = False
    """Messages are padded to 8 KiB."""
    unknown_kind: bool = False
    """Tells its states under kinds that nobody knows."""
    wrong_unit: int = 0
    """Tells its states under the topics of the unit of this number (0: its own)."""
