"""MP4 as ISO/IEC 14496-12 and 14496-15 have it: boxes, init segments, fragments, and the one file of an export."""
