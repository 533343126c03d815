"""Who did what, when, from where: an append-only record chained by hashes (docs/design/audit.md)."""
