"""Who listens hears everything, whoever else listens."""

from structlog.testing import capture_logs

from gateway.listeners import Listeners


def fails(_change: str) -> None:
    """Hear nothing."""
    raise ValueError


def test_everybody_hears_of_a_change_behind_somebody_who_fails() -> None:
    """Whoever tells does not learn of it: the log does, once for each change, and by whom."""
    listeners, heard = Listeners[[str]]("room.untold"), list[str]()
    listeners.add(fails)
    listeners.add(heard.append)
    with capture_logs() as logged:
        listeners.tell("a")
        listeners.tell("b")
    assert heard == ["a", "b"]
    assert [(one["event"], one["listener"], one["log_level"]) for one in logged] == [
        ("room.untold", "fails", "error")
    ] * 2


def test_who_left_hears_no_more() -> None:
    """However often it leaves."""
    listeners, heard = Listeners[[str]]("room.untold"), list[str]()
    leave = listeners.add(heard.append)
    listeners.tell("a")
    leave()
    leave()
    listeners.tell("b")
    assert heard == ["a"]
