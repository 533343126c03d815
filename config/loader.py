"""From a TOML file and ``SIGHTLINE_*`` variables to :class:`Settings`, naming exactly what is wrong.

A variable overrides the file: ``SIGHTLINE_SERVER__PORT=9443`` is ``port`` of ``[server]``. Values of lists and tables
are written as JSON. A variable without a section (``SIGHTLINE_VERSION``) belongs to somebody else and is left alone.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from config.errors import BadValueError, ConfigError, ConfigFileError, UnknownKeyError
from config.settings import Settings

PREFIX = "SIGHTLINE_"


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of ``path`` (none: defaults) and ``environment``.

    Raises:
        ConfigFileError: the file cannot be read or is not TOML.
        UnknownKeyError: a key nobody knows; names the nearest known one.
        BadValueError: a value that its key does not take.
    """
    given = _read(path) if path is not None else {}
    source = str(path) if path is not None else "the environment"
    for name, value in sorted((environment or {}).items()):
        # Without a section it is another tool's, or the command's own SIGHTLINE_CONFIG.
        if name.upper().startswith(PREFIX) and "__" in name[len(PREFIX) :]:
            _override(given, name, value)
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise _explain(error, source) from None


def known_keys(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """Yield every key as ``section.key``."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        table = repeated(inner) if not prefix else None
        if table is not None:
            inner = table
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from known_keys(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def repeated(annotation: Any) -> type[BaseModel] | None:
    """Return the model of a section that there may be several of (``[[section]]``); ``None`` for any other."""
    inner = get_args(annotation)[0] if get_origin(annotation) is tuple else None
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise ConfigFileError(
            f"There is no configuration file {path}.", cure="Give its place with --config, or leave it out."
        ) from None
    except OSError as error:
        raise ConfigFileError(
            f"The configuration file {path} cannot be read: {error.strerror}.",
            cure="Let the user who runs Sightline read it.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigFileError(
            f"The configuration file {path} is not TOML: {error}.",
            cure="Mend that line; config/example.toml shows how.",
        ) from None


def _override(given: dict[str, Any], name: str, value: str) -> None:
    keys = name[len(PREFIX) :].lower().split("__")
    parsed: Any = value
    if value.lstrip()[:1] in {"[", "{"}:
        try:
            parsed = json.loads(value)
        except ValueError:
            raise BadValueError(f"{name} is not JSON: {value!r}.", cure='Write lists as in ["a", "b"].') from None
    table = given
    for key in keys[:-1]:
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):
            raise _unknown(".".join(keys), name)
        table = inner
    table[keys[-1]] = parsed


def _unknown(key: str, source: str) -> UnknownKeyError:
    return UnknownKeyError(
        f"{source}: there is no key {key}.", cure=_nearest(key) or "See config/example.toml.", key=key
    )


def _nearest(key: str) -> str | None:
    known = list(known_keys())
    sections = [f"{name}" for name in Settings.model_fields]
    last = {name.rpartition(".")[2]: name for name in reversed(known)}
    for candidates in (known, sections):
        if near := get_close_matches(key, candidates, n=1, cutoff=0.75):
            return f"Did you mean {near[0]}?"
    tail = key.rpartition(".")[2]
    if near := get_close_matches(tail, list(last), n=1, cutoff=0.7):
        return f"Did you mean {last[near[0]]}?"
    return None


def _explain(error: ValidationError, source: str) -> ConfigError:
    """Return one error for all that pydantic found: unknown keys first, each problem a sentence of its own."""
    details = error.errors(include_url=False)
    unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
    if unknown:
        keys = [_dotted(detail["loc"]) for detail in unknown]
        first = _unknown(keys[0], source)
        if len(keys) == 1:
            return first
        others = "; ".join(f"nor {key}" for key in keys[1:])
        return UnknownKeyError(f"{source}: there is no key {keys[0]}, {others}.", cure=first.cure, key=keys[0])
    sentences = [f"{_dotted(detail['loc'])}: {_said(detail)}" for detail in details]
    return BadValueError(
        f"{source}: " + "; ".join(sentences) + ".",
        cure="config/example.toml shows each key with a value it takes.",
        key=_dotted(details[0]["loc"]),
    )


def _said(detail: Any) -> str:
    message = str(detail["msg"])
    message = message.removeprefix("Value error, ")
    message = message.removeprefix("Input should be ") if message.startswith("Input should be ") else message
    given = detail.get("input")
    if detail["msg"].startswith("Input should be"):
        return f"should be {message}, not {given!r}"
    return message


def _dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "settings"
