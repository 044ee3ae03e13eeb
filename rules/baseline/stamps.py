"""What a baseline says of single operations, for records that rules read.

stamps = Stamps(baseline, inventory)
stamp = stamps.of("hmi-1", "plc-3", "modbus", 16, "write_multiple_registers", "write", "1", points, (0.0, 950.0))
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Inventory
from zonewatch.rules.baseline.known import Known
from zonewatch.rules.baseline.merge import stage_of
from zonewatch.rules.baseline.model import Baseline, Points
from zonewatch.rules.baseline.rows import Names


class Stamp(NamedTuple):
    """Whether each part is new; none where nothing can be said."""

    new_edge: bool | None = None
    new_operation: bool | None = None
    new_function: bool | None = None
    new_write_target: bool | None = None  # of what changes state, and names objects
    value_range: Literal["inside", "outside"] | None = None


UNKNOWN = Stamp()


class Stamps:
    """Without a baseline, and between devices that are still learning, nothing is said."""

    def __init__(self, baseline: Baseline | None, inventory: Inventory) -> None:
        self._known = Known(baseline) if baseline is not None else None
        self._names = Names(inventory, baseline.assets if baseline is not None else ())
        self._stages = {asset.id: asset.stage for asset in baseline.assets} if baseline is not None else {}

    def of(
        self,
        client: str,
        server: str,
        protocol: str,
        code: int | None = None,
        name: str = "",
        operation: str = "",
        unit: str = "",
        points: Points | None = None,
        values: tuple[float, float] | None = None,
    ) -> Stamp:
        """Of one operation. Client and server are the inventory's ids; values are the least and the greatest."""
        if self._known is None:
            return UNKNOWN
        key = (self._names.of(client), self._names.of(server), protocol)
        if stage_of(key, self._stages) == "learning":
            return UNKNOWN
        known, edge = self._known, self._known.edges.get(key)
        functions = edge.functions if edge is not None else ()
        changing = operation in STATE_CHANGING
        expected = known.expected(key, unit, points, changing=changing) if points is not None and values else None
        said = operation != ""
        return Stamp(
            new_edge=edge is None,
            new_operation=operation not in {item.operation for item in functions} if said else None,
            new_function=(code, name, operation) not in {(item.code, item.name, item.operation) for item in functions}
            if said
            else None,
            new_write_target=not known.written(key, unit, points) if changing and points is not None else None,
            value_range=None
            if expected is None or values is None
            else ("outside" if expected.leaves(*values) else "inside"),
        )
