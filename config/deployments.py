"""What holds for every deployment of a mobile camera (docs/design/deployments.md)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

CRITERIA = (
    "Crime, disorder or calls for service at the place are recorded and recent",
    "Other measures were tried or would not do",
    "The camera can be expected to help with this problem",
    "The gain outweighs the intrusion on those who live and pass there",
    "There is a safe mount, power and a link",
)
Words = Annotated[str, Field(min_length=3, max_length=200, pattern=r"^\S[^\x00-\x1f\x7f]*$")]


class DeploymentSettings(BaseModel):
    """Mobile cameras: who decides on what, and for how long one stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    criteria: Annotated[tuple[Words, ...], Field(min_length=1, max_length=30)] = CRITERIA
    """What a referral is checked against, one by one. All must be met before it is granted."""
    two_people: bool = True
    """Whoever referred a problem does not decide on it, nor on a longer stay."""
    max_days: Annotated[int, Field(ge=1, le=366)] = 84
    """The longest stay that one decision may grant, and the longest by which another one may extend it."""
    review_days: Annotated[int, Field(ge=1, le=366)] = 28
    """A deployment is reviewed at least this often."""
    warn_days: Annotated[int, Field(ge=0, le=60)] = 7
    """Reviews and ends of stays are listed as due this long before."""
    evaluation_days: Annotated[int, Field(ge=1, le=366)] = 60
    """How long after its removal the effect of a deployment is to have been evaluated."""
    spread_m: Annotated[float, Field(ge=1, le=2000)] = 100.0
    """How far from the place that was granted a camera may be put up."""
    sign_photos: bool = True
    """Signs are up, and down, and a unit is signed off, only with a photo of it."""
    photo_bytes: Annotated[int, Field(ge=65_536, le=32 * 1024 * 1024)] = 12 * 1024 * 1024
    """The largest photo that is taken."""
    photos_max: Annotated[int, Field(ge=1, le=1000)] = 40
    """How many photos one deployment may have."""
    photo_bytes_a_day: Annotated[int, Field(ge=1_048_576)] = 512 * 1024 * 1024
    """How much one user may send in photos within 24 hours, in all deployments together."""
    fence_m: Annotated[float, Field(ge=5, le=2000)] = 30.0
    """A unit that is further than this from where it was put up, and surely so, has left its place."""
    tilt_deg: Annotated[float, Field(ge=1, le=90)] = 10.0
    """A unit that leans by more than this against how it was put up is reported."""
    shock_g: Annotated[float, Field(ge=0.5, le=100)] = 2.5
    """A blow that is harder than this is reported."""
    record_without: bool = False
    """Deployable cameras record also where no valid deployment says why. Without it they record nothing there."""
