"""How the service tells what it does."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class LogSettings(BaseModel):
    """Log lines go to standard error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe event that is written."""
    format: Literal["auto", "json", "console"] = "auto"
    """json for machines, console for people; auto takes console on a terminal."""
