"""A camera that costs next to nothing: real 1080p H.264, encoded on the spot, packetised once, sent to everybody.

``python -m benchmarks.cheap_camera --streams 300`` serves that many RTSP streams (interleaved TCP) and says on its
first line, in JSON, where. It takes words on standard input (see ``__main__``) and ends when that ends.
"""
