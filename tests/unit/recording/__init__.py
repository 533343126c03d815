"""Recording: muxer, recorder, catalog, recovery, retention and playback."""
