"""Knobs are turned by name, on the command line and in tests."""

from dataclasses import fields

import pytest

from drivers.simulator.faults import Faults


def test_names_turn_knobs() -> None:
    """Dashes and underscores are the same; numbers are given with an equals sign."""
    faults = Faults.from_names(["freeze-picture", "packet_loss=0.02", "burst_reboots=3", "drop_link=off"])
    assert (faults.freeze_picture, faults.packet_loss, faults.burst_reboots, faults.drop_link) == (True, 0.02, 3, False)


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("freze_picture", "Did you mean freeze_picture?"),
        ("xyzzy", "There is no fault called 'xyzzy'."),
        ("drop_link=perhaps", "drop_link is on or off"),
        ("packet_loss", "packet_loss needs a number"),
        ("burst_reboots=many", "burst_reboots needs a number"),
    ],
)
def test_what_cannot_be_turned_is_told(assignment: str, sentence: str) -> None:
    """An unknown name names the nearest; a wrong value says what it should be."""
    with pytest.raises(ValueError, match=sentence.replace("?", r"\?")):
        Faults().set(assignment)


def test_every_knob_is_off_by_default() -> None:
    """The default is a camera that does everything right."""
    assert not any(getattr(Faults(), field.name) for field in fields(Faults))
