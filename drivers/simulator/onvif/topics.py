"""Topics: the tree that GetEventProperties shows, and the ConcreteSet expressions that filter it (ONVIF Core 9.6.3)."""

from drivers.simulator import happenings
from drivers.simulator.onvif.markup import Element, el

CONCRETE_SET = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"

_TOKEN, _BOOLEAN = "tt:ReferenceToken", "xs:boolean"
_DESCRIBED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    happenings.MOTION_ALARM: ({"Source": _TOKEN}, {"State": _BOOLEAN}),
    happenings.TAMPER: ({"Source": _TOKEN}, {"State": _BOOLEAN}),
    happenings.CELL_MOTION: (
        {"VideoSourceConfigurationToken": _TOKEN, "VideoAnalyticsConfigurationToken": _TOKEN, "Rule": "xs:string"},
        {"IsMotion": _BOOLEAN},
    ),
    happenings.DIGITAL_INPUT: ({"InputToken": _TOKEN}, {"LogicalState": _BOOLEAN}),
    happenings.RELAY: ({"RelayToken": _TOKEN}, {"LogicalState": "tt:RelayLogicalState"}),
}
"""Topic -> items of its source and of its data, with their types. Topics of one branch stand together."""


def matches(expression: str, topic: str) -> bool:
    """Return whether a ConcreteSet expression lets ``topic`` through; an empty one lets everything.

    Alternatives stand between ``|``; ``//.`` at the end takes a whole branch. Prefixes are the client's own, so
    only names are compared.
    """
    if not expression:
        return True
    path = _names(topic)
    for alternative in expression.split("|"):
        one = alternative.strip()
        branch = one.endswith("//.")
        names = _names(one.removesuffix("//."))
        if names == (path[: len(names)] if branch else path):
            return True
    return False


def _names(topic: str) -> list[str]:
    return [part.rpartition(":")[2] for part in topic.strip().split("/") if part]


def topic_set() -> Element:
    """Return the wstop:TopicSet with the description of every message."""
    tree: dict[str, object] = {}
    for topic in _DESCRIBED:
        branch = tree
        *parents, leaf = topic.split("/")
        for name in parents:
            child = branch.setdefault(name, {})
            assert isinstance(child, dict)
            branch = child
        branch[leaf] = topic
    return el("wstop:TopicSet", _branches(tree))


def _branches(tree: dict[str, object]) -> list[Element]:
    drawn = []
    for name, below in tree.items():
        if isinstance(below, dict):
            drawn.append(el(name, _branches(below)))
        else:
            drawn.append(el(name, _description(*_DESCRIBED[str(below)]), wstop__topic=True))
    return drawn


def _description(source: dict[str, str], data: dict[str, str]) -> Element:
    def items(name: str, kinds: dict[str, str]) -> Element:
        return el(f"tt:{name}", [el("tt:SimpleItemDescription", Name=item, Type=kind) for item, kind in kinds.items()])

    return el("tt:MessageDescription", items("Source", source), items("Data", data), IsProperty=True)
