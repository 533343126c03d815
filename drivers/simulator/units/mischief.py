"""What a unit with a fault puts on the wire in place of a right message."""

from dataclasses import dataclass, field

from drivers.simulator.units.faults import UnitFaults
from drivers.simulator.units.telling import PREFIX
from drivers.simulator.units.unit import label_of

_PADDED_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Wire:
    """A topic in full, and a payload."""

    topic: str
    payload: bytes


@dataclass(slots=True)
class Mischief:
    """Between one unit's messages and its modem; with no knob turned each message goes as it is."""

    label: str
    faults: UnitFaults
    _held: dict[str, Wire] = field(default_factory=dict)

    def right(self, topic: str, payload: bytes) -> Wire:
        """Return what would be sent by a unit that does everything right."""
        return Wire(f"{PREFIX}/{self.label}/{topic}", payload)

    def sent(self, topic: str, payload: bytes) -> list[Wire]:
        """Return what is sent for one message, in order; perhaps nothing yet."""
        faults = self.faults
        label = label_of(faults.wrong_unit) if faults.wrong_unit else self.label
        told = topic.replace("state/", "state/un", 1) if faults.unknown_kind else topic
        wire = Wire(f"{PREFIX}/{label}/{told}", self._spoilt(payload))
        if faults.out_of_order:
            before = self._held.pop(topic, None)
            if before is None:
                self._held[topic] = wire
                return []
            return [wire, before]
        late = self._held.pop(topic, None)
        wires = [wire] if late is None else [late, wire]
        return wires * 2 if faults.replayed else wires

    def _spoilt(self, payload: bytes) -> bytes:
        if self.faults.malformed:
            return payload[: len(payload) // 2]
        if self.faults.oversized:
            padding = b'{"padding":"' + b"x" * _PADDED_BYTES + b'",'
            return padding + payload[1:]
        return payload
