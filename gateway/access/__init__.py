"""Who may do what: users, passwords, sessions, one-time codes, API tokens, permissions (docs/design/access.md)."""
