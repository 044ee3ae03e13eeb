"""How fast and how large: logs of Zeek read here, and by zat.

    python bench/zeek.py [--lines 5000000] [--zat-lines 500000]

Makes logs of a plant (polling, some writes, connections, names, web), reads them in processes of their own, and prints
lines a second and the most memory of each. zat gets the same `modbus_detailed` with fewer lines: by its reader (a
dictionary a line), and as a data frame.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

_HEADER: Final = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
    "#path\t{0}\n#fields\t{1}\n#types\t{2}\n"
)
_ENDS: Final = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr",
                "id.resp_p": "port"}  # fmt: skip
_LOGS: Final = {
    "modbus_detailed": _ENDS | {"tid": "count", "unit": "count", "func": "string", "address": "count",
        "quantity": "count", "request_values": "vector[count]", "response_values": "vector[count]",
        "modbus_detailed_link_id": "string", "matched": "bool", "exception_code": "string"},
    "conn": _ENDS | {"proto": "enum", "service": "string", "duration": "interval", "conn_state": "string",
        "missed_bytes": "count", "history": "string", "orig_pkts": "count", "orig_ip_bytes": "count",
        "resp_pkts": "count", "resp_ip_bytes": "count"},
    "dns": _ENDS | {"proto": "enum", "query": "string", "qtype_name": "string", "rcode": "count",
        "rcode_name": "string", "answers": "vector[string]"},
    "http": _ENDS | {"method": "string", "host": "string", "uri": "string", "status_code": "count",
        "user_agent": "string", "resp_mime_types": "vector[string]"},
}  # fmt: skip
_SHARES: Final = {"modbus_detailed": 0.6, "conn": 0.2, "dns": 0.1, "http": 0.1}
_DAY: Final = 86_400


def _modbus(number: int) -> str:
    plc, poll = number % 40, number // 40 % 25
    ends = f"10.20.1.{5 + plc % 4}\t{40_000 + plc}\t10.20.11.{10 + plc}\t502\t{number & 0xFFFF}\t1"
    if number % 5_000 == 7:
        return f"{ends}\tWRITE_SINGLE_REGISTER\t{poll}\t1\t{number % 1_000}\t{number % 1_000}\t-\tT\t-"
    values = ",".join(str((number // 1_000 + one) % 4_096) for one in range(8))
    return f"{ends}\tREAD_HOLDING_REGISTERS\t{poll * 8}\t8\t-\t{values}\t-\tT\t-"


def _conn(number: int) -> str:
    host, port = number % 200, 32_768 + number % 28_000
    service, server, at = (("http", 10, 80), ("dns", 53, 53), ("ssl", 12, 443), ("-", 14, 9_000))[number % 4]
    proto = "udp" if service == "dns" else "tcp"
    return (
        f"10.30.{host % 4}.{host}\t{port}\t10.20.2.{server}\t{at}\t{proto}\t{service}\t0.{number % 10}\tSF\t0\tShADadFf"
        f"\t{5 + number % 7}\t{400 + number % 900}\t4\t{500 + number % 800}"
    )


def _dns(number: int) -> str:
    host = number % 200
    name = f"host{number % 500}.plant.example"
    ends = f"10.30.{host % 4}.{host}\t{32_768 + number % 28_000}\t10.20.2.53\t53"
    return f"{ends}\tudp\t{name}\tA\t0\tNOERROR\t10.1.2.{number % 250}"


def _http(number: int) -> str:
    host = number % 200
    ends = f"10.30.{host % 4}.{host}\t{32_768 + number % 28_000}\t10.20.2.10\t80"
    return f"{ends}\tGET\tweb.plant.example\t/page{number % 90}?q=1\t200\tBrowser/1.0\ttext/html"


_LINES: Final[dict[str, Callable[[int], str]]] = {"modbus_detailed": _modbus, "conn": _conn, "dns": _dns, "http": _http}


def make(folder: Path, lines: int) -> int:
    """Writes logs of a day with so many lines in all; gives how many those are."""
    made = 0
    for name, share in _SHARES.items():
        count = int(lines * share)
        made += count
        with (folder / f"{name}.log").open("w", encoding="ascii") as file:
            columns = _LOGS[name]
            file.write(_HEADER.format(name, "\t".join(columns), "\t".join(columns.values())))
            file.writelines(_written(name, count))
    return made


def _written(name: str, count: int) -> Iterator[str]:
    line = _LINES[name]
    for number in range(count):
        moment = 1_767_225_600 + number * _DAY / count
        yield f"{moment:.6f}\tC{name[:1]}{number % 9_000:05d}\t{line(number)}\n"


def _ours(folder: Path) -> str:
    from zonewatch.dissectors.zeek.decoder import LogFile, decode

    tables = decode("bench", [LogFile(path.name, path) for path in sorted(folder.glob("*.log"))])
    events = sum(tables["aggregates"]["events"].to_pylist())
    return f"{events} events, {tables['flows'].num_rows} flows, {tables['activities'].num_rows} activities"


def _zat_reader(folder: Path) -> str:
    from zat.zeek_log_reader import ZeekLogReader

    return f"{sum(1 for _ in ZeekLogReader(str(folder / 'modbus_detailed.log')).readrows())} rows"


def _zat_frame(folder: Path) -> str:
    from zat.log_to_dataframe import LogToDataFrame

    return f"{len(LogToDataFrame().create_dataframe(str(folder / 'modbus_detailed.log')))} rows"


_READERS: Final = {"ours": _ours, "zat, reader": _zat_reader, "zat, data frame": _zat_frame}


def _measured(reader: str, folder: Path, lines: int) -> None:
    done = subprocess.run(
        [sys.executable, __file__, "--read", reader, "--folder", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"{reader:16} failed: {done.stderr.strip().splitlines()[-1:]}")
        return
    seconds, busy, octets, told = done.stdout.strip().splitlines()[-1].split("\t")
    print(f"{reader:16} {lines:>9,} lines  {float(seconds):7.1f} s ({float(busy):.1f} s of a core)  "
          f"{lines / float(seconds):>9,.0f} lines/s  "
          f"{int(octets) / 2**20:6.0f} MB  ({told})")  # fmt: skip


def main() -> None:
    """Makes, reads and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--zat-lines", type=int, default=500_000)
    parser.add_argument("--read", choices=list(_READERS))
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.read:
        begun = time.monotonic()
        told = _READERS[given.read](given.folder)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024
        print(f"{time.monotonic() - begun:.2f}\t{time.process_time():.2f}\t{most}\t{told}")
        return
    print(f"{os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as name:
        _measured("ours", Path(name), make(Path(name), given.lines))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, given.zat_lines)
        lines = int(given.zat_lines * _SHARES["modbus_detailed"])
        for other in [path for path in folder.iterdir() if path.name != "modbus_detailed.log"]:
            other.unlink()
        for reader in _READERS:
            _measured(reader, folder, lines)


if __name__ == "__main__":
    main()
