"""The sensor's settings: one file, errors with their place, no value of a secret in them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from zonewatch.rules.policy.load import PolicyErrors
from zonewatch.sensor.settings import SCHEMA_PATH, parse_settings, settings_schema

EXAMPLE = Path(__file__).parents[2] / "packaging" / "zonewatch.yaml"
LEAST = "settings_version: 1\nstore: {folder: here}\n"


def test_the_file_of_the_package_is_right() -> None:
    text = EXAMPLE.read_text("utf-8")
    settings = parse_settings(text, EXAMPLE.name, Path("/etc/zonewatch"))
    assert settings.capture[0].interfaces == ("eth1",)
    jsonschema.validate(yaml.safe_load(text), settings_schema())


def test_the_published_schema_is_that_of_the_code() -> None:
    assert json.loads(SCHEMA_PATH.read_text("utf-8")) == settings_schema()


def test_paths_start_at_the_file() -> None:
    receivers = "receivers: {log: {to: file, path: alerts.ndjson}}\njudge: {policy: policy.yaml, rules: [own]}\n"
    settings = parse_settings(LEAST + receivers, "zonewatch.yaml", Path("/etc/zonewatch"))
    assert settings.store.folder == Path("/etc/zonewatch/here")
    assert settings.judge.policy == Path("/etc/zonewatch/policy.yaml")
    assert settings.judge.rules == (Path("/etc/zonewatch/own"),)
    assert settings.receivers["log"].path == Path("/etc/zonewatch/alerts.ndjson")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a", "f:1:1: holds no settings: it needs settings_version: 1"),
        ("settings_version: 1\nstore: [", "f:2:9: "),
        ("settings_version: 1", "f:1:1: key 'store' is missing"),
        ("settings_version: 2\nstore: {folder: x}", "f:1:19: settings_version 2 is not known; this version reads 1"),
        (LEAST + "judge: {polcy: x}", "f:3:9: unknown key 'polcy'; did you mean 'policy'?"),
        (LEAST + "judge: {interval: 5}", "f:3:19: interval: 5 is no duration: its unit is missing"),
        (LEAST + "capture: [{interfaces: []}]", "f:3:24: interfaces: "),
        (LEAST + "capture: [{interfaces: ['a b']}]", "f:3:25: 'a b' is no name of an interface"),
        (
            LEAST + "capture: [{interfaces: [a]}, {interfaces: [b]}]",
            "f:1:1: capture: two points are named 'span'",
        ),
        (LEAST + "metrics: {listen: '0.0.0.0:9000'}", "f:3:10: listen: '0.0.0.0:9000' is beyond loopback"),
        (LEAST + "metrics: {listen: 'nowhere'}", "f:3:10: listen: 'nowhere': HOST:PORT expected"),
        (LEAST + "receivers: {a: {to: elasic}}", "f:3:16: unknown to 'elasic'; did you mean 'elasticsearch'?"),
        (LEAST + "receivers: {a: {to: file, pth: x}}", "f:3:27: unknown key 'pth'; did you mean 'path'?"),
        (LEAST + "receivers: {Bad Name: {to: file, path: x}}", "f:3:23: "),
        (
            LEAST + "receivers: {a: {to: webhook, url: 'http://192.0.2.7/', secret: {file: s}}}",
            "f:3:16: http://192.0.2.7/: http:// to another machine",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(PolicyErrors) as found:
        parse_settings(text, "f", Path())
    assert any(str(error).startswith(told) for error in found.value.errors), str(found.value)


@pytest.mark.parametrize("secret", ["hunter2", "[hunter2]", "{file: x, environment: hunter2, key: hunter2}", "7"])
def test_no_value_of_a_secret_is_told(secret: str) -> None:
    text = LEAST + f"receivers: {{a: {{to: webhook, url: 'https://x', secret: {secret}}}}}"
    with pytest.raises(PolicyErrors) as found:
        parse_settings(text, "f", Path())
    assert "hunter2" not in str(found.value)
