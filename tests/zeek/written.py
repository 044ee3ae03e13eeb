"""Logs as Zeek writes them, for tests: a header and rows; and a process that goes on writing and rotates.

    python -m tests.zeek.written FOLDER LINES EVERY

writes that many lines of `current/modbus_detailed.log`, in pieces that end anywhere in a line, and rotates after so
many: the file is renamed, packed into the folder of its day, and another one is begun.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

START: Final = 1_700_000_000
ENDS: Final = ("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
FIELDS: Final = {
    "conn": (*ENDS, "proto", "service", "duration", "conn_state", "orig_pkts", "orig_ip_bytes", "resp_pkts",
             "resp_ip_bytes"),
    "modbus_detailed": (*ENDS, "tid", "unit", "func", "address", "quantity", "request_values", "response_values",
                        "matched", "exception_code"),
    "modbus": (*ENDS, "tid", "unit", "func", "pdu_type", "exception"),
    "http": (*ENDS, "method", "host", "uri", "status_code", "user_agent", "username", "password"),
    "software": ("ts", "host", "host_p", "software_type", "name", "unparsed_version"),
}  # fmt: skip
PIECE: Final = 97


def header(name: str, fields: Iterable[str] = ()) -> str:
    """What stands in front of the rows."""
    names = tuple(fields or FIELDS[name])
    return (
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
        f"#path\t{name}\n#open\t2023-11-14-22-13-20\n#fields\t"
        + "\t".join(names)
        + "\n#types"
        + "\tstring" * len(names)
        + "\n"
    )


def write_of(number: int) -> str:
    """A write of one register, each of another one."""
    return (
        f"{START + number}.{number % 1_000_000:06d}\tCwriter{number}\t10.0.0.5\t40000\t10.0.0.10\t502"
        f"\t{number % 65_536}\t1\tWRITE_SINGLE_REGISTER\t{number % 500}\t1\t{number}\t{number}\tT\t-\n"
    )


def main(folder: Path, lines: int, every: int) -> None:
    """Writes, rotates and ends."""
    current, day = folder / "current", folder / "2023-11-14"
    current.mkdir(exist_ok=True)
    day.mkdir(exist_ok=True)
    path = current / "modbus_detailed.log"
    for begin in range(0, lines, every):
        text = header("modbus_detailed") + "".join(
            write_of(number) for number in range(begin, min(begin + every, lines))
        )
        octets = text.encode()
        with path.open("wb", buffering=0) as file:
            for at in range(0, len(octets), PIECE):
                file.write(octets[at : at + PIECE])
        rotated = current / f"modbus_detailed-{begin}.log"
        path.rename(rotated)
        packed = day / f"modbus_detailed.{begin:06d}-{begin + every:06d}.log.gz"
        beside = packed.with_suffix(".part")
        beside.write_bytes(gzip.compress(rotated.read_bytes()))
        beside.rename(packed)
        rotated.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
