"""The knobs: everything a real camera has been seen to do wrong, one field each.

Quirks of named makes (docs/design/onvif.md, *Quirks*) and plain faults stand in one table, so that
``sightline simulate --fault NAME`` and a test turn the same knob. Flags may be changed while a camera runs.
"""

from dataclasses import dataclass

from drivers.simulator.knobs import Knobs


@dataclass(slots=True)
class Faults(Knobs):
    """One camera's misbehaviour; the default is a camera that does everything right."""

    # --- authentication (HTTP and SOAP)
    digest_only: bool = False
    """Hikvision: HTTP digest only, no WS-UsernameToken."""
    two_challenges: bool = False
    """Hikvision: offers SHA-256 and MD5 in two WWW-Authenticate headers."""
    sha256_broken: bool = False
    """Hikvision: offers SHA-256 and accepts MD5 only."""
    wsse_only: bool = False
    """WS-UsernameToken only, no HTTP digest."""
    qop_auth_int: bool = False
    """Sony: challenges with qop="auth,auth-int" and accepts auth."""
    replay_skew_s: float = 0.0
    """Axis: rejects a UsernameToken whose Created is further than this from its clock (0: never)."""
    rejects_plus_zero: bool = False
    """Hikvision: rejects times that end in +00:00; wants Z."""
    clock_needs_auth: bool = False
    """Panasonic: GetSystemDateAndTime needs authentication."""
    # --- accounts (SetUser)
    # --- capabilities and XML
    hides_pullpoint: bool = False
    """Axis, Bosch, Reolink: capability flags deny PullPoint; it works."""
    claims_pullpoint: bool = False
    """Axis, Bosch: capability flags promise PullPoint; it faults."""
    no_get_services: bool = False
    """Old firmware: GetServices faults, GetCapabilities works."""
    no_media2: bool = False
    """Media 1 only."""
    private_addresses: bool = False
    """XAddr, stream and snapshot URLs name 192.168.1.64 in place of the address that reaches the camera."""
    double_port: bool = False
    """XAddrs come as host:port:port."""
    unquoted_attributes: bool = False
    """TP-Link: XML attributes without quotes."""
    undeclared_prefixes: bool = False
    """Namespace prefixes used and never declared."""
    bad_utf8: bool = False
    """Latin-1 bytes in UTF-8 documents."""
    odd_times: bool = False
    """Times like 00:61:16Z."""
    minutes_as_seconds: bool = False
    """PT1M is taken as one second (a timeout's minutes are read as seconds)."""
    fault_with_200: bool = False
    """SOAP faults come with HTTP 200."""
    # --- events
    needs_reference_parameters: bool = False
    """Axis: PullMessages without the subscription's reference parameters faults."""
    needs_termination_time: bool = False
    """TP-Link: CreatePullPointSubscription without InitialTerminationTime gives HTTP 500."""
    renew_needs_addressing: bool = False
    """Xiongmai: Renew without WS-Addressing gives HTTP 400."""
    addressing_breaks_ptz: bool = False
    """Xiongmai: WS-Addressing headers on PTZ calls fault."""
    unsubscribe_kills_all: bool = False
    """Unsubscribe ends every subscription of the device."""
    subscription_slots: int = 0
    """At most this many subscriptions (0: 16)."""
    # --- PTZ
    stuck_moving: bool = False
    """Hikvision: MoveStatus stays MOVING."""
    timeout_faults: bool = False
    """Bosch: ContinuousMove with a Timeout faults."""
    timeout_ignored: bool = False
    """ContinuousMove's Timeout is ignored: the head turns until it is stopped."""
    timeout_zero: bool = False
    """ContinuousMove's Timeout is taken as zero: the head stops at once (pulses)."""
    stop_unsupported: bool = False
    """Stop faults."""
    stop_ignored: bool = False
    """TP-Link: Stop answers and does nothing."""
    zero_velocity_ignored: bool = False
    """A ContinuousMove with zero velocity answers and does nothing."""
    fixed_speed: bool = False
    """Reolink: one speed whatever is asked."""
    split_axes: bool = False
    """Sony, Xiongmai, TP-Link: pan, tilt and zoom in one request fault."""
    no_zoom: bool = False
    """Pan and tilt only; Zoom in a request faults."""
    fov_untrue: bool = False
    """The FOV translation space is offered and moves by the wrong amount."""
    factory_presets: int = 0
    """Hikvision: this many placeholder presets in the list."""
    preset_reboots: bool = False
    """One of the factory presets (94, "Remote reboot") reboots the camera."""
    setpreset_fails_moving: bool = False
    """SetPreset faults while the head moves."""
    burst_reboots: int = 0
    """More than this many requests in one second reboot the camera (0: never)."""
    # --- the link and the machine
    drop_link: bool = False
    """Everything hangs: connections stay open and nothing is answered or sent."""
    refuse_connections: bool = False
    """The ports are closed."""
    hang_up: bool = False
    """ONVIF connections are cut as soon as something is asked."""
    setuser_unheard: bool = False
    """The link dies with SetUser on its way: nothing is carried out, and ``hang_up`` is on from then on."""
    setuser_unanswered: bool = False
    """SetUser is carried out and the link dies before the answer: ``hang_up`` is on from then on."""
    setuser_ignored: bool = False
    """SetUser answers and changes nothing."""
    setuser_refused: bool = False
    """SetUser faults: the password is too weak."""
    garbage: bool = False
    """HTTP and RTSP answer random bytes."""
    endless_body: bool = False
    """HTTP answers never end."""
    entity_bomb: bool = False
    """SOAP answers carry a DTD with exponential entities."""
    gzip_bomb: bool = False
    """HTTP answers are a gzip bomb."""
    redirect_to_loopback: bool = False
    """Every HTTP answer is a redirect to http://127.0.0.1:1/."""
    clock_error_s: float = 0.0
    """The camera's clock minus the true time."""
    clock_jump_s: float = 0.0
    """Added to the clock error the moment it is set: sender reports and the strip jump."""
    session_slots: int = 0
    """At most this many RTSP sessions (0: 16); more get 453 Not Enough Bandwidth."""
    # --- the picture
    freeze_picture: bool = False
    """Frames go on, the picture and its strip stand still."""
    resolution_change: bool = False
    """The main stream switches between its size and half of it each time this turns on or off, mid-stream."""
    packet_loss: float = 0.0
    """Share of RTP packets left out, 0..1."""
    no_keyframes: bool = False
    """No keyframe after the first; requests for one are ignored."""
    no_sender_reports: bool = False
    """RTCP sender reports are never sent."""
    rtp_info_zero: bool = False
    """RTP-Info says seq=0 whatever the first packet carries."""
    marker_on_sei: bool = False
    """The RTP marker comes on an SEI before the picture's slices too."""
    annexb_in_rtp: bool = False
    """NAL units start with Annex B start codes inside RTP payloads."""
