"""From what the rooms know to what the API says."""

from drivers.model import CameraDescription, CameraView, StreamProfile
from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.access.rights import Rights
from gateway.api import models
from gateway.api.times import iso, iso_or_none
from gateway.fleet import rpc
from gateway.fleet.cameras import Camera
from kernel.head import HeadAbilities
from kernel.media import TimeSource

CLOCK_OFF_MAX_S = 1.5
"""A picture is called late from 3 s on: where times may be wrong by more than half of that, no age is told."""


def holder_id(user_id: str, seat: str) -> str:
    """Return the opaque name under which one console of a user holds a stick."""
    return f"{user_id}.{seat}"


def user(identity: Identity, rights: Rights) -> models.User:
    """Return who somebody is, and what they may do at all or on some camera."""
    return models.User(
        id=identity.user_id,
        username=identity.username,
        name=identity.name,
        role=identity.role,
        permissions=sorted(rights.permissions()),
    )


def camera(
    one: Camera,
    known: rpc.CameraState | None,
    *,
    user_id: str,
    rights: Rights,
    lent: models.Lent | None = None,
    thin_link: models.ThinLink | None = None,
) -> models.CameraModel:
    """Return a camera with its state as ``user_id`` sees it, who has these rights."""
    place = one.place
    return models.CameraModel(
        id=one.id,
        number=one.number,
        name=one.name,
        street=one.street,
        group=one.group,
        place=models.PlaceModel(latitude=place.latitude_deg, longitude=place.longitude_deg, height_m=place.height_m)
        if place is not None
        else None,
        bearing_deg=one.bearing_deg,
        hfov_deg=one.hfov_deg,
        recording=one.recording,
        host=one.host,
        address=one.address if rights.rule(Permission.ENROL) is not None else None,
        streams=streams(one.view),
        head=head(one.view.head),
        identity=identity_of(one.description),
        clock_offset_s=one.description.clock_offset_s,
        remarks=remarks(one.description),
        enrolled=iso(one.enrolled_ns),
        may=sorted(permission for permission in rights.permissions(one.id) if permission.of_cameras),
        state=state(known, user_id=user_id, lent=lent),
        bounds="none" if one.bounds.empty else "kept" if one.bounds.confirmed else "unconfirmed",
        thin_link=thin_link,
    )


def streams(view: CameraView) -> models.Streams:
    """Return the profiles of a view."""
    return models.Streams(main=_stream(view.main), sub=_stream(view.sub) if view.sub is not None else None)


def _stream(profile: StreamProfile) -> models.Stream:
    return models.Stream(codec=profile.codec, width=profile.width, height=profile.height, frame_rate=profile.frame_rate)


def head(abilities: HeadAbilities | None) -> models.HeadModel | None:
    """Return what a head can do."""
    if abilities is None:
        return None
    return models.HeadModel(
        axes=sorted(abilities.axes),
        presets_only=abilities.presets_only,
        pan_deg=abilities.pan_deg,
        tilt_deg=abilities.tilt_deg,
        hfov_deg=abilities.hfov_deg,
        fov_relative=abilities.fov_relative,
        presets_max=abilities.presets_max,
        home=abilities.home,
        auxiliary=list(abilities.auxiliary),
    )


def identity_of(description: CameraDescription) -> models.IdentityModel:
    """Return what a device says it is."""
    known = description.identity
    return models.IdentityModel(
        manufacturer=known.manufacturer, model=known.model, firmware=known.firmware, serial=known.serial
    )


def remarks(description: CameraDescription) -> list[models.RemarkModel]:
    """Return what a device does wrong."""
    return [models.RemarkModel(text=remark.text, quirk=remark.quirk) for remark in description.remarks]


def state(known: rpc.CameraState | None, *, user_id: str, lent: models.Lent | None = None) -> models.CameraStateModel:
    """Return a camera's state, with to whom outside its stick is lent; it is ``mine`` where this user has it."""
    if known is None:
        return models.CameraStateModel(
            live="connecting",
            problem=None,
            recording=models.RecordingState(main=False, sub=None, cause="starting"),
            last_frame=None,
            timed=models.Timed(main=None, sub=None),
            viewers=0,
            head=None,
            stick=None,
            lent=lent,
            clock_offset_s=None,
        )
    return models.CameraStateModel(
        live=known.live.value,
        problem=trouble(known.problem),
        recording=_recording(known),
        last_frame=iso_or_none(known.last_frame_ns),
        timed=timed(known),
        viewers=known.viewers,
        head=position(known.head),
        stick=stick(known.stick, user_id=user_id),
        lent=lent,
        clock_offset_s=known.clock_offset_s,
    )


def timed(known: rpc.CameraState | None) -> models.Timed:
    """Return whether it is known when pictures were taken: the camera tells it, and its clock is known well enough."""
    if known is None:
        return models.Timed(main=None, sub=None)
    vague = (known.clock_off_s or 0.0) > CLOCK_OFF_MAX_S

    def told(facts: rpc.StreamFacts | None) -> bool | None:
        if facts is None or facts.time_source is None:
            return None
        return facts.time_source is TimeSource.SENDER_REPORT and not vague

    return models.Timed(main=told(known.main), sub=told(known.sub))


def _recording(known: rpc.CameraState) -> models.RecordingState:
    main = known.main.recording
    sub = known.sub.recording if known.sub is not None else None
    causes = [one.cause for one in (main, sub) if one is not None and one.cause is not None]
    if main is None and known.problem is not None:
        # Its host is not there to say; what is known is why.
        causes.append(known.problem.title)
    return models.RecordingState(
        main=main is not None and main.on,
        sub=sub.on if sub is not None else None,
        cause=causes[0] if causes else None,
    )


def position(facts: rpc.HeadFacts | None) -> models.HeadPosition | None:
    """Return where a head points."""
    if facts is None:
        return None
    return models.HeadPosition(
        pan=facts.pan,
        tilt=facts.tilt,
        zoom=facts.zoom,
        pan_deg=facts.pan_deg,
        tilt_deg=facts.tilt_deg,
        bearing_deg=facts.bearing_deg,
        hfov_deg=facts.hfov_deg,
        moving=facts.moving,
        at=iso_or_none(facts.at_ns),
        problem=trouble(facts.problem),
        bound=models.Bound(kind=facts.bar.kind, name=facts.bar.name, does=facts.bar.does.value)
        if facts.bar is not None
        else None,
    )


def stick(known: rpc.StickState | None, *, user_id: str, holder: str | None = None) -> models.Stick | None:
    """Return who steers; ``None`` where nobody does."""
    if known is None or known.holder is None:
        return None
    owner = known.holder.partition(".")[0]
    return models.Stick(
        holder=known.name,
        user_id=owner,
        since=iso_or_none(known.since_ns),
        idle_s=round(known.idle_s, 1),
        mine=known.holder == holder if holder is not None else owner == user_id,
    )


def trouble(problem: rpc.Problem | None) -> models.Trouble | None:
    """Return what is wrong."""
    if problem is None:
        return None
    return models.Trouble(type=problem.type, title=problem.title, cure=problem.cure)
