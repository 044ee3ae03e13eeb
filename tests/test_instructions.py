"""The engine's instructions a packet are compared with the figures kept."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[1] / "bench"


@pytest.fixture
def instructions(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script."""
    monkeypatch.syspath_prepend(str(BENCH))
    monkeypatch.delitem(sys.modules, "instructions", raising=False)
    return importlib.import_module("instructions")


@pytest.mark.parametrize(
    ("count", "good", "told"),
    [
        (1_000, True, "(+0.0% against 1,000)"),
        (1_050, True, "(+5.0% against 1,000)"),
        (1_051, False, "WORSE: +5.1% against 1,000"),
        (940, True, "better: -6.0% against 1,000; keep it with --update"),
    ],
)
def test_more_instructions_than_tolerated_are_no_good(
    instructions: ModuleType, count: int, good: bool, told: str
) -> None:
    now, before = (instructions.Figures("rustc 1", "x86_64", {"mix": figure}) for figure in (count, 1_000))
    assert instructions.judged(now, before)[0] == good
    assert told in instructions.judged(now, before)[1][0]


@pytest.mark.parametrize("before", [None, ("rustc 0", "x86_64", {"mix": 10}), ("rustc 1", "arm64", {"mix": 10})])
def test_figures_of_another_compiler_or_machine_are_not_compared(
    instructions: ModuleType, before: tuple[str, str, dict[str, int]] | None
) -> None:
    now = instructions.Figures("rustc 1", "x86_64", {"mix": 1_000})
    good, lines = instructions.judged(now, instructions.Figures(*before) if before else None)
    assert good
    assert "no figure to compare with" in lines[0]


def test_what_is_kept_is_read_again(instructions: ModuleType, tmp_path: Path) -> None:
    figures = instructions.Figures("rustc 1", "x86_64", {"polling, pdus": 2, "mix, pdus": 3})
    path = tmp_path / "figures.toml"
    assert instructions.kept(path) is None
    path.write_text(figures.text(), encoding="utf-8")
    assert instructions.kept(path) == figures
