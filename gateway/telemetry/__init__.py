"""MQTT with units in the field: topics, messages, what is taken of them, and commands (docs/design/telemetry.md)."""
