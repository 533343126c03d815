"""What a camera sees: the town projected, painted, marked with a readable strip and encoded."""
