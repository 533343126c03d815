"""What other systems are told over MQTT: what people asked for, and nobody's name (docs/design/telemetry.md)."""
