"""The ONVIF client, part by part."""
