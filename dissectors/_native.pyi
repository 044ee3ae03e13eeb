from collections.abc import Sequence
from typing import final

__all__ = [
    "DENIED",
    "FIELDS",
    "SERVICES",
    "Columns",
    "Decoder",
    "Extractor",
    "Live",
    "Snapshot",
    "bound_capabilities",
    "deny_sending",
    "hold_capabilities",
    "limit_files",
]

SERVICES: tuple[str, ...]
FIELDS: tuple[str, ...]

@final
class Decoder:
    """Decodes captures in one streaming pass; see `zonewatch.dissectors.decoder.Decoder`."""

    def __new__(
        cls,
        sources: Sequence[tuple[str, Sequence[tuple[str, str]]]],
        detail: str,
        hash_inputs: bool,
        threads: int,
    ) -> Decoder: ...
    def advance(self, packets: int) -> bool: ...
    def packets(self) -> int: ...
    def bytes_read(self) -> int: ...
    def take(self, table: str) -> Columns: ...

@final
class Columns:
    """One table's rows so far, for the Arrow C stream interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Extractor:
    """Takes packets out of captures in one more pass; see `zonewatch.dissectors.extract.extract`."""

    def __new__(
        cls,
        inputs: Sequence[tuple[str, str, str, Sequence[tuple[int, int, int | None]]]],
        captures: int,
        most_octets: int,
    ) -> Extractor: ...
    def advance(self, packets: int) -> bool: ...
    def packets(self) -> int: ...
    def bytes_read(self) -> int: ...
    def take(self, number: int) -> tuple[bytes, int, int]: ...
    def problems(self) -> list[tuple[int, str]]: ...

@final
class Live:
    """Listens to interfaces; see `zonewatch.dissectors.live.Live`."""

    def __new__(
        cls,
        source: str,
        capture: str,
        interfaces: Sequence[str],
        files: Sequence[str],
        ring_octets: int,
        threads: int,
        snap_length: int,
        most_remembered_octets: int,
        detail: str,
    ) -> Live: ...
    def advance(self, milliseconds: int) -> bool: ...
    def take(self, table: str) -> Columns: ...
    def snapshot(self) -> Snapshot: ...
    def turn(self, capture: str) -> None: ...
    def close(self) -> None: ...
    def packets(
        self, frames: Sequence[tuple[int, int, int | None]], captures: int, most_octets: int
    ) -> list[tuple[bytes, int, int]]: ...
    def remembered(self) -> int: ...
    def descriptors(self) -> list[int]: ...
    def counts(
        self,
    ) -> tuple[
        tuple[int, int],
        tuple[int, int],
        int,
        list[tuple[str, int, int]],
        list[tuple[str, str, str, int, int, int, int, int]],
    ]: ...

@final
class Snapshot:
    """Rows as if a live capture had ended; see `zonewatch.dissectors.live.Snapshot`."""

    def take(self, table: str) -> Columns: ...

# Linux only, from here on: see `zonewatch.sensor.confine`.

DENIED: tuple[tuple[str, int, str, str, str], ...]

def deny_sending(sockets: Sequence[int]) -> None: ...
def limit_files(read: Sequence[str], write: Sequence[str]) -> tuple[int, bool]: ...
def bound_capabilities(keep: Sequence[str]) -> bool: ...
def hold_capabilities(keep: Sequence[str]) -> bool: ...
