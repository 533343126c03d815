"""What can be wrong with the configuration.

ConfigError (kernel.errors.SightlineError)
├── ConfigFileError    the file cannot be read, or is not TOML
├── UnknownKeyError    a key nobody knows; the nearest known one is named
└── BadValueError      a value that its key does not take
"""

from kernel.errors import SightlineError


class ConfigError(SightlineError):
    """Root of this tree."""

    code = "config.error"


class ConfigFileError(ConfigError):
    """The file cannot be read, or is not TOML."""

    code = "config.file"


class UnknownKeyError(ConfigError):
    """A key nobody knows."""

    code = "config.unknown-key"


class BadValueError(ConfigError):
    """A value that its key does not take."""

    code = "config.value"
