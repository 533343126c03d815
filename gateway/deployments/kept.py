"""A deployment and the lines of its log as they are kept: JSON, and a digest over each line and the one before it."""

import hashlib
import json
from dataclasses import asdict, replace

from pydantic import TypeAdapter

from gateway.db.deployments import DeploymentRow, EntryRow
from gateway.deployments.deployment import Deployment
from gateway.deployments.done import Done
from gateway.deployments.errors import SentError, UnknownDeploymentError
from gateway.deployments.hands import Hand
from gateway.deployments.steps import NAMES, Erase, Photo, Plan, Referral, Review, Step

_RECORD: TypeAdapter[Deployment] = TypeAdapter(Deployment)
_FOUND: dict[type[Referral | Step], frozenset[str]] = {
    Photo: frozenset({"off_m", "remarks"}),
    Plan: frozenset({"unit"}),
    Erase: frozenset({"files", "kept"}),
}
"""What we find of a step as it comes, and its sender does not say: sent again, it may be found otherwise."""
_LEFT: dict[type[Referral | Step], frozenset[str]] = {Review: frozenset({"next_ns"})}
"""What is ours to say where its sender leaves it to us."""


def read(row: DeploymentRow | None) -> Deployment:
    """Return the deployment of a row.

    Raises:
        UnknownDeploymentError: there is none.
    """
    if row is None:
        raise UnknownDeploymentError("There is no such deployment.", cure="Load the list again.")
    return _RECORD.validate_json(row.record)


def row_of(one: Deployment, now_ns: int) -> DeploymentRow:
    """Return the row of a deployment that changed now."""
    record = _RECORD.dump_json(one).decode()
    return DeploymentRow(
        id=one.id, stage=one.stage.value, urn=one.urn, changed_ns=now_ns, entries=one.entries, record=record
    )


def entry_of(  # noqa: PLR0913 - the parts of a line
    then: Deployment, step: Referral | Step, by: Hand, *, done: Done, key: str | None, before: str
) -> EntryRow:
    """Return the line that says what led to a deployment as it is then; ``before`` is the digest of the line before."""
    line = EntryRow(
        deployment_id=then.id,
        n=then.entries,
        at_ns=done.came_ns,
        done_ns=done.at_ns,
        clock_offset_ms=round(done.clock_offset_s * 1000) if done.clock_offset_s is not None else None,
        doubt=done.doubt,
        step=NAMES[type(step)],
        user_id=by.user_id,
        name=by.name,
        said=_said(step),
        key=key,
        digest="",
    )
    return replace(line, digest=digest_of(line, before))


def digest_of(line: EntryRow, before: str) -> str:
    """Return the digest of a line after one whose digest is ``before``. Its ``key`` is its sender's, and not covered.

    Raises:
        TypeError: what stands in it is nothing that is written there.
    """
    when = [str(line.at_ns), str(line.done_ns), line.clock_offset_ms, line.doubt]
    whole = [before, line.deployment_id, line.n, *when, line.step, line.user_id, line.name, line.said]
    return hashlib.sha256(json.dumps(whole, separators=(",", ":")).encode()).hexdigest()


def check_same(sent: EntryRow, step: Referral | Step, by: Hand) -> None:
    """Make sure that a step is the one of a line, sent again: the same words by the same person.

    Raises:
        SentError: it is another; whoever sends it would be told that it is done.
    """
    same = (sent.step, sent.user_id) == (NAMES[type(step)], by.user_id)
    if not same or _words(sent.said, step) != _words(_said(step), step):
        raise SentError("That was sent before with other words.", cure="Load it again.")


def _said(step: Referral | Step) -> str:
    return json.dumps(asdict(step), sort_keys=True, separators=(",", ":"))


def _words(said: str, step: Referral | Step) -> dict[str, object]:
    left = {name for name in _LEFT.get(type(step), ()) if getattr(step, name) is None}
    ours = _FOUND.get(type(step), frozenset()) | left
    return {name: value for name, value in json.loads(said).items() if name not in ours}
