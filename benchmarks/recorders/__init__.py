"""Camera hosts at work: started, given cameras as the gateway gives them, measured from outside, counted on disk."""
