"""Looks for what was to be hidden in everything that leaves."""

from __future__ import annotations

import base64
import ipaddress
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq


def encodings(text: str) -> Iterator[bytes]:
    """The forms in which a name or an address might leave."""
    raw = [text.encode()]
    try:
        raw.append(ipaddress.ip_address(text).packed)
    except ValueError:
        if text.count(":") == 5 and len(text) == 17:
            raw.append(bytes.fromhex(text.replace(":", "")))
    yield from (text.encode(), text.lower().encode(), text.upper().encode())
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")
    yield base64.b64encode(text.encode()).rstrip(b"=")[:-1] if len(text) > 5 else text.encode()
    for one in raw:
        if len(one) >= 4:
            yield one.hex().encode()
            yield one.hex().upper().encode()
    if len(raw) > 1 and len(raw[1]) > 4:
        yield raw[1]  # four octets of an IPv4 address come by chance; packets are looked at by the decoder


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file, and what is packed within it."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        octets = path.read_bytes()
        yield path.name, octets
        yield path.name, path.relative_to(folder).as_posix().encode()
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as packed:
                yield from ((f"{path.name}/{name}", packed.read(name)) for name in packed.namelist())
        elif path.suffix == ".pdf":
            for part in octets.split(b"stream\n")[1:]:
                try:
                    yield path.name, zlib.decompressobj().decompress(part.lstrip(b"\r\n"))
                except zlib.error:
                    continue
        elif path.suffix == ".parquet":
            yield path.name, "\n".join(map(str, pq.read_table(path).to_pylist())).encode()


def leaks(folder: Path, secrets: Iterable[str]) -> list[tuple[str, str]]:
    """What was found, and in which file. Words are looked for as words: `pc-1` is not in `pc-12`."""
    wanted = [(text, form) for text in secrets for form in set(encodings(text))]
    found = []
    for name, octets in contents(folder):
        for text, form in wanted:
            place = octets.find(form)
            while place >= 0:
                around = octets[max(place - 1, 0) : place] + octets[place + len(form) : place + len(form) + 1]
                if not any(chr(one).isalnum() or one in b"_.-" for one in around):
                    found.append((name, text))
                    break
                place = octets.find(form, place + 1)
    return found
