"""Answers of an examination: what was found, the figures it rests on, and what to do. For a terminal, or as JSON."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final, Literal

from rich.padding import Padding
from rich.text import Text

from zonewatch.reports.rows import Console, lenient
from zonewatch.reports.words import Mark, visible

__all__ = ["Answer", "AnswerForm", "State", "as_json", "command_text", "render", "worst"]

State = Literal["wrong", "note", "good"]
_MARKS: Final[dict[State, Mark]] = {
    "wrong": Mark("wrong", "✗", "x", "mend it"),
    "note": Mark("note", "~", "~", "look at it"),
    "good": Mark("good", "✓", "+", "as it should be"),
}
_STYLES: Final[dict[State, str]] = {"wrong": "bold red", "note": "yellow", "good": "green"}


class AnswerForm(StrEnum):
    """Forms of the answers."""

    text = "text"
    json = "json"


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and its answer."""

    id: str
    state: State
    what: str  # a sentence
    because: str = ""  # figures, or why it matters
    remedy: str = ""  # what a person does
    commands: tuple[tuple[str, ...], ...] = ()  # what mends it


def worst(answers: Iterable[Answer]) -> State:
    """The gravest state among them; good where there are none."""
    order = tuple(_MARKS)
    return min((answer.state for answer in answers), key=order.index, default="good")


def as_json(answers: Sequence[Answer], **about: object) -> str:
    """All answers as one object, with what is said of all of them."""
    return json.dumps({**about, "state": worst(answers), "answers": [asdict(answer) for answer in answers]}, indent=2)


def command_text(command: Sequence[str]) -> str:
    """A command as it is typed."""
    return shlex.join(command)


def render(answers: Iterable[Answer], console: Console) -> None:
    """Prints the answers, the gravest first; the meaning never rests on colour."""
    lenient(console.file)
    ascii_only = not console.encoding.lower().startswith("utf")
    order = tuple(_MARKS)
    for answer in sorted(answers, key=lambda answer: order.index(answer.state)):
        mark = _MARKS[answer.state]
        sign = mark.ascii if ascii_only else mark.symbol
        head = Text.assemble((f"{sign} {mark.word:<5} ", _STYLES[answer.state]), (visible(answer.what), "bold"))
        head.no_wrap = False
        console.print(head)
        for line, style in ((answer.because, "dim"), (answer.remedy, "")):
            if line:
                console.print(Padding(Text(visible(line), style=style), (0, 0, 0, 8), expand=False))
        for command in answer.commands:
            console.print(f"        $ {visible(command_text(command))}", markup=False, highlight=False, soft_wrap=True)
