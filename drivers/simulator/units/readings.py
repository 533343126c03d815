"""What a unit's sensors say: the truth with a little noise, in the fields of its topics (docs/integrate.md)."""

from typing import Any

from drivers.simulator.town.town import PLANE
from drivers.simulator.units.unit import DISK_BYTES, FIRMWARE, Unit
from kernel.geography import bearing_wrap


def states(unit: Unit) -> dict[str, dict[str, Any]]:
    """Return what its sensors say now, by kind; a kind is absent while nothing is known of it."""
    air_c, battery = unit.air_c, unit.battery
    pitch, roll = unit.lean_deg
    said: dict[str, dict[str, Any]] = {
        "battery": {
            "percent": round(battery.share * 100.0, 1),
            "volts": round(battery.volts(air_c), 2),
            "charging": battery.current_a < -0.01,
        },
        "supply": {"source": unit.source()},
        "heading": {"bearing_deg": round(bearing_wrap(unit.bearing_deg + unit.jitter(1.2)), 1) % 360.0},
        "tilt": {
            "pitch_deg": round(pitch + unit.jitter(0.2), 1),
            "roll_deg": round(roll + unit.jitter(0.2), 1),
        },
        "temperature": {"celsius": round(unit.box_c, 1)},
        "case": {"open": unit.case_open},
        "address": {
            "host": unit.host,
            "http_port": unit.http_port,
            "rtsp_port": unit.rtsp_port,
            "urn": unit.urn,
            "serial": unit.serial,
        },
        "firmware": {"version": FIRMWARE},
        "disk": {
            "free_bytes": unit.free_bytes(),
            "size_bytes": DISK_BYTES,
            "fault": unit.faults.disk_fault,
        },
        "data": {"sent_bytes": unit.sent_bytes, "since": unit.since},
    }
    if (signal := unit.modem.signal) is not None:
        said["signal"] = {
            "rsrp_dbm": round(signal.rsrp_dbm + unit.jitter(1.0)),
            "rsrq_db": round(signal.rsrq_db, 1),
            "operator": signal.cell.operator,
            "cell": signal.cell.name,
            "technology": signal.cell.technology,
        }
    if (fix := unit.gnss.fix) is not None:
        found = PLANE.to_place(*fix.at)
        said["position"] = {
            "latitude": round(found.latitude_deg, 7),
            "longitude": round(found.longitude_deg, 7),
            "accuracy_m": round(fix.accuracy_m, 1),
            "satellites": fix.satellites,
        }
    return said
