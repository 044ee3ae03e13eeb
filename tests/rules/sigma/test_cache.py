"""Rules read before: the same as rules read anew, and never in the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.rules.sigma.rules import TAXONOMY
from tests.rules.sigma.test_load import CORRELATION, RULE
from zonewatch.rules.sigma import cache
from zonewatch.rules.sigma.load import load
from zonewatch.rules.sigma.model import RuleErrors

EVERY_KIND = """\
title: All
name: all
logsource: {category: c, service: modbus}
detection:
  one: {text: [a, 'b*c', 5], word|cased: X, other|re|i: 'a+', address|cidr: 10.0.0.0/8, number|gte: 5}
  two: [{moment|hour: 5, text: null}, {text|fieldref: word}]
  three: [keyword, 5]
  condition: one and not two or three
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yml").write_text(f"{RULE}---\n{CORRELATION}---\n{EVERY_KIND}")
    return tmp_path


def test_what_was_read_before_is_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    anew = cache.rules([folder / "rules"], TAXONOMY, folder=folder / "cache")
    assert anew == load([folder / "rules"], TAXONOMY)
    monkeypatch.setattr("zonewatch.rules.sigma.load.load", None)
    assert cache.rules([folder / "rules"], TAXONOMY, folder=folder / "cache") == anew
    (path,) = (folder / "cache").iterdir()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("change", ["text", "name", "taxonomy", "placeholders", "version"])
def test_any_change_is_read_anew(folder: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    roots, target = [folder / "rules"], folder / "cache"
    cache.rules(roots, TAXONOMY, folder=target)
    placeholders, taxonomy = {}, TAXONOMY
    if change == "text":
        (folder / "rules" / "a.yml").write_text(RULE)
    elif change == "name":
        (folder / "rules" / "a.yml").rename(folder / "rules" / "b.yml")
    elif change == "taxonomy":
        taxonomy = TAXONOMY | {"d": TAXONOMY["c"]}
    elif change == "placeholders":
        placeholders = {"x": ["y"]}
    else:
        monkeypatch.setattr("zonewatch.__version__", "0.0.0")
    assert cache.rules(roots, taxonomy, placeholders, folder=target) == load(roots, taxonomy, placeholders)
    assert len(list(target.iterdir())) == 2


@pytest.mark.parametrize("damage", ["", "x", "\n{}", "cut", "changed"])
def test_a_damaged_cache_is_as_none(folder: Path, damage: str) -> None:
    roots, target = [folder / "rules"], folder / "cache"
    anew = cache.rules(roots, TAXONOMY, folder=target)
    (path,) = target.iterdir()
    data = path.read_bytes()
    told = {"cut": data[:-5], "changed": data.replace(b'"high"', b'"low"')}
    path.write_bytes(told.get(damage, damage.encode()))
    assert cache.rules(roots, TAXONOMY, folder=target) == anew
    assert path.read_bytes() == data


def test_a_cache_that_cannot_be_written(folder: Path) -> None:
    (folder / "cache").write_text("a file")
    found = cache.rules([folder / "rules"], TAXONOMY, folder=folder / "cache")
    assert len(found.rules) == 2


def test_wrong_rules_are_not_kept(folder: Path) -> None:
    (folder / "rules" / "b.yml").write_text("title: [")
    with pytest.raises(RuleErrors):
        cache.rules([folder / "rules"], TAXONOMY, folder=folder / "cache")
    assert not (folder / "cache").exists()


def test_old_caches_go(folder: Path) -> None:
    for number in range(12):
        (folder / "rules" / "a.yml").write_text(RULE.replace("Ask", f"Ask {number}"))
        cache.rules([folder / "rules"], TAXONOMY, folder=folder / "cache")
    assert len(list((folder / "cache").iterdir())) == 8


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.user_folder() == Path("/somewhere/zonewatch")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", "/home/someone")
    assert cache.user_folder() == Path("/home/someone/.cache/zonewatch")


def test_pysigma_is_not_imported_for_what_is_kept(folder: Path) -> None:
    made = RULE.replace("category: c", "category: ot_operation").replace("text|contains", "ot.target.text|contains")
    made = made[: made.index("fields:")].replace("number", "ot.value").replace("word", "ot.unit")
    (folder / "rules" / "a.yml").write_text(made)
    code = (
        "import sys; from pathlib import Path; from zonewatch.rules.sigma.cache import rules;"
        "found = rules([Path(sys.argv[1])], folder=Path(sys.argv[2]));"
        "print(len(found.rules), 'sigma.rule' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(folder / "rules"), str(folder / "cache")]
    told = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert told == ["1 True\n", "1 False\n"]
