"""Photos as phones make them, written by Pillow, with the Exif data that a test asks for: small, or of 3 MB."""

import io

from PIL import Image
from PIL.ExifTags import IFD

LARGE = (4000, 3000)


def photo(
    *,
    kind: str = "JPEG",
    taken: str | None = None,
    offset: str | None = None,
    place: tuple[float, float] | None = None,
    gps_time: tuple[str, tuple[float, float, float]] | None = None,
    shade: int = 90,
    large: bool = False,
) -> bytes:
    """Return a photo. ``place``: latitude and longitude in degrees; ``gps_time``: date (2026:05:01), and h, m, s.

    ``large``: of 4000 by 3000 pixels and 3 MB, full of grain as gravel and leaves are.
    """
    exif = Image.Exif()
    exif[0x0110] = "Phone"
    own = exif.get_ifd(IFD.Exif)
    gps = exif.get_ifd(IFD.GPSInfo)
    if taken is not None:
        own[0x9003] = taken
    if offset is not None:
        own[0x9011] = offset
    if place is not None:
        for (ref, tag), angle, sides in zip(((1, 2), (3, 4)), place, ("NS", "EW"), strict=True):
            whole = abs(angle)
            minutes = whole % 1 * 60
            gps[ref] = sides[angle < 0]
            gps[tag] = (float(int(whole)), float(int(minutes)), round(minutes % 1 * 60, 4))
    if gps_time is not None:
        gps[0x1D], gps[7] = gps_time
    file = io.BytesIO()
    picture = _grain(shade) if large else Image.new("RGB", (64, 48), (shade, shade, shade))
    picture.save(file, kind, exif=exif, quality=75)
    return file.getvalue()


def _grain(shade: int) -> Image.Image:
    noise = Image.effect_noise(LARGE, 20)
    slope = Image.linear_gradient("L").resize(LARGE)
    return Image.merge("RGB", (Image.blend(noise, slope, 0.5), noise, Image.new("L", LARGE, shade)))
