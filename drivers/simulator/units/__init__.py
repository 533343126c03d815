"""Deployable units: boxes with a camera, a battery and a modem, which are carried about and call in over MQTT.

They know nothing of whom they call. What a unit is, is a model stepped by the clock (``unit``); what it says, and how,
is ``telling`` and ``client``. Design note: docs/design/simulator.md.
"""
