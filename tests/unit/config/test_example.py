"""example.toml is true and whole."""

import re
import tomllib
from itertools import pairwise

from config.example import EXAMPLE, render
from config.loader import known_keys, load
from config.settings import Settings

SETTING = re.compile(r"^(?P<off># )?(?P<key>[a-z_0-9]+) = ", re.MULTILINE)


def named() -> dict[str, bool]:
    """Return every key the example names, as section.key, and whether it is set."""
    found = {}
    section = ""
    for line in EXAMPLE.read_text().splitlines():
        if line.startswith(("[", "# [[")):
            section = line.strip("# []")
        elif match := SETTING.match(line):
            found[f"{section}.{match['key']}"] = match["off"] is None
    return found


def test_the_example_loads_and_is_the_defaults() -> None:
    """The shipped example changes nothing."""
    assert load(EXAMPLE) == Settings()


def test_the_example_names_every_key() -> None:
    """Nothing that can be set is missing from the example, and nothing else stands in it."""
    assert set(named()) == set(known_keys())


def test_the_example_explains_every_key() -> None:
    """Above each key stands a comment."""
    lines = EXAMPLE.read_text().splitlines()
    for before, line in pairwise(lines):
        if SETTING.match(line):
            assert before.startswith("# "), line


def test_the_unset_examples_are_values_their_keys_take() -> None:
    """A line that shows the form of an unset key can be uncommented."""
    text = re.sub(r"^# ([a-z_0-9]+ = |\[\[)", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)
    settings = Settings.model_validate(tomllib.loads(text))
    assert settings.server.tls_key is not None
    assert settings.map.centre is not None
    assert [provider.id for provider in settings.oidc] == ["borough"]


def test_the_example_is_what_the_models_say() -> None:
    """After a change to a model, `python -m config.example` has been run."""
    assert EXAMPLE.read_text() == render()
