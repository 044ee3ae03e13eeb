"""The tag list: what is read, and how faults are told."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonewatch.inventory.lists import ListError
from zonewatch.rules.tags.model import Tag
from zonewatch.rules.tags.read import COLUMNS, TYPES, read_tags

PLANT = Path(__file__).parents[3] / "pcaps" / "waterworks" / "tags.csv"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tags.csv"


def test_a_whole_list(path: Path) -> None:
    path.write_bytes(
        "\ufeffAsset,unit,kind,address,name,description,engineering_unit,scale,offset,data_type,low,high,safety,note\r\n"
        "plc-3,1,holding-register,40413,LSHH-101,High-level trip,%,0.1,,uint16,0,95,YES,as of the drawing\r\n"
        "\r\n"
        "FD00:0::3,,,400501-400504,FT-1,,m³/h,,-40,float32-swapped\r\n".encode()
    )
    assert read_tags(path) == (
        Tag(
            "plc-3",
            "holding-register",
            412,
            unit="1",
            name="LSHH-101",
            description="High-level trip",
            engineering_unit="%",
            scale=0.1,
            data_type="uint16",
            low=0.0,
            high=95.0,
            safety=True,
        ),
        Tag(
            "fd00::3",
            "holding-register",
            500,
            4,
            name="FT-1",
            engineering_unit="m³/h",
            offset=-40.0,
            data_type="float32-swapped",
        ),
    )


@pytest.mark.parametrize(
    ("kind", "address", "place"),
    [
        ("holding-register", "412", ("holding-register", 412, 1, "", None)),
        ("holding-register", "40413", ("holding-register", 412, 1, "", None)),
        ("holding-register", "400413", ("holding-register", 412, 1, "", None)),
        ("holding-register", "465536", ("holding-register", 65535, 1, "", None)),
        ("holding-register", "0x9ddd", ("holding-register", 40413, 1, "", None)),
        ("holding-register", "20000", ("holding-register", 20000, 1, "", None)),
        ("holding-register", "100 - 103", ("holding-register", 100, 4, "", None)),
        ("", "30001-30010", ("input-register", 0, 10, "", None)),
        ("", "10008", ("discrete-input", 7, 1, "", None)),
        ("coil", "00005", ("coil", 4, 1, "", None)),
        ("coil", "5", ("coil", 5, 1, "", None)),
        ("Analog-Value", "40001", ("analog-value", 40001, 1, "", None)),  # numbers of drawings are Modbus'
        ("", "DB7.8", ("data-block", 8, 1, "db7", None)),
        ("data-block", "db7.dbd8", ("data-block", 8, 1, "db7", None)),
        ("", "DB7.DBX8.3", ("data-block", 8, 1, "db7", 3)),
        ("flag", "10.7", ("flag", 10, 1, "", 7)),
    ],
)
def test_forms_of_addresses(path: Path, kind: str, address: str, place: tuple[str, int, int, str, int | None]) -> None:
    path.write_text(f"asset,kind,address,name\nplc-1,{kind},{address},X\n")
    (tag,) = read_tags(path)
    assert (tag.kind, tag.start, tag.count, tag.area, tag.bit) == place


@pytest.mark.parametrize(
    ("text", "line", "column", "problem"),
    [
        ("", 1, "", "is empty"),
        ("asset,adress,name\n", 1, "adress", "did you mean 'address'?"),
        ("asset,name\n", 1, "address", "'address' is missing"),
        ("asset,name,name\n", 1, "name", "there twice"),
        ("asset,address,name\n,40001,X\n", 2, "asset", "is empty"),
        ("asset,address,name\np,40001,\n", 2, "name", "is empty"),
        ("asset,address,name\np,40001,X,Y\n", 2, "", "put in quotes"),
        ("asset,address,name\np,,X\n", 2, "address", "is no address"),
        ("asset,address,name\np,412,X\n", 2, "address", "needs a kind"),
        ("asset,address,name\np,4x413,X\n", 2, "address", "is no address"),
        ("asset,address,name\np,40010-40001,X\n", 2, "address", "ends before it starts"),
        ("asset,address,name\np,40001-30002,X\n", 2, "address", "two tables"),
        ("asset,kind,address,name\np,coil,40413,X\n", 2, "address", "from 0 it is 0x9ddd"),
        ("asset,kind,address,name\np,coil,65536,X\n", 2, "address", "beyond 65535"),
        ("asset,kind,address,name\np,holding-registr,1,X\n", 2, "kind", "did you mean 'holding-register'?"),
        ("asset,kind,address,name\np,coil,DB1.2,X\n", 2, "address", "in a data block"),
        ("asset,kind,address,name\np,flag,1-2,X\n", 2, "address", "no octet"),
        ("asset,address,name,protocol\np,40001,X,modbuss\n", 2, "protocol", "did you mean 'modbus'?"),
        ("asset,address,name,scale\np,40001,X,0\n", 2, "scale", "every value the same"),
        ('asset,address,name,scale\np,40001,X,"0,1"\n', 2, "scale", "decimal point"),
        ("asset,address,name,low\np,40001,X,nan\n", 2, "low", "no number"),
        ("asset,address,name,low\np,40001,X,1_000\n", 2, "low", "no number"),
        ("asset,address,name,low,high\np,40001,X,5,1\n", 2, "low", "5 is above high, 1"),
        ("asset,address,name,alarm_low,alarm_high\np,40001,X,5,1\n", 2, "alarm_low", "above alarm high"),
        ("asset,address,name,data_type\np,40001,X,float\n", 2, "data_type", "did you mean"),
        ("asset,address,name,data_type\np,40001,X,uint32\n", 2, "address", "no whole number of uint32"),
        ("asset,address,name,safety\np,40001,X,si\n", 2, "safety", "known are yes, no"),
        ("asset,address,name,criticality\np,40001,X,hihg\n", 2, "criticality", "did you mean 'high'?"),
        ("asset,address,name,use\np,40001,X,trips\n", 2, "use", "did you mean 'trip'?"),
        ("asset,address,name\np,40001-40004,X\np,40004,Y\n", 3, "address", "also in line 2"),
        ("asset,address,name\np,40004,X\np,40009,Z\np,40001-40004,Y\n", 4, "address", "also in line 2"),
        ("asset,kind,address,name\np,binary-output,1,X\np,control-relay-output,1,Y\n", 3, "address", "also in line 2"),
        ("asset,address,name\np,40001,a\x07b\n", 2, "name", "cannot be printed"),
        ('asset,address,name\n"p,40001,X\n', 2, "", "is not a CSV file"),
    ],
)
def test_faults_have_a_place(path: Path, text: str, line: int, column: str, problem: str) -> None:
    path.write_text(text)
    with pytest.raises(ListError) as caught:
        read_tags(path)
    assert problem in caught.value.problem
    assert caught.value.column == column
    assert caught.value.line in (line, line + 1) if "CSV" in problem else caught.value.line == line


def test_one_point_of_two_units_is_two_points(path: Path) -> None:
    path.write_text("asset,unit,address,name\np,1,40001,X\np,2,40001,Y\n")
    assert [tag.name for tag in read_tags(path)] == ["X", "Y"]


CELLS = st.sampled_from(
    [
        "",
        "p",
        "40001",
        "0x10-0x12",
        "DB1.2",
        "float32",
        "yes",
        "1e5",
        "-3",
        "high",
        "coil",
        "modbus",
        "'",
        "٣",
        "\0",
        "9" * 40,
    ]
) | st.text(max_size=8)


@given(
    header=st.lists(st.sampled_from([*COLUMNS, "x"]), max_size=20),
    rows=st.lists(st.lists(CELLS, max_size=21), max_size=4),
)
def test_any_table_is_read_or_refused_with_its_line(
    tmp_path_factory: pytest.TempPathFactory, header: list[str], rows: list[list[str]]
) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    _read_or_refuse(tmp_path_factory.mktemp("lists"), out.getvalue().encode("utf-8", "surrogatepass"))


@given(place=st.integers(0, 2_000), octets=st.binary(max_size=4), cut=st.integers(0, 8))
def test_a_damaged_list_is_read_or_refused_with_its_line(
    tmp_path_factory: pytest.TempPathFactory, place: int, octets: bytes, cut: int
) -> None:
    whole = PLANT.read_bytes()
    _read_or_refuse(tmp_path_factory.mktemp("lists"), whole[:place] + octets + whole[place + cut :])


def _read_or_refuse(folder: Path, octets: bytes) -> None:
    path = folder / "tags.csv"
    path.write_bytes(octets)
    try:
        tags = read_tags(path)
    except ListError as error:
        refused = error
    else:
        assert all(tag.name and tag.count % tag.words == 0 for tag in tags)
        return
    assert refused.line > 0 or "UTF-8" in refused.problem
    assert str(refused).startswith(str(path))


def test_every_type_can_be_declared(path: Path) -> None:
    for name in TYPES:
        path.write_text(f"asset,address,name,data_type\np,40001-40004,X,{name}\n")
        assert read_tags(path)[0].data_type == name
