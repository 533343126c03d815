"""What a borough may be, and plain words for what it may not."""

from typing import Any

import pytest
from pydantic import ValidationError

from drivers.simulator.settings import BoroughSettings


def test_faults_of_all_and_of_one() -> None:
    """A knob is turned on every camera, or with a number before it on that one."""
    settings = BoroughSettings(cameras=3, faults=("freeze-picture", "2:packet_loss=0.1"))
    assert [settings.faults_of(number).freeze_picture for number in (1, 2, 3)] == [True, True, True]
    assert [settings.faults_of(number).packet_loss for number in (1, 2, 3)] == [0.0, 0.1, 0.0]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"width": 641}, "641 is odd.*Try 642"),
        ({"sub": (641, 360)}, "641x360 cannot be coded"),
        ({"faults": ("freze_picture",)}, "Did you mean freeze_picture"),
        ({"faults": ("9:freeze_picture",)}, "names no camera"),
        ({"faults": ("x:freeze_picture",)}, "names no camera"),
        ({"faults": ("2:packet_loss=many",)}, "needs a number"),
        ({"cameras": 0}, "greater than or equal to 1"),
        ({"camera": 3}, "Extra inputs"),
    ],
)
def test_refusals(wrong: dict[str, Any], words: str) -> None:
    """What makes no sense is refused in words that name it."""
    with pytest.raises(ValidationError, match=words):
        BoroughSettings(**wrong)
