"""The key that signs checkpoints is made once and kept close."""

from pathlib import Path

import pytest

from gateway.audit.errors import AuditKeyError
from gateway.audit.key import CREDENTIAL, FILE, find_seed, load_seed


def test_it_is_made_at_the_first_run_and_stays(tmp_path: Path) -> None:
    """For its owner's eyes alone."""
    assert find_seed(tmp_path, credentials=None) is None
    seed = load_seed(tmp_path, credentials=None)
    assert load_seed(tmp_path, credentials=None) == find_seed(tmp_path, credentials=None) == seed
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_credential_comes_first(tmp_path: Path) -> None:
    """Then nothing is written beside the database."""
    (tmp_path / CREDENTIAL).write_text("ab" * 32)
    assert load_seed(tmp_path / "data", credentials=str(tmp_path)) == b"\xab" * 32


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """With the command that mends it."""
    load_seed(tmp_path, credentials=None)
    (tmp_path / FILE).chmod(0o644)
    with pytest.raises(AuditKeyError, match="read by others"):
        load_seed(tmp_path, credentials=None)


@pytest.mark.parametrize("text", ["", "ab", "ab" * 33, "not hex", "ä" * 64])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    """It is not replaced either: it may be a damaged key."""
    (tmp_path / FILE).write_text(text)
    (tmp_path / FILE).chmod(0o600)
    with pytest.raises(AuditKeyError, match="is not a key"):
        load_seed(tmp_path, credentials=None)


def test_a_key_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A directory in its place, for instance."""
    (tmp_path / FILE).mkdir(mode=0o700)
    with pytest.raises(AuditKeyError, match="cannot be read"):
        load_seed(tmp_path, credentials=None)
