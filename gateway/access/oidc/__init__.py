"""Signing in with accounts that others keep: OpenID Connect, as a relying party (docs/design/oidc.md)."""
