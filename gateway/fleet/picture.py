"""What a camera host finds wrong with a camera's picture."""

from pydantic import BaseModel, ConfigDict

from kernel.media import PictureFault


class PictureFinding(BaseModel):
    """A fault that stands, and since when: wall time in ns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fault: PictureFault
    since_ns: int
