"""What holds for every share of live views with partners (docs/design/sharing.md)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

TERMS = (
    "These pictures are shown to you for the purpose named in the share and for no other. Do not record, photograph or"
    " pass them on; ask the control room for footage. What you watch, and when, is recorded."
)


class SharingSettings(BaseModel):
    """Live views given to named people of other organisations."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    room_name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^\S[^\x00-\x1f\x7f]*$")] = "the control room"
    """What partners read as the name of whoever shares with them, as in "Borough control room"."""
    minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    """How long a share lasts when nobody says otherwise."""
    max_minutes: Annotated[int, Field(ge=1, le=10_080)] = 1440
    """The longest that a share for an incident may run from now. One by a standing agreement ends at its review."""
    organisation: str = ""
    """Name of the organisation with which a tile is shared by two keys; empty: the console asks."""
    reason: Annotated[str, Field(min_length=1, max_length=500)] = "Live incident"
    """Reason of a share that is made by two keys."""
    viewer_limit: Annotated[int, Field(ge=1, le=1000)] = 20
    """How many views one share may open at once when nobody says otherwise."""
    views_of_one_camera: Annotated[int, Field(ge=1, le=1000)] = 4
    """How many views of one camera one person may open at once by one share: two screens, each between two streams."""
    stick_minutes: Annotated[int, Field(ge=1, le=60)] = 5
    """How long a stick is lent when nobody says otherwise."""
    stick_max_minutes: Annotated[int, Field(ge=1, le=240)] = 60
    """The longest that a stick may be lent."""
    invitation_minutes: Annotated[int, Field(ge=1, le=10_080)] = 60
    """How long an invitation can be used."""
    terms: Annotated[str, Field(min_length=1, max_length=20_000)] = TERMS
    """What partners accept before they see anything. Whoever accepted an earlier text is asked again."""
    test_camera: Annotated[int, Field(ge=1, le=9999)] | None = None
    """Number of the camera whose picture tests the link to a partner's room."""
    test_s: Annotated[int, Field(ge=10, le=600)] = 120
    """How long such a test runs."""
    certificate_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] | None = None
    """Header in which a proxy on this machine gives the SHA-256 (hex) of the client certificate it verified."""
    acts_per_minute: Annotated[int, Field(ge=1, le=600)] = 30
    """How many notes, reports and requests for the stick one partner may send."""
