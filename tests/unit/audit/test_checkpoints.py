"""Checkpoints are C2SP signed notes that others can read, and nothing else passes for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.checkpoints import Checkpoint, CheckpointKey, Signer, notes_in, read_notes
from gateway.audit.errors import AuditKeyError, CheckpointError

ROOT = bytes(range(32))
SIGNER = Signer("cctv.example.org/audit", b"s" * 32)
NOTE = SIGNER.sign(size=42, root=ROOT)

# The example in the documentation of golang.org/x/mod/sumdb/note, from which C2SP took the format.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def test_a_key_and_signature_of_another_implementation_are_understood() -> None:
    """Go's own example note verifies, and does not once a letter is changed."""
    key = CheckpointKey.parse(GO_KEY)
    assert key.text == GO_KEY
    assert key._signed(GO_SIGNATURE, GO_TEXT)
    assert not key._signed(GO_SIGNATURE, GO_TEXT.replace("your", "our"))


def test_a_checkpoint_has_the_form_of_c2sp() -> None:
    """Origin, size, root, a blank line, and a signature line that names the key."""
    lines = NOTE.split("\n")
    assert lines[:4] == ["cctv.example.org/audit", "42", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert lines[4].startswith("\N{EM DASH} cctv.example.org/audit ")
    assert lines[5:] == [""]


def test_what_was_signed_is_read_by_the_public_key_alone() -> None:
    """The line that is printed is enough to check with."""
    key = CheckpointKey.parse(SIGNER.public.text)
    assert key.open(NOTE) == Checkpoint(origin="cctv.example.org/audit", size=42, root=ROOT)


def test_a_cosignature_beside_ours_is_passed_over() -> None:
    """A witness may add its own line."""
    assert SIGNER.public.open(NOTE + "\N{EM DASH} witness.example.org AAAAAAAA\n").size == 42


@given(st.data())
def test_any_changed_letter_is_found(data: st.DataObject) -> None:
    """Whatever is altered in a note, our key no longer opens it as anything else."""
    at = data.draw(st.integers(0, len(NOTE) - 1))
    letter = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda other: other != NOTE[at]))
    altered = NOTE[:at] + letter + NOTE[at + 1 :]
    checkpoints, problems = read_notes(altered, [SIGNER.public])
    # Bits that base64 leaves unused, and the white space after it, are no part of what is signed.
    assert problems or checkpoints == [SIGNER.public.open(NOTE)]


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        "a\n1\n",
        "a\n1\nAAAA\n\n",
        "a\n01\n{root}\n\n",
        "a\n-1\n{root}\n\n",
        "a\n" + "9" * 5000 + "\n{root}\n\n",
        "\n1\n{root}\n\n",
        "a\n1\n*\n\n",
    ],
)
def test_other_texts_are_no_checkpoints(note: str) -> None:
    """They are refused with a reason, whatever they are."""
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        SIGNER.public.open(note.format(root="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))


def test_a_checkpoint_of_another_log_is_refused() -> None:
    """Ours say whose they are."""
    with pytest.raises(CheckpointError, match="of the log other"):
        SIGNER.public.open(Signer("other", b"s" * 32).sign(size=1, root=ROOT))


def test_another_key_does_not_sign_for_us() -> None:
    """The name alone does not make it ours."""
    with pytest.raises(CheckpointError, match="not signed by the key"):
        SIGNER.public.open(Signer("cctv.example.org/audit", b"x" * 32).sign(size=1, root=ROOT))


def test_a_file_is_many_notes() -> None:
    """Each is read by the key that signed it; what no key signed is told by its place."""
    other = Signer("cctv.example.org/audit", b"x" * 32)
    stranger = Signer("cctv.example.org/audit", b"y" * 32)
    text = "\n".join(signer.sign(size=size, root=ROOT) for size, signer in enumerate([SIGNER, other, stranger, SIGNER]))
    checkpoints, problems = read_notes(text, [SIGNER.public, other.public])
    assert [one.size for one in checkpoints] == [0, 1, 3]
    assert len(problems) == 1
    assert problems[0].startswith("Checkpoint 3 of the file")


@pytest.mark.parametrize("gap", ["", "\n", "\n\n\n"])
def test_notes_may_stand_close_or_apart(gap: str) -> None:
    """As a person or a program collected them."""
    assert notes_in(NOTE + gap + NOTE) == [NOTE, NOTE]


def test_a_torn_note_at_the_end_is_told() -> None:
    """Half a checkpoint is none."""
    checkpoints, problems = read_notes(NOTE + "\ncctv.example.org/audit\n43\nAAEC", [SIGNER.public])
    assert (len(checkpoints), len(problems)) == (1, 1)


@pytest.mark.parametrize(
    "line", ["", "name", "a+b+c", "a+00000000+AQID", GO_KEY.replace("c74f", "c74e"), GO_KEY.replace("+AR", "+BR")]
)
def test_a_line_that_is_no_key_is_refused(line: str) -> None:
    """With a reason."""
    with pytest.raises(AuditKeyError, match="not the public key"):
        CheckpointKey.parse(line)
