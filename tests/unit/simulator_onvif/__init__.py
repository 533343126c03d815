"""The simulated camera on the wire: services, authentication, motion, and every knob."""
