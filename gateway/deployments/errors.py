"""What deployments refuse, and why.

DeploymentError (kernel.errors.SightlineError; ``status`` is the HTTP status that fits)
├── UnknownDeploymentError   no such deployment, or photo of one
├── StepError                the step is none that may follow now, or lacks what must come first
├── DeciderError             somebody else must decide
├── WishError                what is said of a step cannot be
├── SentError                another step was sent under the same key
└── TakenError               the unit is deployed elsewhere, or somebody else took a step at the same instant
"""

from kernel.errors import SightlineError


class DeploymentError(SightlineError):
    """Root of this tree."""

    code = "deployment.error"
    status = 409


class UnknownDeploymentError(DeploymentError):
    """No such deployment."""

    code = "deployment.unknown"
    status = 404


class StepError(DeploymentError):
    """The step is none that may follow now, or lacks what must come first."""

    code = "deployment.step"


class DeciderError(DeploymentError):
    """Somebody else must decide."""

    code = "deployment.decider"
    status = 409


class WishError(DeploymentError):
    """What is said of a step cannot be."""

    code = "deployment.refused"
    status = 422


class SentError(DeploymentError):
    """Another step was sent under the same key."""

    code = "deployment.sent"


class TakenError(DeploymentError):
    """The unit is deployed elsewhere, or somebody else took a step at the same instant."""

    code = "deployment.taken"
