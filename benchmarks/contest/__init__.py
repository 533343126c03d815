"""Servers that send one camera to many viewers, each set up as its makers mean it: ours, aiortc's sender, Janus."""
