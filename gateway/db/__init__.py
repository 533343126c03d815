"""The database: engine, tables, one repository per aggregate, one file per migration (docs/design/access.md)."""
