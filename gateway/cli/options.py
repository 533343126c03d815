"""Options that several commands take."""

import os
from pathlib import Path
from typing import Annotated

import typer

from config.loader import load
from config.settings import Settings

DEFAULT_CONFIG = Path("/etc/sightline/sightline.toml")

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="SIGHTLINE_CONFIG",
        help=f"Configuration file. Without it: {DEFAULT_CONFIG} where there is one, else defaults.",
        show_default=False,
    ),
]


def settings_of(config: Path | None) -> Settings:
    """Return the settings of a file, with what the environment overrides.

    Raises:
        ConfigError: something in it is wrong.
    """
    if config is None and DEFAULT_CONFIG.exists():
        config = DEFAULT_CONFIG
    return load(config, os.environ)
