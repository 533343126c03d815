"""A camera's picture over time."""

import numpy as np

from gateway.health.picture import HEIGHT, WIDTH, Grey
from gateway.health.view import halved
from gateway.health.watch import FIRM_LOOKS, FROZEN, LOST_NS, Finding, PictureWatch
from kernel.clock import NS_PER_S
from kernel.media import PictureFault
from tests.unit.health.drawn import shot, softened, street

STEP_S = 30


class Watching:
    """Looks at a picture each half minute; ``at`` is how many seconds have gone."""

    def __init__(self, reference: Grey | None = None) -> None:
        self.watch = PictureWatch(reference)
        self.at = 0

    def see(self, *pictures: Grey) -> Finding | None:
        """Look at pictures in turn; return what stands."""
        for picture in pictures:
            self.at += STEP_S
            self.watch.looked(picture, wall_ns=1_000 * NS_PER_S + self.at * NS_PER_S, monotonic_ns=self.at * NS_PER_S)
        return self.watch.finding

    def since(self, at: int, fault: PictureFault) -> Finding:
        """Return the finding that a fault of then would be."""
        return Finding(fault, (1_000 + at) * NS_PER_S)


def lively(count: int, *, right: int = 0) -> list[Grey]:
    """Return so many pictures of a street, each with its own noise."""
    return [shot(street(), noise=place + 1, right=right) for place in range(count)]


def black() -> Grey:
    """Return a black picture."""
    return shot(street(), light=0.0)


def test_a_fault_stands_once_it_was_seen_again_and_again() -> None:
    """At the third look in a row, since the first."""
    watching = Watching()
    watching.see(*lively(2))
    assert watching.see(black(), black()) is None
    assert watching.see(black()) == watching.since(3 * STEP_S, PictureFault.BLACK)


def test_what_passes_is_no_fault() -> None:
    """Two looks in three never make one."""
    watching = Watching()
    for place in range(6):
        assert watching.see(black(), black(), shot(street(), noise=place + 1)) is None


def test_a_fault_is_over_after_as_many_good_looks() -> None:
    """Not at the first."""
    watching = Watching()
    watching.see(*[black()] * FIRM_LOOKS)
    assert watching.see(*lively(2)) is not None
    assert watching.see(*lively(1)) is None


def test_one_fault_gives_way_to_another() -> None:
    """A blurred lens that is then covered is covered, since then."""
    watching = Watching()
    soft = [softened(one, 6) for one in lively(FIRM_LOOKS)]
    assert watching.see(*soft) == watching.since(STEP_S, PictureFault.BLURRED)
    assert watching.see(*[black()] * FIRM_LOOKS) == watching.since((FIRM_LOOKS + 1) * STEP_S, PictureFault.BLACK)


def test_a_picture_that_stands_is_frozen_since_it_came() -> None:
    """After ten minutes in which nothing changed but what is coded anew, and a clock that is written into it."""
    watching = Watching()
    still, looks = shot(street()), FROZEN[0][1] // NS_PER_S // STEP_S
    coded = [still.copy() for _ in range(looks + 1)]
    for place, picture in enumerate(coded):
        picture[80:90] += place % 2
        picture[:16, : place * 4] = 255
    assert watching.see(*coded[:-1]) is None
    assert watching.see(coded[-1]) == watching.since(STEP_S, PictureFault.FROZEN)


def test_a_picture_that_stands_and_is_coded_worse_is_frozen_too() -> None:
    """After three hours in which nothing changed by more than a coder changes it; not before."""
    watching = Watching()
    still, looks = shot(street(), light=0.9), FROZEN[1][1] // NS_PER_S // STEP_S
    coded = [still + np.uint8(8 * (place % 2)) for place in range(looks + 1)]
    assert watching.see(*coded[:-1]) is None
    assert watching.see(coded[-1]) == watching.since(STEP_S, PictureFault.FROZEN)


