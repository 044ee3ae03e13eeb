"""The folders at the top are the packages under `zonewatch`, in a checkout and in what is built from it."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("sensor", "reports", "rules", "inventory", "dissectors")
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_folder_has_its_import_name(folder: str) -> None:
    link = ROOT / "zonewatch" / folder
    assert link.is_symlink()
    assert link.readlink() == Path("..") / folder
    module = importlib.import_module(f"zonewatch.{folder}")
    assert module.__file__ is not None
    assert Path(module.__file__).resolve() == ROOT / folder / "__init__.py"


def test_nothing_else_is_linked() -> None:
    assert {path.name for path in (ROOT / "zonewatch").iterdir() if path.is_symlink()} == set(FOLDERS)


PLUGIN = ("sigma.pipelines.zonewatch", "rules/siem/plugin")
"""Lies where pySigma looks for pipelines once it is installed."""


def test_every_package_is_built() -> None:
    found = {
        ".".join(("zonewatch", *file.parent.relative_to(ROOT).parts))
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("__init__.py")
    }
    found -= {f"zonewatch.{PLUGIN[1].replace('/', '.')}"}
    assert found | {"zonewatch", PLUGIN[0]} == set(SETUPTOOLS["packages"])


def test_every_folder_is_mapped() -> None:
    mapped = {name.removeprefix("zonewatch."): folder for name, folder in SETUPTOOLS["package-dir"].items()}
    assert mapped == {name: name for name in (*FOLDERS, "zonewatch")} | dict([PLUGIN])


def test_what_needs_real_servers_is_where_it_is_looked_for() -> None:
    """`make test-integration` reads that folder alone."""
    marked = {path for path in (ROOT / "tests").rglob("test_*.py") if "mark.integration" in path.read_text("utf-8")}
    assert {path for path in marked if ROOT / "tests" / "integration" not in path.parents} == {Path(__file__)}
