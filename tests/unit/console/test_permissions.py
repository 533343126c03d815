"""Every permission and role that there is has its sentence in the console."""

import json
import subprocess

from gateway.access.permissions import Permission, Role
from tests.unit.console.test_javascript import ROOT, node

MODULE = "./gateway/console/static/app/permissions.js"


def words(name: str) -> dict[str, dict[str, object]]:
    """Return what the console says, as Node reads it."""
    script = f"import {{ {name} }} from '{MODULE}'; process.stdout.write(JSON.stringify({name}))"
    done = subprocess.run(
        [node(), "--input-type=module", "--eval", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said: dict[str, dict[str, object]] = json.loads(done.stdout)
    return said


def test_every_permission_has_a_sentence() -> None:
    """None is missing, none is of a permission that is gone, and each is a sentence."""
    said = words("PERMISSIONS")
    assert set(said) == {permission.value for permission in Permission}
    for name, one in said.items():
        assert one["label"], name
        assert str(one["says"]).endswith("."), name
        assert len(str(one["says"]).split()) >= 3, name


def test_what_is_of_cameras_is_said_to_be() -> None:
    """The console parts permissions as the gateway does."""
    said = words("PERMISSIONS")
    assert {name for name, one in said.items() if not one.get("house")} == {
        permission.value for permission in Permission if permission.of_cameras
    }


def test_every_role_has_its_words() -> None:
    """Each that comes with Sightline, and no other."""
    assert set(words("ROLES")) == {role.value for role in Role}
