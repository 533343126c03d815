"""Labels of units, to be printed: one, or several on a sheet."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response

from gateway.access.permissions import Permission
from gateway.api.description import answers
from gateway.api.errors import UnitsOffError
from gateway.api.guard import Awake, needs
from gateway.api.rooms import Rooms, The
from gateway.api.units import Label
from gateway.units.labels import LABELS_MAX, LabelSize, labels_pdf

router = APIRouter(prefix="/api/v1", tags=["units"])

PDF = "application/pdf"
First = Annotated[int, Query(ge=1, le=21)]
"""Place on the first sheet to begin at, as in "the seventh label": those before are used. Beyond its last: the next."""


@router.get(
    "/units/{label}/label.pdf",
    response_class=Response,
    responses=answers(PDF),
    **needs(Permission.ENROL, room=True),
)
async def one(
    label: Label, _who: Awake, the: The, size: LabelSize = LabelSize.ROLL_62X29, first: First = 1
) -> Response:
    """Return the label of one unit, to be printed: what ``/field`` scans, and whose the unit is."""
    return await _printed(the, [label], size, first)


@router.get(
    "/unit-labels.pdf",
    response_class=Response,
    responses=answers(PDF),
    **needs(Permission.ENROL, room=True),
)
async def several(
    _who: Awake,
    the: The,
    label: Annotated[list[Label], Query(min_length=1, max_length=LABELS_MAX)],
    size: LabelSize = LabelSize.SHEET_21,
    first: First = 1,
) -> Response:
    """Return the labels of several units, on sheets of A4 or a page each."""
    return await _printed(the, label, size, first)


async def _printed(the: Rooms, labels: list[str], size: LabelSize, first: int) -> Response:
    if the.units is None:
        raise UnitsOffError
    labels = [the.units.register.check_in_use(label).label for label in labels]
    said = the.settings.telemetry
    pdf = await asyncio.to_thread(
        labels_pdf, labels, size=size, first=first, owner=said.label_owner, telephone=said.label_telephone
    )
    name = f"{labels[0]}.pdf" if len(labels) == 1 else "labels.pdf"
    return Response(pdf, media_type=PDF, headers={"Content-Disposition": f'inline; filename="{name}"'})
