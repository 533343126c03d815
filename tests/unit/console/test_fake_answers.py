"""The gateway that the console is looked at before answers as the gateway does."""

import pytest

from gateway.api.deployment_models import Deployment
from kernel.clock import SystemClock
from tests.fakes.console_deployments import deployments
from tests.fakes.console_state import FakeBorough


@pytest.mark.parametrize("face", ["deployments", "deployments-withdrawn"])
def test_deployments_have_every_field(face: str) -> None:
    """A field that the gateway has and this one lacks leaves a panel empty in every test that looks at it."""
    for one in deployments(FakeBorough(SystemClock(), face)):
        assert Deployment.model_validate(one).model_dump().keys() == one.keys()
