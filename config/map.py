"""What the map is drawn on (docs/administer.md)."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class MapSettings(BaseModel):
    """Tiles of a server, a ground of one's own, or neither: then the map draws a plain ground."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ground_file: Path | None = None
    """GeoJSON FeatureCollection with streets, buildings and parks, drawn under the cameras."""
    tiles_url: str | None = None
    """Address of a tile server, as in "https://tiles.example.org/{z}/{x}/{y}.png"."""
    attribution: str = ""
    """Whom the tiles are owed to; shown on the map."""
    centre: tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]] | None = None
    """Latitude and longitude that the map opens at; without it, the middle of the cameras."""

    @field_validator("tiles_url")
    @classmethod
    def _tiles(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            msg = "needs an http or https address"
            raise ValueError(msg)
        if not all(part in url for part in ("{z}", "{x}", "{y}")):
            msg = "needs {z}, {x} and {y} in it"
            raise ValueError(msg)
        return url
