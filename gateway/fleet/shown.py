"""What an answered offer says is shown: headers on the hosts' wire and in the API alike."""

STREAM_HEADER = "Sightline-Stream"
"""The stream that is shown, which may not be the one asked for."""
CONVERTED_HEADER = "Sightline-Converted-From"
"""The coding of the camera, where the picture is coded anew for this viewer."""
