"""Looking for secrets where none may be: in every form that somebody could still read or try out."""

import base64
import hashlib
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote


def forms(secret: str) -> Iterator[bytes]:
    """Yield a secret as it is, as it may be written, and its plain hashes."""
    raw = secret.encode()
    yield from (raw, secret.encode("utf-16-le"), quote(secret, safe="").encode(), raw.hex().encode())
    for shift in range(3):  # base64 of a longer text in which the secret begins at any place
        whole = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        yield whole[4 if shift else 0 : len(whole) // 4 * 4]
    for name in ("md5", "sha1", "sha256", "sha512"):
        digest = hashlib.new(name, raw)
        yield from (digest.hexdigest().encode(), digest.digest(), base64.b64encode(digest.digest()))


def found(places: Iterable[tuple[str, bytes]], secrets: Iterable[str]) -> list[str]:
    """Return the names of the places in which a form of a secret stands."""
    wanted = {form for secret in secrets for form in forms(secret)}
    return [name for name, content in places if any(form in content for form in wanted)]


def files(*paths: Path) -> Iterator[tuple[str, bytes]]:
    """Yield files as they lie there, and every file in a directory."""
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                yield str(file), file.read_bytes()


def unpacked(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield what is in a tar archive."""
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            content = tar.extractfile(member)
            yield member.name, content.read() if content is not None else b""


def processes(pid: int) -> Iterator[tuple[str, bytes]]:
    """Yield command line and environment of a process and of all that it started."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in listed.splitlines())}
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    for one in sorted(family):
        for name in ("cmdline", "environ"):
            try:
                yield f"/proc/{one}/{name}", Path(f"/proc/{one}/{name}").read_bytes()
            except FileNotFoundError:  # it has ended meanwhile
                continue
