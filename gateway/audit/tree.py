"""A Merkle tree over a list that grows (RFC 6962 section 2.1), of which only the right edge is kept.

    leaf = SHA-256(0x00 || entry)      node = SHA-256(0x01 || left || right)      root of nothing = SHA-256()

The edge is the roots of the complete subtrees that the list falls into, largest first: one for each bit set in its
size. It is all that is needed to append and to say the root.
"""

import hashlib
from collections.abc import Sequence
from typing import Self

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node over two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Edge:
    """The right edge of the tree over ``size`` leaves."""

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            msg = f"a tree over {size} leaves has {size.bit_count()} complete subtrees, not {len(peaks)}"
            raise ValueError(msg)
        self.size = size
        self._peaks = list(peaks)

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> Self:
        """Return the edge that :meth:`pack` wrote.

        Raises:
            ValueError: these bytes are not the edge of a tree of that size.
        """
        if len(packed) % HASH_BYTES:
            msg = f"{len(packed)} bytes are no row of hashes"
            raise ValueError(msg)
        return cls(size, [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)])

    def pack(self) -> bytes:
        """Return the hashes one after another, the largest subtree's first."""
        return b"".join(self._peaks)

    def push(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        node, rest = leaf, self.size
        while rest & 1:  # as in binary counting: each carry joins two subtrees of one size
            node = node_hash(self._peaks.pop(), node)
            rest >>= 1
        self._peaks.append(node)
        self.size += 1

    @property
    def root(self) -> bytes:
        """Return the root: the subtrees joined from the smallest on."""
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = node_hash(peak, node)
        return node
