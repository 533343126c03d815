"""Steering: who holds the stick, the controller of one head, presets, aiming.

Design note: docs/design/steering.md.
"""

from ptz.arbitration import Holder, Priority, Stick, StickState
from ptz.controller import HeadController
from ptz.errors import SteeringError
from ptz.opening import open_controller
from ptz.ports import Head
from ptz.state import HeadState

__all__ = [
    "Head",
    "HeadController",
    "HeadState",
    "Holder",
    "Priority",
    "SteeringError",
    "Stick",
    "StickState",
    "open_controller",
]
