"""What each target has no query for is listed with its reason, and the list is complete."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from sigma.data import mitre_attack

from zonewatch.rules.siem.convert import LIMITS, ConvertError, convert, targets
from zonewatch.rules.siem.document import bundled
from zonewatch.rules.siem.pipeline import eql
from zonewatch.rules.sigma.detect import BUNDLED
from zonewatch.rules.sigma.files import files

pytest.importorskip("sigma.backends.elasticsearch")
NO_EXISTS = "Field exists expressions are not supported by the backend. (while converting rule None)"
KNOWN: dict[str, frozenset[str]] = {
    "lucene": frozenset(LIMITS["lucene"].values()),
    "esql": frozenset(LIMITS["esql"].values()),
    "eql": frozenset((*LIMITS["eql"].values(), NO_EXISTS)),
}
"""The reasons that a target may have. Another one means that a rule was written past it: write the rule anew, or
document the limit in docs/siem.md."""


@pytest.mark.parametrize("target", KNOWN)
def test_a_rule_converts_or_is_listed_with_the_reason(target: str) -> None:
    found = bundled(target, "zonewatch")
    reasons = Counter(one.reason for one in found if one.reason)
    assert reasons.keys() <= KNOWN[target]
    assert all(one.query or one.reason for one in found)
    assert sum(reasons.values()) < len(found) / 2


def test_sqlite_has_a_query_for_every_rule() -> None:
    pytest.importorskip("sigma.backends.sqlite")
    assert [one for one in bundled("sqlite", "zonewatch") if one.reason] == []


def test_the_rules_that_follow_a_host_in_the_middle_name_it_alike_in_both_stages() -> None:
    query = next(one.query for one in bundled("eql", "zonewatch") if one.name == "pivot.remote_then_command")
    assert query.startswith("sequence by pivot.ip with maxspan=30m")
    assert query.endswith("]")


@pytest.mark.parametrize(
    ("written", "by_the_grammar"),
    [
        ("any where a:true and b:5 and (not c:-1.5)", "any where a == true and b == 5 and (not c == -1.5)"),
        ('any where a:"true" and b:"x:5 y" and c:"5"', 'any where a:"true" and b:"x:5 y" and c:"5"'),
        ('any where a like~ (4, 5) and b like~ ("4", "5")', 'any where a in (4, 5) and b like~ ("4", "5")'),
        (r'any where a:"\\" and b:true', r'any where a:"\\" and b == true'),
        (
            "sequence by a with maxspan=1m [any where b:1] [any where c:2] by  with runs=2",
            "sequence by a with maxspan=1m [any where b == 1] [any where c == 2]",
        ),
        ("policy.approved:true AND a:5", "policy.approved:true AND a:5"),
    ],
)
def test_eql_is_mended_outside_of_its_strings(written: str, by_the_grammar: str) -> None:
    assert eql(written) == by_the_grammar


def test_no_query_of_eql_has_what_its_grammar_has_not() -> None:
    for one in bundled("eql", "zonewatch"):
        plain = re.sub(r'"(?:[^"\\]|\\.)*"', "$", one.query)
        assert not re.search(r":(?!\$)|like~ \((?!\$)|runs=", plain), one.query


def test_a_rule_for_elastic_security_is_made_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("no network is needed")

    monkeypatch.setattr(mitre_attack, "urlopen", refuse)
    only = frozenset(("modbus.force_listen_only",))
    (one,) = convert(files(BUNDLED), "lucene", form="siem_rule_ndjson", only=only)
    rule = json.loads(one.query)
    assert {"attack.t0814", "iec62443.sr-7.1"} <= set(rule["tags"])
    assert rule["index"] == ["logs-zonewatch.*"]
    assert "license" not in rule
    assert rule["query"].startswith("event.dataset:zonewatch.ot_operation")


@pytest.mark.parametrize(
    ("target", "pipeline", "form", "told"),
    [
        ("lucen", "zonewatch", "default", "no target 'lucen'; did you mean 'lucene'?"),
        ("lucene", "zonewtch", "default", "no pipeline 'zonewtch'; did you mean 'zonewatch'?"),
        ("lucene", "zonewatch", "kibana", "no form 'kibana' of lucene"),
    ],
)
def test_what_is_not_there_is_said_with_the_nearest_right_word(
    target: str, pipeline: str, form: str, told: str
) -> None:
    with pytest.raises(ConvertError, match=told.replace("?", r"\?")):
        list(convert([], target, pipeline, form))


def test_the_backends_that_are_installed_are_known() -> None:
    assert {"lucene", "eql", "esql"} <= set(targets())


def test_a_correlation_may_name_rules_of_other_files(tmp_path: Path) -> None:
    path = tmp_path / "own.yml"
    path.write_text(
        "title: Many of them\nname: own.count\ncorrelation: {type: event_count, rules: [modbus.force_listen_only], "
        "group-by: [source.ip], timespan: 1m, condition: {gte: 9}}\n"
    )
    (one,) = convert([path, *files(BUNDLED)], "esql", only=frozenset(["own.count"]))
    assert one.reason == ""
    assert "modbus.subfunction" in one.query
