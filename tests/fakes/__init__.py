"""Named fakes with knobs for failure."""