def test_an_empty_street_is_not_frozen() -> None:
    """Its sensor's noise changes it."""
    assert Watching().see(*lively(60)) is None


def test_a_frozen_picture_that_moves_again_is_well() -> None:
    """After three looks."""
    watching = Watching()
    watching.see(*[shot(street())] * 30)
    assert watching.see(*lively(FIRM_LOOKS)) is None


def test_a_camera_that_was_turned_has_moved() -> None:
    """Against its reference view; by as much as it sees the street elsewhere."""
    watching = Watching(halved(shot(street())))
    assert watching.see(*lively(5)) is None
    assert watching.see(*lively(FIRM_LOOKS, right=40)) == watching.since(6 * STEP_S, PictureFault.MOVED)


def test_a_camera_that_shows_another_street_has_moved() -> None:
    """Once nothing of its view was to be seen for ten minutes, since then; a lorry that goes before is none."""
    watching = Watching(halved(shot(street())))
    other = [shot(street(2), noise=place + 1) for place in range(LOST_NS // NS_PER_S // STEP_S + 1)]
    assert watching.see(*lively(3)) is None
    assert watching.see(*other[:-1], *lively(1)) is None
    since_s = watching.at + STEP_S
    assert watching.see(*other) == watching.since(since_s, PictureFault.MOVED)


def test_what_the_dark_or_fog_hides_has_not_moved() -> None:
    """Nothing of the view is to be seen, nor of anything else."""
    for light in (0.2, 1.0):
        watching = Watching(halved(shot(street())))
        hidden = [shot(street(2), noise=place + 1, light=light) for place in range(40)]
        for picture in hidden:
            if light == 1.0:
                picture[20:100] = 190
        assert watching.see(*hidden) is None


def test_without_a_reference_view_nothing_moves() -> None:
    """There is nothing to compare with."""
    watching = Watching()
    assert watching.see(*lively(5), *lively(5, right=40)) is None


def test_another_reference_view_is_begun_anew_with() -> None:
    """A view that is confirmed has not moved from then on."""
    watching = Watching(halved(shot(street())))
    watching.see(*lively(5, right=40))
    watching.watch.compare_with(halved(shot(street(), right=40)))
    assert watching.watch.finding is None
    assert watching.see(*lively(5, right=40)) is None


def test_no_picture_is_no_fault_of_the_picture() -> None:
    """What stood is forgotten with the stream, and is looked for anew."""
    watching = Watching()
    watching.see(*[black()] * FIRM_LOOKS)
    watching.watch.blind()
    assert watching.watch.finding is None
    assert watching.see(black(), black()) is None


def test_pictures_have_the_size_that_is_looked_at() -> None:
    """What is drawn here is what a look gives."""
    assert shot(street()).shape == (HEIGHT, WIDTH)


def test_a_head_that_looks_elsewhere_is_not_compared() -> None:
    """However long it does, whatever it shows."""
    watching = Watching(halved(shot(street())))
    for picture in lively(30, right=40):
        watching.at += STEP_S
        at_ns = watching.at * NS_PER_S
        assert watching.watch.looked(picture, wall_ns=at_ns, monotonic_ns=at_ns, comparable=False) is None


def test_what_was_found_stands_until_the_head_is_back() -> None:
    """Its looks elsewhere neither end it nor count; back and as it should be, it is over after as many good looks."""
    watching = Watching(halved(shot(street())))

    def elsewhere() -> Finding | None:
        for picture in lively(5):
            watching.at += STEP_S
            at_ns = watching.at * NS_PER_S
            found = watching.watch.looked(picture, wall_ns=at_ns, monotonic_ns=at_ns, comparable=False)
        return found

    watching.see(*lively(2, right=40))
    assert elsewhere() is None
    moved = watching.see(*lively(1, right=40))
    assert moved == watching.since(STEP_S, PictureFault.MOVED)
    assert elsewhere() == moved
    assert watching.see(*lively(2)) == moved
    assert watching.see(*lively(1)) is None
