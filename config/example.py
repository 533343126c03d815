"""Writes example.toml from the models: every key with what it means and its default. ``python -m config.example``."""

import ast
import inspect
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from config.loader import repeated
from config.settings import Settings

EXAMPLE = Path(__file__).with_name("example.toml")
WIDTH = 118
UNSET = {
    "access.breached_passwords": "/var/lib/sightline/pwned-passwords-sha1.txt",
    "server.tls_certificate": "/etc/sightline/tls/fullchain.pem",
    "server.tls_key": "/etc/sightline/tls/privkey.pem",
    "server.database_url": "sqlite+aiosqlite:////srv/sightline/sightline.db",
    "audit.checkpoint_file": "/srv/witness/sightline-checkpoints",
    "audit.witness_mqtt_url": "mqtts://witness.example.org:8883",
    "audit.witness_username": "sightline",
    "audit.witness_password": "the broker's password for sightline",
    "audit.witness_ca": "/etc/sightline/tls/witness-ca.pem",
    "recording.disk_register": "/var/lib/sightline/disks.json",
    "live.turn_urls": ["turn:turn.example.org:3478"],
    "live.turn_secret": "the static-auth-secret of coturn",
    "sharing.test_camera": 1,
    "sharing.certificate_header": "X-Client-Certificate-SHA256",
    "telemetry.broker_url": "mqtts://localhost:8883",
    "telemetry.broker_ca": "/etc/sightline/tls/broker-ca.pem",
    "telemetry.cameras_url": "mqtts://broker.example.org:8884",
    "telemetry.pki_dir": "/var/lib/sightline-mqtt",
    "outward.url": "mqtts://bus.example.org:8883",
    "outward.ca": "/etc/sightline/tls/bus-ca.pem",
    "outward.username": "sightline",
    "outward.password_file": "/etc/sightline/bus.secret",
    "outward.certificate": "/etc/sightline/tls/bus-client.pem",
    "outward.key": "/etc/sightline/tls/bus-client.key",
    "outgoing.tls_certificate": "/etc/sightline/tls/rtsps-fullchain.pem",
    "outgoing.tls_key": "/run/credentials/sightline-host@0.service/tls-key",
    "hosts.socket_dir": "/run/sightline",
    "oidc.id": "borough",
    "oidc.name": "your borough account",
    "oidc.issuer": "https://login.example.org",
    "oidc.client_id": "sightline",
    "oidc.client_secret_file": "/etc/sightline/oidc-borough.secret",
    "oidc.ca_file": "/etc/sightline/tls/borough-ca.pem",
    "oidc.groups": {"cctv-supervisors": "administrator", "cctv-operators": "operator"},
    "map.ground_file": "/etc/sightline/ground.geojson",
    "map.tiles_url": "https://tiles.example.org/{z}/{x}/{y}.png",
    "map.centre": [51.5072, -0.1276],
}
"""A value for each key that has none by default; it stands in the example commented out. All of them can be
uncommented together: a key that means nothing without another one is here with it."""

HEAD = """\
# Sightline's configuration. Every key, what it means, and its default; a key left out keeps its default.
# A line "# key = value" is unset by default and shows the form. Each key can also be given in the environment:
# port of [server] is SIGHTLINE_SERVER__PORT. Check a file with `sightline check-config --config FILE`.
"""


def render() -> str:
    """Return the text of example.toml."""
    parts = [HEAD]
    for name, field in Settings.model_fields.items():
        table = repeated(field.annotation)
        if table is not None:
            parts.append(_table(name, table))
            continue
        model = field.annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        parts.append(_section(name, model))
    return "\n".join(parts)


def _section(name: str, model: type[BaseModel]) -> str:
    lines = [f"[{name}]", *_comment(inspect.getdoc(model) or "")]
    said = _docstrings(model)
    defaults = model()
    for key in model.model_fields:
        lines.append("")
        lines += _comment(said.get(key, ""))
        value = getattr(defaults, key)
        example = UNSET.get(f"{name}.{key}")
        lines.append(f"{key} = {_toml(value)}" if example is None else f"# {key} = {_toml(example)}")
    return "\n".join(lines) + "\n"


def _table(name: str, model: type[BaseModel]) -> str:
    """Return a section that there may be several of, and is none of by default: commented out whole."""
    lines = [*_comment(inspect.getdoc(model) or ""), f"# [[{name}]]"]
    said = _docstrings(model)
    for key, field in model.model_fields.items():
        example = UNSET.get(f"{name}.{key}", field.default)
        lines += ["", *_comment(said.get(key, "")), f"# {key} = {_toml(example)}"]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(" ".join(text.split()), WIDTH)]


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return what stands under each field of a model's class body."""
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(body, ast.ClassDef)
    said: dict[str, str] = {}
    for before, after in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(before, ast.AnnAssign)
            and isinstance(before.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            said[before.target.id] = str(after.value.value)
    return said


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case BaseModel():
            inner = value.model_dump(mode="json", exclude_none=True)
            return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in inner.items()) + " }"
        case dict():
            return "{ " + ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        case int() | float():
            return f"{value:_}" if isinstance(value, int) and value >= 100_000 else repr(value)
        case None:
            msg = "a key without a default needs an example in config/example.py"
            raise ValueError(msg)
        case _:
            return json.dumps(str(value), ensure_ascii=False)


def _key(key: str) -> str:
    """Return a key of an inline table: bare where TOML allows it, else quoted."""
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else json.dumps(key, ensure_ascii=False)


if __name__ == "__main__":
    EXAMPLE.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{EXAMPLE}\n")
