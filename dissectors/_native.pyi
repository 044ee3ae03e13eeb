from collections.abc import Sequence
from typing import final

__all__ = ["FIELDS", "SERVICES", "Columns", "Decoder", "Extractor"]

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
