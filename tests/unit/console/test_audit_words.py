"""Everything that is recorded has its words in the console."""

import json
import subprocess

from gateway.audit.events import Action
from gateway.deployments.steps import NAMES
from gateway.units.report import Cause
from tests.unit.console.test_javascript import ROOT, node

APP = "./gateway/console/static/app"


def read(script: str) -> object:
    """Return what a script of ours prints, as Node runs it."""
    done = subprocess.run(
        [node(), "--input-type=module", "--eval", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_every_act_has_its_words() -> None:
    """None is missing, and none is of an act that is gone."""
    # The module is read as text: what it imports is for a browser.
    text = (ROOT / APP / "audit-words.js").read_text(encoding="utf-8")
    table = text[text.index("const DID = {") : text.index("};", text.index("const DID = {")) + 2]
    said = read(f"{table} process.stdout.write(JSON.stringify(DID))")
    assert isinstance(said, dict)
    assert set(said) == {action.value for action in Action}
    assert [action for action, words in said.items() if len(words.split()) < 2] == []


def test_every_cause_of_a_refusal_has_its_words() -> None:
    """What is refused of a unit is told in words in its panel, whichever the cause."""
    said = read(f"import {{CAUSES_KNOWN}} from '{APP}/units.js'; process.stdout.write(JSON.stringify(CAUSES_KNOWN))")
    assert isinstance(said, list)
    assert set(said) == {cause.value for cause in Cause}


def test_every_step_of_a_deployment_is_an_act() -> None:
    """What a deployment's log can say the audit can say too."""
    assert {f"deployment.{name}" for name in NAMES.values()} <= {action.value for action in Action}
