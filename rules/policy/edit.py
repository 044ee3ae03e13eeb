"""Changes of a policy file that leave every other character, and so every comment, as it is.

    edited(text, [Replace(("defaults", "between_zones"), "deny"), Remove(("conduits", 0, "flows", 2))])

Places are found in the nodes of the YAML text; only the text of a node is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from zonewatch.rules.policy.document import Place

_STEP: Final = "  "


class Replace(NamedTuple):
    """Another value at a place; `text` is YAML on one line."""

    path: Place
    text: str


class Remove(NamedTuple):
    """An item of a list, or a key with its value, taken away. Comments on lines of their own stay."""

    path: Place


class Add(NamedTuple):
    """A key with its value into the mapping at a place, or an item (without key) at the end of the list there.

    A key that is there without a value takes it.

    `text` is YAML on one line, or a mapping with a key on each line; it is indented, or put in braces, as its place is.
    """

    path: Place
    key: str
    text: str


Edit = Replace | Remove | Add


class EditError(ValueError):
    """A place that is not in the file, or whose form cannot take the change."""


class _Splice(NamedTuple):
    start: int
    end: int
    text: str


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made. Of edits that touch each other the first is made. Raises EditError."""
    root = YAML(typ="rt", pure=True).compose(text)
    splices = [_splice(text, root, edit) for edit in dict.fromkeys(edits)]
    taken: list[_Splice] = []
    for splice in splices:
        if not any(splice.start < other.end and other.start < splice.end for other in taken):
            taken.append(splice)
    for _, splice in sorted(enumerate(taken), key=lambda pair: (pair[1].start, pair[0]), reverse=True):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text


def _splice(text: str, root: Any, edit: Edit) -> _Splice:
    if isinstance(edit, Remove):
        return _removal(text, _at(root, edit.path[:-1]), edit.path[-1])
    node = _at(root, edit.path)
    if isinstance(edit, Add) and isinstance(node, MappingNode):
        written = next((value for key, value in node.value if key.value == edit.key), None)
        if written is not None and _is_empty(written) and "\n" not in edit.text:
            return _splice(text, root, Replace((*edit.path, edit.key), edit.text))
    start, lead = node.start_mark.index, " "
    if _is_empty(node) and edit.path:
        start, lead = _behind(text, _at(root, edit.path[:-1]), edit.path[-1])
    if isinstance(edit, Add):
        return _addition(text, node, start, lead, edit)
    if _is_empty(node):
        return _Splice(start, start, f"{lead}{edit.text}")
    return _Splice(start, _end(node), edit.text)


def _at(node: Any, path: Place) -> Any:
    for part in path:
        node = _child(node, part)
    return node


def _child(node: Any, part: str | int) -> Any:
    if isinstance(node, MappingNode):
        found = next((value for key, value in node.value if key.value == part), None)
        if found is not None:
            return found
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part]
    raise EditError(f"no {part!r} in the file")


def _behind(text: str, parent: Any, part: str | int) -> tuple[int, str]:
    """Where an empty value belongs and what leads it: behind its dash, or its key's colon, should there be one."""
    if isinstance(parent, MappingNode):
        key = next(key for key, _ in parent.value if key.value == part)
        end: int = key.end_mark.index
        colon = re.compile(r"\s*:").match(text, end)
        return (colon.end(), " ") if colon is not None else (end, ": ")
    return text.rfind("-", 0, _child(parent, part).start_mark.index) + 1, " "


def _is_empty(node: Any) -> bool:
    return isinstance(node, ScalarNode) and node.start_mark.index == node.end_mark.index


def _end(node: Any) -> int:
    """Where a node's own text ends: block collections end with their last part, not before the next token."""
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        return _parts(node)[-1][1]
    return int(node.end_mark.index)


def _line_start(text: str, place: int) -> int:
    return text.rfind("\n", 0, place) + 1


def _line_end(text: str, place: int) -> int:
    found = text.find("\n", place)
    return len(text) if found < 0 else found + 1


def _parts(node: Any) -> list[tuple[int, int]]:
    """Where each item, or key with its value, begins and ends."""
    if isinstance(node, MappingNode):
        return [(key.start_mark.index, _pair_end(node, key, value)) for key, value in node.value]
    return [(item.start_mark.index, _end(item)) for item in node.value]


def _pair_end(parent: Any, key: Any, value: Any) -> int:
    """An empty value in a block is marked where the next part begins."""
    return _end(key) + 1 if _is_empty(value) and not parent.flow_style else _end(value)


def _removal(text: str, parent: Any, part: str | int) -> _Splice:
    _child(parent, part)
    parts = _parts(parent)
    index = part if isinstance(part, int) else [key.value for key, _ in parent.value].index(part)
    start, end = parts[index]
    if parent.flow_style:
        if index + 1 < len(parts):
            return _Splice(start, parts[index + 1][0], "")
        return _Splice(parts[index - 1][1] if index else start, end, "")
    if len(parts) == 1:  # a block without parts would be no value at all
        return _Splice(parent.start_mark.index, _end(parent), "{}" if isinstance(parent, MappingNode) else "[]")
    first = _line_start(text, start)
    if isinstance(parent, MappingNode) and text[first:start].strip():
        # The first key of an item of a list stands behind its dash: the next key takes its place.
        return _Splice(start, parts[index + 1][0], "")
    return _Splice(first, _line_end(text, end), "")


def _addition(text: str, node: Any, start: int, lead: str, edit: Add) -> _Splice:
    block = isinstance(node, MappingNode | SequenceNode) and not node.flow_style
    inner = edit.text if block or "\n" not in edit.text else f"{{{', '.join(edit.text.splitlines())}}}"
    whole = f"{edit.key}: {inner}" if edit.key else inner
    if isinstance(node, ScalarNode) and not _is_empty(node):
        raise EditError(f"{'.'.join(map(str, edit.path))} is no mapping or list")
    parts = [] if isinstance(node, ScalarNode) else _parts(node)
    if isinstance(node, ScalarNode) or (node.flow_style and not parts):
        inside = f"{{{whole}}}" if edit.key else f"[{whole}]"
        return _Splice(start, start, f"{lead}{inside}") if _is_empty(node) else _Splice(start, _end(node), inside)
    start, end = parts[-1]
    if node.flow_style:
        return _Splice(end, end, f", {whole}")
    column = start - _line_start(text, start)
    dash = ""
    if isinstance(node, SequenceNode):
        column = text.rfind("-", _line_start(text, start), start) - _line_start(text, start)
        dash = "- "
    elif edit.key and "\n" in edit.text:
        whole = f"{edit.key}:\n" + "\n".join(_STEP + line for line in edit.text.splitlines())
    margin = " " * column
    lines = whole.splitlines()
    added = "".join(
        f"{margin}{dash if number == 0 else ' ' * len(dash)}{line}\n" if line else "\n"
        for number, line in enumerate(lines)
    )
    after = _line_end(text, end)
    if after == len(text) and not text.endswith("\n"):
        added = "\n" + added.rstrip("\n")
    return _Splice(after, after, added)
