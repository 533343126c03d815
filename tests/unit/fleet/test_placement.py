"""Which host takes a camera, and which cameras move when the number of hosts changes."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.fleet.cameras import Camera
from gateway.fleet.load import HostLoad
from gateway.fleet.placement import BITS_PER_PIXEL, Burden, lightest, moves
from kernel.ids import CameraId
from tests.fakes.descriptions import description, view


def load(*, cameras: int = 0, cpu: float = 0.0, mbit: float = 0.0) -> HostLoad:
    """Return what a host tells that carries so much."""
    return HostLoad(
        cameras=cameras,
        streams_live=cameras,
        recording=cameras,
        viewers=0,
        viewers_max=300,
        transcodes=0,
        transcodes_max=2,
        mbit_s=mbit,
        frames_s=25.0 * cameras,
        packets_lost=0,
        cpu_percent=cpu,
        memory_bytes=1,
        loop_lag_p99_ms=0.0,
        loop_lag_max_ms=0.0,
        record_lane_bytes=0,
        record_lane_max_bytes=0,
        record_lane_limit_bytes=1,
        live_lane_pictures=0,
        pictures_dropped=0,
        gaps=0,
    )


def burden(cameras: int, *, cpu: float, mbit: float, up: bool = True) -> Burden:
    """Return a host that has told of all its cameras."""
    return Burden(up=up, cameras=cameras, load=load(cameras=cameras, cpu=cpu, mbit=mbit))


def camera(name: str, *, host: int, device: str | None = None, kbit: int | None = 4000) -> Camera:
    """Return an enrolled camera with one stream."""
    seen = view()
    main = seen.main.model_copy(update={"bitrate_kbit": kbit})
    return Camera(
        id=CameraId(name),
        device_id=device or name,
        number=1,
        name=name,
        street="",
        group="",
        place=None,
        bearing_deg=None,
        hfov_deg=None,
        recording=True,
        host=host,
        enrolled_ns=1,
        address="192.0.2.1",
        view=seen.model_copy(update={"main": main, "sub": None}),
        description=description(),
    )


def test_a_new_camera_goes_where_least_is_carried() -> None:
    """Fewer cameras are no less work where they are heavy ones."""
    heavy = burden(10, cpu=80.0, mbit=160.0)
    light = burden(12, cpu=20.0, mbit=30.0)
    assert lightest([heavy, light]) == 1
    assert lightest([light, heavy]) == 0


def test_viewers_count_as_work() -> None:
    """Of two hosts with the same cameras the one whose viewers cost less takes the next."""
    assert lightest([burden(10, cpu=60.0, mbit=40.0), burden(10, cpu=30.0, mbit=40.0)]) == 1


def test_a_host_that_is_down_gets_none_while_another_is_up() -> None:
    """Even one that carries nothing; with all of them down the lightest gets it, for when it is back."""
    down = Burden(up=False, cameras=0)
    assert lightest([down, burden(300, cpu=90.0, mbit=1200.0)]) == 1
    assert lightest([Burden(up=False, cameras=5), down]) == 1


def test_cameras_given_since_the_last_word_are_reckoned_with() -> None:
    """A crowd enrolled within one second does not all go to one host."""
    placed = [0, 0, 0]
    told = load(cameras=0)
    for _ in range(30):
        placed[lightest([Burden(up=True, cameras=count, load=told) for count in placed])] += 1
    assert placed == [10, 10, 10]


def test_a_host_that_has_not_told_its_load_is_taken_for_an_average_one() -> None:
    """A host that was restarted a moment ago and carries as many cameras is no empty host."""
    quiet = Burden(up=True, cameras=100)
    assert lightest([quiet, burden(50, cpu=15.0, mbit=200.0)]) == 1
    assert lightest([quiet, burden(150, cpu=45.0, mbit=600.0)]) == 0


BURDENS = st.lists(
    st.builds(
        lambda up, cameras, told, cpu, mbit: Burden(
            up=up, cameras=cameras, load=load(cameras=told, cpu=cpu, mbit=mbit) if told is not None else None
        ),
        st.booleans(),
        st.integers(0, 400),
        st.none() | st.integers(0, 400),
        st.floats(0.0, 100.0),
        st.floats(0.0, 2000.0),
    ),
    min_size=1,
    max_size=8,
)


@given(BURDENS)
def test_the_choice_is_a_host_that_is_up_where_any_is(hosts: list[Burden]) -> None:
    """Whatever hosts tell, the choice is one of them, up if one is, and never one that carries more of everything."""
    chosen = lightest(hosts)
    assert hosts[chosen].up or not any(host.up for host in hosts)
    assert 0 <= chosen < len(hosts)
    mine = hosts[chosen]
    for other in hosts:
        if not (other.up and mine.up and other.load and mine.load):
            continue
        less = other.cameras < mine.cameras
        less = less and other.cameras <= other.load.cameras and mine.cameras <= mine.load.cameras
        less = less and other.load.cpu_percent < mine.load.cpu_percent and other.load.mbit_s < mine.load.mbit_s
        assert not less, "another host carried less of everything"


@st.composite
def fleets(draw: st.DrawFn) -> tuple[list[Camera], int]:
    """Draw devices with one to three views each, placed on hosts of which some may be no more."""
    hosts = draw(st.integers(1, 6))
    cameras: list[Camera] = []
    for device in range(draw(st.integers(0, 25))):
        host = draw(st.integers(0, 7))
        cameras += [
            camera(f"{device}-{number}", host=host, device=str(device), kbit=draw(st.none() | st.integers(1, 20_000)))
            for number in range(draw(st.integers(1, 3)))
        ]
    return cameras, hosts


def _after(cameras: list[Camera], hosts: int) -> dict[CameraId, int]:
    moved = moves(cameras, hosts)
    return {one.id: moved.get(one.id, one.host) for one in cameras}


@given(fleets())
def test_every_camera_has_a_host_and_a_device_only_one(fleet: tuple[list[Camera], int]) -> None:
    """After a change of the number of hosts no camera is left out, and no device is torn apart."""
    cameras, hosts = fleet
    at = _after(cameras, hosts)
    assert all(0 <= host < hosts for host in at.values())
    devices = {one.device_id: {at[two.id] for two in cameras if two.device_id == one.device_id} for one in cameras}
    assert all(len(of) == 1 for of in devices.values())


@given(fleets())
def test_cameras_stay_where_every_host_has_some(fleet: tuple[list[Camera], int]) -> None:
    """With as many hosts as before, none of them empty, nothing moves: moving is a gap in the recording."""
    cameras, hosts = fleet
    at = _after(cameras, hosts)
    settled = [camera(one.id, host=at[one.id], device=one.device_id) for one in cameras]
    if set(at.values()) == set(range(hosts)):
        assert moves(settled, hosts) == {}


@given(fleets())
def test_only_the_homeless_and_a_new_hosts_share_move(fleet: tuple[list[Camera], int]) -> None:
    """Whoever had a host either keeps it or goes to one that had nothing."""
    cameras, hosts = fleet
    empty = set(range(hosts)) - {one.host for one in cameras}
    for one in cameras:
        if one.host < hosts:
            assert _after(cameras, hosts)[one.id] in {one.host} | empty


def test_a_new_host_takes_its_share_of_the_work_not_of_the_number() -> None:
    """Beside one host with eight small cameras and four large ones a second one comes to carry about half."""
    cameras = [camera(f"s{n}", host=0, kbit=1000) for n in range(8)]
    cameras += [camera(f"l{n}", host=0, kbit=4000) for n in range(4)]
    at = _after(cameras, 2)
    carried = [sum((4 if one.id.startswith("l") else 1) for one in cameras if at[one.id] == host) for host in (0, 1)]
    assert abs(carried[0] - carried[1]) <= 4


def test_a_camera_that_does_not_tell_its_rate_is_guessed_by_its_picture() -> None:
    """A large picture counts for more than a small one."""
    large = camera("large", host=9, kbit=None)
    small = [camera(f"small-{n}", host=9, kbit=round(1280 * 720 * 12.5 * BITS_PER_PIXEL / 3000)) for n in range(3)]
    at = _after([large, *small], 2)
    assert {at[one.id] for one in small} == {1 - at[large.id]}
