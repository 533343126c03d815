"""Knobs by name: a dataclass of flags and numbers whose fields a command line, an order or a test turns."""

from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Self


@dataclass(slots=True)
class Knobs:
    """Base of tables of faults. Each field is a bool, an int or a float, and its default is "does everything right"."""

    @classmethod
    def from_names(cls, names: list[str]) -> Self:
        """Return a table with the named knobs on; ``name=value`` sets a number.

        Raises:
            ValueError: no such knob (the nearest is named), or the value is not of its kind.
        """
        knobs = cls()
        for name in names:
            knobs.set(name)
        return knobs

    def set(self, assignment: str) -> None:
        """Turn one knob: ``freeze_picture``, ``freeze-picture=off``, ``packet_loss=0.02``.

        Raises:
            ValueError: no such knob (the nearest is named), or the value is not of its kind.
        """
        name, _, value = assignment.partition("=")
        name = name.strip().replace("-", "_")
        kinds: dict[str, type[bool | int | float]] = {
            field.name: type(getattr(type(self)(), field.name)) for field in fields(self)
        }
        if name not in kinds:
            near = get_close_matches(name, kinds, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            msg = f"There is no fault called {name!r}.{hint}"
            raise ValueError(msg)
        kind: type[bool | int | float] = kinds[name]
        value = value.strip().lower()
        if kind is bool:
            if value not in {"", "on", "off", "true", "false", "1", "0"}:
                msg = f"{name} is on or off, not {value!r}."
                raise ValueError(msg)
            setattr(self, name, value not in {"off", "false", "0"})
            return
        try:
            setattr(self, name, kind(value))
        except ValueError:
            msg = f"{name} needs a number, as in {name}=3, not {value!r}."
            raise ValueError(msg) from None
