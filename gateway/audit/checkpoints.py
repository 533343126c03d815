"""Signed checkpoints of the log, in the form of C2SP tlog-checkpoint over C2SP signed-note, with Ed25519.

    <origin>
    <number of entries>
    <root, base64>

    — <origin> <base64 of key hash (4 bytes) and signature>

Whoever holds one can tell later whether the log still begins with those entries. The key's public half is written as
signed notes write it: ``<origin>+<key hash, hex>+<base64 of 0x01 and the key>``.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.audit.errors import AuditKeyError, CheckpointError
from gateway.audit.tree import HASH_BYTES

ED25519 = b"\x01"
KEY_HASH_BYTES = 4
DASH = "\N{EM DASH} "
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """That the log named ``origin`` had ``size`` entries under ``root``."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """Return what is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def of_body(cls, body: str) -> Self:
        """Read what :attr:`body` wrote; further lines are extensions and passed over.

        Raises:
            CheckpointError: it is none.
        """
        lines = body.removesuffix("\n").split("\n")
        try:
            origin, size, root = lines[0], lines[1], base64.b64decode(lines[2], validate=True)
        except (IndexError, ValueError) as error:
            raise _unreadable() from error
        if not origin or not _SIZE.fullmatch(size) or len(root) != HASH_BYTES:
            raise _unreadable()
        return cls(origin=origin, size=int(size), root=root)


class CheckpointKey:
    """The public half of a log's key."""

    __slots__ = ("_key", "name")

    def __init__(self, name: str, key: Ed25519PublicKey) -> None:
        self.name = name
        self._key = key

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key as :attr:`text` writes it.

        Raises:
            AuditKeyError: it is none, or its hash does not fit it.
        """
        name, _, rest = text.strip().partition("+")
        told_hash, _, encoded = rest.partition("+")
        try:
            raw = base64.b64decode(encoded, validate=True)
            key = cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
        except ValueError as error:
            raise _no_key(text) from error
        if raw[:1] != ED25519 or told_hash != key.hash.hex():
            raise _no_key(text)
        return key

    @property
    def hash(self) -> bytes:
        """Return the four bytes that signatures name this key by."""
        return hashlib.sha256(f"{self.name}\n".encode() + ED25519 + self._key.public_bytes_raw()).digest()[
            :KEY_HASH_BYTES
        ]

    @property
    def text(self) -> str:
        """Return the key in one line, to be noted elsewhere."""
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(ED25519 + self._key.public_bytes_raw()).decode()}"

    def open(self, note: str) -> Checkpoint:
        """Return the checkpoint in a signed note. Signatures of others beside this key's are passed over.

        Raises:
            CheckpointError: it is none, of another log, or this key did not sign it.
        """
        body, gap, signatures = note.partition("\n\n")
        if not gap:
            raise _unreadable()
        body += "\n"
        checkpoint = Checkpoint.of_body(body)
        if checkpoint.origin != self.name:
            raise CheckpointError(
                f"This is a checkpoint of the log {checkpoint.origin}, not of {self.name}.",
                cure="Give the checkpoints of this log; a log that was renamed (audit.origin) is another one.",
            )
        for line in signatures.split("\n"):
            if line.startswith(f"{DASH}{self.name} ") and self._signed(line.rpartition(" ")[2], body):
                return checkpoint
        raise CheckpointError(
            f"The checkpoint of {checkpoint.size} entries is not signed by the key {self.text}.",
            cure="Somebody altered it, or it was signed by another key: give that one with --checkpoint-key.",
        )

    def _signed(self, encoded: str, body: str) -> bool:
        try:
            raw = base64.b64decode(encoded, validate=True)
            if raw[:KEY_HASH_BYTES] != self.hash:
                return False
            self._key.verify(raw[KEY_HASH_BYTES:], body.encode())
        except (ValueError, InvalidSignature):
            return False
        return True


class Signer:
    """Signs checkpoints of the log ``name``."""

    __slots__ = ("_private", "public")

    def __init__(self, name: str, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = CheckpointKey(name, self._private.public_key())

    def sign(self, *, size: int, root: bytes) -> str:
        """Return the signed note that the log had ``size`` entries under ``root``."""
        body = Checkpoint(origin=self.public.name, size=size, root=root).body
        signature = base64.b64encode(self.public.hash + self._private.sign(body.encode())).decode()
        return f"{body}\n{DASH}{self.public.name} {signature}\n"


def notes_in(text: str) -> list[str]:
    """Return the signed notes that stand one after another in a text, whole or not."""
    notes: list[str] = []
    lines: list[str] = []
    for line in text.split("\n"):
        if lines and lines[-1].startswith(DASH) and not line.startswith(DASH):
            notes.append("\n".join(lines) + "\n")
            lines = []
        if line or lines:
            lines.append(line)
    if lines:
        notes.append("\n".join(lines))
    return notes


def read_notes(text: str, keys: list[CheckpointKey]) -> tuple[list[Checkpoint], list[str]]:
    """Return the checkpoints in a text that one of ``keys`` signed, and what is wrong with the others."""
    checkpoints: list[Checkpoint] = []
    problems: list[str] = []
    for number, note in enumerate(notes_in(text), start=1):
        said = ""
        for key in keys:
            try:
                checkpoints.append(key.open(note))
            except CheckpointError as error:
                said = said or f"Checkpoint {number} of the file: {error}"
            else:
                said = ""
                break
        if said:
            problems.append(said)
    return checkpoints, problems


def _unreadable() -> CheckpointError:
    return CheckpointError("This is not a checkpoint.", cure="Give the file as it was written or received.")


def _no_key(text: str) -> AuditKeyError:
    return AuditKeyError(
        f"{text!r} is not the public key of a log.", cure="Give the line that `sightline verify --audit` printed."
    )
