"""The tree is RFC 6962's."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.tree import EMPTY_ROOT, Edge, leaf_hash

# The reference implementation's own test tree (github.com/google/certificate-transparency, merkle_tree_test.cc).
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_the_reference_trees_have_their_roots() -> None:
    """Trees of one to eight leaves have the roots that the reference implementation gives them."""
    edge, roots = Edge(), []
    for leaf in LEAVES:
        edge.push(leaf_hash(bytes.fromhex(leaf)))
        roots.append(edge.root.hex())
    assert roots == ROOTS


def test_a_tree_of_nothing_has_the_root_of_nothing() -> None:
    """It is the hash of no bytes."""
    assert Edge().root == EMPTY_ROOT == hashlib.sha256().digest()


def by_definition(leaves: list[bytes]) -> bytes:
    """Return MTH(D[n]) as RFC 6962 section 2.1 writes it: split at the largest power of two below n."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + by_definition(leaves[:split]) + by_definition(leaves[split:])).digest()


@given(st.integers(1, 300), st.integers(0, 300))
def test_the_edge_alone_gives_the_root_by_definition(size: int, put_away: int) -> None:
    """Also when it was put away and taken out again in between."""
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    edge = Edge()
    for number, leaf in enumerate(leaves):
        if number == put_away:
            edge = Edge.unpack(edge.size, edge.pack())
        edge.push(leaf)
    assert edge.root == by_definition(leaves)


@pytest.mark.parametrize(("size", "packed"), [(1, b""), (2, b"x" * 64), (3, b"x" * 63), (0, b"x" * 32)])
def test_bytes_that_are_no_edge_are_refused(size: int, packed: bytes) -> None:
    """An edge has one hash for each bit set in its size."""
    with pytest.raises(ValueError, match=r"subtrees|row of hashes"):
        Edge.unpack(size, packed)
