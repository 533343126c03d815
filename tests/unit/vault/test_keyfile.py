"""Where keys lie: private, whole, wrapped by a credential where there is one."""

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.vault import Key, KeyFile, KeyFileError, SealedElsewhereError
from gateway.vault.errors import RotatingError
from gateway.vault.keyfile import CREDENTIAL, FILE


def credential(folder: Path, *keys: bytes) -> str:
    """Put a credential where systemd would, and return its directory."""
    (folder / CREDENTIAL).write_text("".join(key.hex() + "\n" for key in keys))
    return str(folder)


def test_the_first_run_makes_a_private_key(tmp_path: Path) -> None:
    """Mode 0600, the same at every later run, and nothing left beside it."""
    file = KeyFile(tmp_path, credentials=None)
    ring = file.load()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert KeyFile(tmp_path, credentials=None).load() == ring
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("raw", [b"k" * 32, b"6b" * 32, b"6b" * 32 + b"\n"], ids=["raw", "hex", "a line"])
def test_a_key_of_ones_own_is_taken(tmp_path: Path, raw: bytes) -> None:
    """As openssl writes it, or as the first versions did."""
    (tmp_path / FILE).write_bytes(raw)
    (tmp_path / FILE).chmod(0o600)
    assert KeyFile(tmp_path, credentials=None).load().keys == (Key(b"k" * 32),)


@pytest.mark.parametrize("text", ["", "rubbish", "ab", "wrapped:zz"])
def test_rubbish_is_no_key(tmp_path: Path, text: str) -> None:
    """Told, and left as it is."""
    (tmp_path / FILE).write_text(text)
    (tmp_path / FILE).chmod(0o600)
    with pytest.raises(KeyFileError, match="is not a key"):
        KeyFile(tmp_path, credentials=None).load()
    assert (tmp_path / FILE).read_text() == text


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """With the command that mends it."""
    KeyFile(tmp_path, credentials=None).load()
    (tmp_path / FILE).chmod(0o640)
    with pytest.raises(KeyFileError) as caught:
        KeyFile(tmp_path, credentials=None).load()
    assert "chmod 600" in caught.value.cure


def test_with_a_credential_the_file_alone_opens_nothing(tmp_path: Path) -> None:
    """What lies in the file is wrapped; without the credential it is told as missing."""
    file = KeyFile(tmp_path, credentials=credential(tmp_path, b"r" * 32))
    ring = file.load()
    assert ring.current.secret.hex() not in file.path.read_text()
    assert ring.current.secret != b"r" * 32
    for credentials in (None, str(tmp_path / "none")):
        with pytest.raises(KeyFileError, match="wrapped by a credential"):
            KeyFile(tmp_path, credentials=credentials).load()
    with pytest.raises(KeyFileError, match="wrapped by a credential"):
        KeyFile(tmp_path, credentials=credential(tmp_path, b"x" * 32)).load()


def test_a_credential_is_replaced_in_two_steps(tmp_path: Path) -> None:
    """New and old together, then written anew, then the new one alone."""
    ring = KeyFile(tmp_path, credentials=credential(tmp_path, b"r" * 32)).load()
    both = KeyFile(tmp_path, credentials=credential(tmp_path, b"n" * 32, b"r" * 32))
    assert both.load().keys == ring.keys
    both.write(ring.keys)
    assert both.wrapped_by() == [Key(b"n" * 32).name.hex()]
    assert KeyFile(tmp_path, credentials=credential(tmp_path, b"n" * 32)).load().keys == ring.keys


def test_a_credential_that_comes_later_wraps_at_the_next_writing(tmp_path: Path) -> None:
    """A key that lay in the clear is taken as it is, and wrapped when it is written again."""
    plain = KeyFile(tmp_path, credentials=None).load()
    file = KeyFile(tmp_path, credentials=credential(tmp_path, b"r" * 32))
    assert file.load().keys == plain.keys
    assert file.wrapped_by() == ["plain"]
    file.write(plain.keys)
    assert plain.current.secret.hex() not in file.path.read_text()


def test_what_the_first_versions_sealed_with_the_credential_opens(tmp_path: Path) -> None:
    """They had no ring between; the credential opens their texts, and seals none."""
    ring = KeyFile(tmp_path, credentials=credential(tmp_path, b"r" * 32)).load()
    old = b"\x01" + b"n" * 12 + AESGCM(b"r" * 32).encrypt(b"n" * 12, b"hush", b"urn:1")
    assert ring.open(old, context="urn:1") == "hush"
    assert Key(b"r" * 32) not in ring.keys
    named = Key(b"r" * 32).encrypt(b"hush", context=b"urn:1")
    with pytest.raises(SealedElsewhereError):
        ring.open(named, context="urn:1")


@pytest.mark.parametrize("content", [b"", b"rubbish"])
def test_a_credential_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """Nothing is made beside it."""
    (tmp_path / CREDENTIAL).write_bytes(content)
    with pytest.raises(KeyFileError, match="is not a key"):
        KeyFile(tmp_path, credentials=str(tmp_path)).load()
    assert not (tmp_path / FILE).exists()


def test_two_first_runs_share_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second takes what the first one made."""
    link = os.link

    def late(source: Path, target: Path) -> None:
        other.write_text("6b" * 32 + "\n")
        other.chmod(0o600)
        link(source, target)

    other = tmp_path / FILE
    monkeypatch.setattr(os, "link", late)
    assert KeyFile(tmp_path, credentials=None).load().keys == (Key(b"k" * 32),)


def test_every_writing_has_its_stamp(tmp_path: Path) -> None:
    """So that a reader sees that there is something new."""
    file = KeyFile(tmp_path, credentials=None)
    assert file.stamp() is None
    ring = file.load()
    before = file.stamp()
    assert before == file.stamp()
    file.write(ring.keys)
    assert file.stamp() not in {None, before}


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """And leaves what was there."""
    file = KeyFile(tmp_path / "none", credentials=None)
    with pytest.raises(KeyFileError, match="cannot be written"):
        file.write((Key.new(),))


def test_one_at_a_time_changes_the_keys(tmp_path: Path) -> None:
    """A second rotation is refused while the first goes on, and not after."""
    file = KeyFile(tmp_path, credentials=None)
    with file.locked(), pytest.raises(RotatingError), file.locked():
        pass
    with file.locked():
        pass
