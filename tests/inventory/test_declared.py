"""The asset list: what is read, and how faults are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonewatch.inventory.declared import DeclaredAsset, read_assets
from zonewatch.inventory.lists import ListError
from zonewatch.inventory.model import ROLES


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "assets.csv"


def test_a_whole_list(path: Path) -> None:
    path.write_bytes(
        "\ufeffid,Name,addresses,mac,role,zone,vendor,model,criticality\r\n"
        'plc-3,"Filter, 3",10.0.0.3; FD00:0::3,00-80-F4-00-00-20,PLC,filtration,Schneider,M340,High\r\n'
        "\r\n"
        "hmi-1,,10.0.0.4\r\n".encode()
    )
    assert read_assets(path) == (
        DeclaredAsset(
            "plc-3",
            "Filter, 3",
            ("10.0.0.3", "fd00::3"),
            "00:80:f4:00:00:20",
            "controller",
            "filtration",
            "Schneider",
            "M340",
            "high",
        ),
        DeclaredAsset("hmi-1", addresses=("10.0.0.4",)),
    )


@pytest.mark.parametrize("role", ROLES)
def test_every_role_can_be_declared(path: Path, role: str) -> None:
    path.write_text(f"id,mac,role\nx,00:80:f4:00:00:20,{role.replace('_', ' ').title()}\n")
    assert read_assets(path)[0].role == role


@pytest.mark.parametrize(
    ("text", "line", "column", "problem"),
    [
        ("", 1, "", "is empty"),
        ("id,adresses\n", 1, "adresses", "unknown column 'adresses'; did you mean 'addresses'?"),
        ("id;addresses\nx;10.0.0.1\n", 1, "", "columns are separated by ';'; a comma is expected"),
        ("id,id\n", 1, "id", "there twice"),
        ("name,mac\n", 1, "id", "'id' is missing"),
        ("id,addresses\n,10.0.0.1\n", 2, "id", "is empty"),
        ("id,addresses\nx,10.0.0.1\ny,10.0.0.300\n", 3, "addresses", "'10.0.0.300' is no IPv4 or IPv6 address"),
        ("id,addresses\nx,10.0.0.0/24\n", 2, "addresses", "no subnets"),
        ("id,addresses\nx,10.0.0.1,10.0.0.2\n", 2, "", "separated by ';'"),
        ("id,addresses,role\nx,10.0.0.1,controler\n", 2, "role", "did you mean 'controller'?"),
        ("id,addresses,role\nx,10.0.0.1,qqq\n", 2, "role", "known are controller, "),
        ("id,mac\nx,00:80\n", 2, "mac", "no MAC address"),
        ("id,addresses,criticality\nx,10.0.0.1,hihg\n", 2, "criticality", "did you mean 'high'?"),
        ("id,addresses\nx,\n", 2, "addresses", "needs an address or a mac"),
        ("id,addresses\nx,10.0.0.1\nx,10.0.0.2\n", 3, "id", "'x' is also in line 2"),
        ("id,addresses\nx,10.0.0.1\ny,10.0.0.1\n", 3, "addresses", "also in line 2"),
        ('id,addresses\n"x,10.0.0.1\n', 3, "", "is not a CSV file"),
    ],
)
def test_faults_have_a_place(path: Path, text: str, line: int, column: str, problem: str) -> None:
    path.write_text(text)
    with pytest.raises(ListError) as caught:
        read_assets(path)
    error = caught.value
    assert problem in error.problem
    assert (error.column, error.path) == (column, path)
    assert error.line in (line, line - 1) if "CSV" in problem else error.line == line
    assert str(error).startswith(f"{path}:{error.line}: ")


def test_a_missing_or_foreign_file_is_one_line(path: Path) -> None:
    with pytest.raises(ListError, match="No such file"):
        read_assets(path)
    path.write_bytes(b"\xd4\xc3\xb2\xa1\xff")
    with pytest.raises(ListError, match="not UTF-8"):
        read_assets(path)


@given(text=st.text(alphabet='id,\n";x.10:/\0\r', max_size=60))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(f"id,addresses\n{text}".encode())
    problem = ""
    try:
        read_assets(file)
    except ListError as error:
        problem = str(error)
    assert "\n" not in problem
