"""What can keep a simulated borough from running.

SimulatorError
├── PortTakenError      somebody else listens where a camera should
├── NoSuchCameraError   a number that no camera has
└── NoSuchUnitError     a label that no deployable unit has
"""

from kernel.errors import SightlineError


class SimulatorError(SightlineError):
    """Root of this tree."""

    code = "simulator.error"


class PortTakenError(SimulatorError):
    """Somebody else listens where a camera should, or the address is not this machine's."""

    code = "simulator.port-taken"


class NoSuchCameraError(SimulatorError):
    """No camera has that number."""

    code = "simulator.no-such-camera"


class NoSuchUnitError(SimulatorError):
    """No deployable unit has that label."""

    code = "simulator.no-such-unit"
