"""Settings: one pydantic model per concern, a loader that names what is wrong, redaction, and example.toml."""
