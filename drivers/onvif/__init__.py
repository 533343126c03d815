"""The ONVIF client: enrols, steers, listens to and keeps up with cameras (docs/design/onvif-client.md)."""
