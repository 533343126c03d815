"""What a camera is, and how to talk to one: ONVIF, RTSP, and the simulated borough."""
