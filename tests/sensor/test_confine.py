"""Rights that are given up: in a process of its own each time, for nothing gives them back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from zonewatch.sensor.confine import denied, interpreter_files

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "silence.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")


def told(program: str, *arguments: str) -> str:
    """What a program prints that confines itself."""
    start = "import os, socket, sys\nfrom pathlib import Path\nfrom zonewatch.sensor.confine import *\n"
    ended = subprocess.run(
        [sys.executable, "-c", start + program, *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


TRY = """
def tried(do):
    try:
        do()
    except OSError as error:
        return error.strerror
    return "done"
"""


def test_every_row_is_in_the_page_of_silence() -> None:
    for row in denied():
        assert f"| `{row.call}` | {row.when} | {row.fate} | {row.reason} |" in PAGE
    assert PAGE.count("| refused |") + PAGE.count("| killed |") == len(denied())


def test_it_needs_no_root_to_give_up_sending(tmp_path: Path) -> None:
    words = told("print(*confine().in_force, sep='\\n')")
    assert "nothing can be sent" in words
    assert "0 capture sockets" in words


def test_a_socket_to_a_network_is_refused() -> None:
    program = """
open_ = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    confine()
except ConfinementError as error:
    print(error)
open_.close()
confine()
print("closed")
"""
    words = told(program)
    assert "is a socket of family 2 to a network" in words
    assert words.endswith("closed\n")


def test_a_socket_to_the_service_manager_may_be_written_and_no_other_made() -> None:
    program = (
        TRY
        + """
manager, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
confine()
print(tried(lambda: os.write(manager.fileno(), b"READY=1")), other.recv(100))
print(tried(lambda: manager.send(b"READY=1")), tried(lambda: socket.socket(socket.AF_INET)))
"""
    )
    assert told(program) == "done b'READY=1'\nOperation not permitted Operation not permitted\n"


def test_files_are_limited_before_anything_else(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("x", encoding="utf-8")
    program = (
        TRY
        + """
import json, sqlite3
inside, outside = map(Path, sys.argv[1:])
limited = confine_files(read=[], write=[inside])
if not limited.in_force:
    print("no Landlock")
    sys.exit()
database = sqlite3.connect(inside / "store.db")
database.execute("PRAGMA journal_mode=WAL")
database.execute("CREATE TABLE kept (row)")
database.commit()
print(tried(lambda: (inside / "file").write_text("x")), tried(lambda: (outside / "file").write_text("x")))
print(tried(lambda: (outside / "secret").read_text()), tried(lambda: os.execv("/bin/true", ["true"])))
"""
    )
    words = told(program, str(inside), str(outside))
    if words == "no Landlock\n":
        pytest.skip("this kernel has no Landlock")
    assert words == "done Permission denied\nPermission denied Permission denied\n"
    assert (inside / "store.db").exists()


def test_a_path_that_is_not_there_is_told() -> None:
    program = """
try:
    confine_files(read=[], write=[Path("/nowhere/store")])
except ConfinementError as error:
    print(error)
"""
    assert "/nowhere/store: No such file or directory" in told(program)


def test_what_threads_that_began_before_keep_is_told(tmp_path: Path) -> None:
    program = """
import threading
stop = threading.Event()
threading.Thread(target=stop.wait, daemon=True).start()
print(*confine_files(read=[], write=[]).lacking, sep="\\n")
stop.set()
"""
    words = told(program)
    assert words == "\n" or "1 thread began before" in words or "no Landlock" in words


def test_a_capability_that_nobody_knows_is_refused() -> None:
    program = """
try:
    confine(keep=["CAP_TRANSMIT"])
except ConfinementError as error:
    print(error)
"""
    assert "CAP_TRANSMIT is no capability" in told(program)


def test_what_python_needs_is_among_the_files() -> None:
    places = interpreter_files()
    assert Path(sys.prefix).resolve() in places
    assert Path("/") not in places


def test_a_large_transaction_needs_no_other_folder(tmp_path: Path) -> None:
    """SQLite keeps what a statement may have to undo in a file of its own, once it is more than a few pages."""
    program = """
from zonewatch.sensor.store.database import connect
folder = Path(sys.argv[1])
confine(read=[*interpreter_files()], write=[folder])
db = connect(folder / "store.db", "WAL")
db.execute("CREATE TABLE edges (id INTEGER PRIMARY KEY, octets TEXT)")
db.execute("BEGIN")
upsert = "INSERT INTO edges VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET octets = excluded.octets"
for octets in ("a" * 500, "b" * 500):
    db.executemany(upsert, [(row, octets) for row in range(5_000)])
db.execute("UPDATE edges SET octets = upper(octets)")
db.execute("COMMIT")
print(db.execute("SELECT count(*) FROM edges WHERE octets LIKE 'B%'").fetchone()[0])
"""
    assert told(program, str(tmp_path)) == "5000\n"
