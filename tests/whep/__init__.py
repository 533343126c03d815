"""A conformance kit for WHEP endpoints: ``python -m tests.whep URL`` (draft-ietf-wish-whep-03; docs/integrate.md).

It knows nothing of this server: it speaks HTTP to a URL, and plays what it is sent with a peer of its own.
"""
