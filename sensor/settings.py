"""The sensor's settings: one YAML file for the process that captures and the one that ships.

    settings_version: 1
    capture:
      - {source: cell-7, interfaces: [eth1]}
    judge: {policy: policy.yaml}
    store: {folder: /var/lib/zonewatch}
    receivers:
      siem: {to: elasticsearch, hosts: ["https://siem.example:9200"], api_key: {file: /etc/zonewatch/api-key}}

Paths are relative to the file. `schemas/settings.schema.json` completes it in editors.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal, Self, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator

from zonewatch.rules.policy.document import Document, Place, Unreadable, read
from zonewatch.rules.policy.load import PolicyError, PolicyErrors, read_text, told
from zonewatch.rules.policy.records import Part
from zonewatch.rules.policy.schema import described
from zonewatch.rules.policy.values import wrong
from zonewatch.sensor.measures import spell_defaults
from zonewatch.sensor.shipping.settings import Name, Receiver
from zonewatch.sensor.store.settings import StoreSettings
from zonewatch.sensor.watch.settings import (
    CaptureSettings,
    HealthSettings,
    JudgeSettings,
    MetricsSettings,
    ZeekSettings,
)

CODE: Final = "ZS001"
SCHEMA_PATH: Final = Path(__file__).parent / "schemas" / "settings.schema.json"


class StorePlace(StoreSettings):
    """Where the store is, and how much it keeps."""

    folder: Path
    """The folder that `zonewatch watch` writes and `zonewatch ship` reads."""


class Settings(Part):
    """The whole file."""

    settings_version: Literal[1]
    capture: tuple[CaptureSettings, ...] = ()
    zeek: tuple[ZeekSettings, ...] = ()
    """Logs that Zeek writes, in place of packets or beside them."""
    judge: JudgeSettings = JudgeSettings()
    store: StorePlace
    receivers: dict[Name, Receiver] = Field(default_factory=dict)
    """Where alerts are delivered, each receiver by a name of its own."""
    health: HealthSettings = HealthSettings()
    metrics: MetricsSettings | None = None
    user: str = ""
    """Who the process becomes after the interfaces are open; by systemd's units it is already."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [*(point.source for point in self.capture), *(point.source for point in self.zeek)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise wrong(f"capture: two points are named {twice[0]!r}; one point may have several interfaces")
        return self


def load_settings(path: Path) -> Settings:
    """Reads the file; paths in it become absolute. Raises PolicyErrors with all that is wrong, each with its place."""
    return parse_settings(read_text(path), str(path), path.absolute().parent)


def parse_settings(text: str, name: str, folder: Path) -> Settings:
    """The same from text; `folder` is where relative paths start."""
    try:
        document = read(text)
    except Unreadable as error:
        raise PolicyErrors([PolicyError(name, error.line, error.column, str(error), CODE)]) from None
    if not isinstance(document.values, dict):
        raise PolicyErrors([PolicyError(name, 1, 1, "holds no settings: it needs settings_version: 1", CODE)])
    try:
        settings = Settings.model_validate(document.values)
    except ValidationError as invalid:
        raise PolicyErrors([_told(name, document, error) for error in invalid.errors()]) from None
    placed: Settings = absolute(settings, folder)
    return placed


_KINDS: Final[dict[str, type[BaseModel]]] = {
    get_args(kind.model_fields["to"].annotation)[0]: kind for kind in get_args(get_args(Receiver)[0])
}


def _told(name: str, document: Document, error: Any) -> PolicyError:
    """What is wrong, with its place. Of a receiver its kind comes between its name and the key."""
    place: Place = error["loc"]
    model: type[BaseModel] = Settings
    if place[:1] == ("receivers",) and len(place) > 2 and (kind := _KINDS.get(str(place[2]))) is not None:
        place, model = (*place[:2], *place[3:]), kind
        error = {**error, "loc": place[2:]}
    found = told(name, document, error, model)
    message = found.message.removeprefix("file: ").replace("Value error, ", "")
    line, column = document.position(place, key=error["type"] == "extra_forbidden")
    return PolicyError(name, line, column, message, CODE)


def absolute(value: Any, folder: Path) -> Any:
    """The same values with every path in them absolute."""
    if isinstance(value, BaseModel):
        changed = {name: absolute(getattr(value, name), folder) for name in type(value).model_fields}
        return value.model_copy(update=changed)
    if isinstance(value, tuple):
        return tuple(absolute(item, folder) for item in value)
    if isinstance(value, dict):
        return {name: absolute(item, folder) for name, item in value.items()}
    return folder / value if isinstance(value, Path) else value


def settings_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file as it is written."""
    schema = described(
        Settings,
        title="zonewatch sensor settings",
        description="What a sensor captures, judges, keeps and ships.",
    )
    spell_defaults(schema)
    return schema


if __name__ == "__main__":
    SCHEMA_PATH.parent.mkdir(exist_ok=True)
    SCHEMA_PATH.write_text(json.dumps(settings_schema(), indent=1, sort_keys=True) + "\n", "utf-8")
