"""Rule files: what is read of them, and what is wrong with them, where."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.sigma.rules import TAXONOMY
from zonewatch.inventory.lists import ListError
from zonewatch.rules.baseline.file import load_baseline
from zonewatch.rules.policy.load import PolicyErrors, load_policy
from zonewatch.rules.sigma.cache import rules
from zonewatch.rules.sigma.check import as_text, check
from zonewatch.rules.sigma.load import inspect, load, parsed
from zonewatch.rules.sigma.model import RuleError, RuleErrors, RuleSet
from zonewatch.rules.tags.read import read_tags

RULE = """\
title: Listen only
id: 5f3f8f4e-6f0c-5f0a-9a53-0a4b6f1d2c3e
name: modbus.listen_only
taxonomy: zonewatch
status: stable
level: high
description: |
  A device is told
  to be silent.
tags: [attack.t0814, attack.t1691.001, iec62443.sr-2.1, iec62443.sr-3.1-re-1, detection.threat_hunting]
logsource:
  product: zonewatch
  category: c
detection:
  selection:
    text|contains: listen
    number: [5, 6]
  filter:
    word: allowed
  condition: selection and not filter
falsepositives: [Tests of the vendor]
fields: [text, number]
zonewatch:
  owner: OT
  remedy: Ask who did it.
  identity: [word]
  match:
    - {text: listen only, number: 5, moment: 2024-01-01T00:00:00Z}
  differ:
    - {text: listen only, number: 5, word: allowed}
"""
CORRELATION = """\
title: Often
name: modbus.often
level: critical
correlation:
  type: event_count
  rules: [modbus.listen_only]
  group-by: [word]
  timespan: 5m
  condition:
    gte: 10
"""


def test_a_rule() -> None:
    (rule,) = parsed(RULE, taxonomy=TAXONOMY).rules
    assert (rule.name, rule.title, rule.level, rule.status) == ("modbus.listen_only", "Listen only", "high", "stable")
    assert (rule.category, rule.path, rule.line, rule.fields) == ("c", "rule.yml", 1, ("number", "text", "word"))
    assert rule.description == "A device is told to be silent."
    assert rule.techniques == ("T0814", "T1691.001")
    assert rule.requirements == ("SR 2.1", "SR 3.1 RE 1")
    assert (rule.owner, rule.remedy, rule.identity, rule.shown) == (
        "OT",
        "Ask who did it.",
        ("word",),
        ("text", "number"),
    )
    assert rule.match == ({"text": "listen only", "number": 5, "moment": 1_704_067_200_000_000_000},)
    assert (rule.enabled, rule.seed, rule.false_positives) == (True, False, ("Tests of the vendor",))


@pytest.mark.parametrize(
    ("category", "identity"),
    [("ot_operation", ("source.asset.id", "destination.asset.id")), ("asset", ("asset.id",))],
)
def test_without_an_identity_it_is_that_of_the_record(category: str, identity: tuple[str, ...]) -> None:
    text = f"title: A\nname: a\nlogsource: {{category: {category}}}\n"
    field = "asset.role" if category == "asset" else "ot.operation"
    (rule,) = parsed(f"{text}detection: {{s: {{{field}: x}}, condition: s}}\n").rules
    assert rule.identity == identity


def test_a_correlation() -> None:
    (found,) = parsed(f"{RULE}---\n{CORRELATION}", taxonomy=TAXONOMY).correlations
    assert (found.kind, found.rules, found.span) == ("event_count", ("modbus.listen_only",), 300_000_000_000)
    assert (found.relation, found.count, found.by, found.level, found.line) == ("gte", 10, ("word",), "critical", 32)


def test_a_rule_is_named_by_its_id_too() -> None:
    by_id = CORRELATION.replace("[modbus.listen_only]", "[5f3f8f4e-6f0c-5f0a-9a53-0a4b6f1d2c3e]")
    (found,) = parsed(f"{RULE}---\n{by_id}", taxonomy=TAXONOMY).correlations
    assert found.rules == ("modbus.listen_only",)


# what is replaced, by what, and the error
WRONG = [
    ("title: Listen only", "title: [a", "2:3: did not find expected ',' or ']'"),
    ("level: high", "level: hihg", "6:8: unknown level 'hihg'; did you mean 'high'?"),
    ("level: high", "level: [high]", "6:8: level has to be a text"),
    ("level: high", "level: high\nlevel: low", "7:1: key 'level' is given twice"),
    ("level: high", "levle: high", "6:1: unknown key 'levle'; did you mean 'level'?"),
    ("status: stable", "status: tested", "5:9: unknown status 'tested'; did you mean 'test'?"),
    ("id: 5f3f8f4e-6f0c", "id: 6f0c", "2:5: id '6f0c-5f0a-9a53-0a4b6f1d2c3e' is no UUID"),
    ("taxonomy: zonewatch", "taxonomy: ecs", "4:11: unknown taxonomy 'ecs'; this is 'zonewatch'"),
    ("attack.t0814", "t0814", "10:8: tag 't0814' has no namespace, as 'attack.' is one"),
    ("product: zonewatch", "product: windows", "12:12: unknown product 'windows'; records here are of 'zonewatch'"),
    ("category: c", "category: d", "13:13: unknown category 'd'; one of c"),
    ("category: c", "category: c\n  servise: x", "14:3: unknown key 'servise' of logsource; did you mean 'service'?"),
    ("text|contains", "txet|contains", "16:5: unknown field 'txet' of c; did you mean 'text'?"),
    ("text|contains", "text|contain", "16:5: unknown modifier 'contain' of 'text'; did you mean 'contains'?"),
    ("listen\n", "[a, {b: c}]\n", "16:24: text|contains takes a text, never a map"),
    ("text|contains: listen", "text: [[a]]", "16:12: text takes a plain value, never a list"),
    ("text|contains: listen", "moment: 2024-12-24", "16:13: moment takes a plain value, never a date; put it"),
    ("text|contains: listen", "text|re: 5", "16:14: text|re takes a text, never 5"),
    ("text|contains: listen", "text|re|i: [a, null]", "16:20: text|re|i takes a text, never null"),
    ("text|contains: listen", "number|gt: null", "16:16: number|gt takes a number, never null"),
    ("text|contains: listen", "number|gt: .nan", "16:16: number|gt takes a number, never nan"),
    ("text|contains: listen", "number|gt: true", "16:16: number|gt takes a number, never true"),
    ("text|contains: listen", "moment|hour: '5'", "16:18: moment|hour takes a number, never '5'"),
    ("text|contains: listen", "text|exists: 'yes'", "16:18: text|exists takes true or false, never 'yes'"),
    ("text|contains: listen", "text|fieldref: wrod", "16:20: unknown field 'wrod' of c; did you mean 'word'?"),
    ("text|contains: listen", "text|cidr: 10.0.0.0/33", "16:16: text|cidr: Invalid CIDR expression"),
    ("text|contains: listen", "text|re: '[a'", "16:14: text|re: Regular expression '[a' is invalid"),
    ("text|contains: listen", "text|re: 'a(?=b)'", "20:14: the regular expression is not supported: invalid perl"),
    ("text|contains: listen", "text|gt: many", "16:14: text|gt takes a number, never 'many'"),
    ("text|contains: listen", "text|expand: '%x%'", "20:14: placeholder '%x%' is not configured"),
    ("[5, 6]", "[5, six]", "17:13: number is a number, never 'six'"),
    ("word: allowed", "truth: 1", "19:12: truth is true or false, never 1"),
    ("    word: allowed", "    {}", "19:5: an empty selection selects nothing"),
    ("and not filter", "and not filtr", "20:14: unknown selection 'filtr'; did you mean 'filter'?"),
    ("and not filter", "and not 1 of filtr*", "20:14: no selection is named like 'filtr*'; did you mean 'filter'?"),
    ("and not filter", "", "18:3: selection 'filter' is not used by the condition"),
    ("and not filter", "und not filter", "20:14: the condition is not understood at character 11"),
    ("and not filter", "| count() > 5", "20:14: the condition is not understood"),
    ("  condition: selection and not filter", "  timeframe: 5m", "20:3: timeframe is of an older Sigma"),
    ("  condition: selection and not filter\n", "", "15:3: needs a condition"),
    ("[text, number]", "[text, nubmer]", "22:16: unknown field 'nubmer' of c; did you mean 'number'?"),
    ("owner: OT", "owner: me", "24:10: unknown owner 'me'; one of OT, IT, both"),
    ("owner: OT", "onwer: OT", "24:3: unknown key 'onwer' of zonewatch; did you mean 'owner'?"),
    ("owner: OT", "enabled: false", "24:12: a rule that is not enabled needs a reason"),
    ("owner: OT", "enabled: no thanks", "24:12: enabled has to be true or false"),
    ("[word]", "[wrod]", "26:14: unknown field 'wrod' of c; did you mean 'word'?"),
    ("number: 5, word", "nubmer: 5, word", "30:27: unknown field 'nubmer' of c"),
    ("modbus.listen_only", "../../etc/cron", "3:7: name '../../etc/cron' has to be of letters, digits"),
    ("title: Listen only\n", "", "1:1: needs a title"),
    ("logsource:", "action: global\nlogsource:", "11:1: documents with 'action' are not supported"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "error"), WRONG, ids=[error for _, _, error in WRONG])
def test_what_is_wrong_with_a_rule(old: str, new: str, error: str) -> None:
    assert old in RULE
    with pytest.raises(RuleErrors) as raised:
        parsed(RULE.replace(old, new, 1), taxonomy=TAXONOMY)
    assert any(str(one).startswith(f"rule.yml:{error}") for one in raised.value.errors), raised.value


WRONG_CORRELATIONS = [
    ("event_count", "event_cuont", "36:9: unknown correlation type 'event_cuont'; did you mean 'event_count'?"),
    ("event_count", "value_sum", "36:9: correlation type 'value_sum' is not supported; one of event_count"),
    ("event_count", "value_count", "36:3: Value count correlation rule without field reference"),
    ("event_count", "temporal_ordered", "41:5: temporal_ordered asks for all of its rules; leave the condition out"),
    ("[modbus.listen_only]", "[modbus.listen_olny]", "37:11: unknown rule 'modbus.listen_olny'; did you mean"),
    ("[modbus.listen_only]", "[modbus.often]", "37:10: a correlation that is made of itself"),
    ("[word]", "[wrod]", "38:13: unknown field 'wrod' of modbus.listen_only; did you mean 'word'?"),
    ("5m", "5 minutes", "39:13: Timespan '5 minutes' is invalid."),
    ("gte: 10", "gte: 10\n    field: txet", "41:5: unknown field 'txet' of modbus.listen_only; did you mean 'text'?"),
    ("gte: 10", "gte: 2.5", "41:10: a condition counts: a whole number expected, never 2.5"),
    ("gte: 10", "gte: true", "41:10: a condition counts: a whole number expected, never True"),
    ("gte: 10", "gte: '3'", "41:10: a condition counts: a whole number expected, never '3'"),
    ("gte: 10", "gte: 10\n    field: 5", "42:12: field has to be a text, or a list of texts"),
    ("gte: 10", "gtee: 10", "41:5: Sigma correlation condition must have exactly one condition item"),
    ("\n    gte: 10", " a and b", "40:14: conditions in words are not supported"),
    ("timespan", "timesapn", "39:3: unknown key 'timesapn' of correlation; did you mean 'timespan'?"),
    ("timespan", "aliases: {x: {a: b}}\n  timespan", "39:17: 'a' is none of its rules"),
    ("modbus.often", "modbus.listen_only", "33:7: name 'modbus.listen_only' is also that of rule.yml:1"),
]  # fmt: skip


ONE_ERROR = [
    ("level: critical", "level: critical\ntags: attack.t0814", "36:7: tags has to be a list of texts"),
    ("level: critical", "level: 5", "34:8: level has to be a text"),
    ("name: modbus.often", "id: 5", "33:5: id has to be a text"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "error"), ONE_ERROR, ids=[error for _, _, error in ONE_ERROR])
def test_what_is_wrong_beside_a_correlation_is_told_once(old: str, new: str, error: str) -> None:
    with pytest.raises(RuleErrors) as raised:
        parsed(f"{RULE}---\n{CORRELATION.replace(old, new, 1)}", taxonomy=TAXONOMY)
    assert "Sigma" not in str(raised.value)
    assert any(error.split(": ", 1)[1] in str(one) for one in raised.value.errors), raised.value


@pytest.mark.parametrize(("old", "new", "error"), WRONG_CORRELATIONS, ids=[error for _, _, error in WRONG_CORRELATIONS])
def test_what_is_wrong_with_a_correlation(old: str, new: str, error: str) -> None:
    assert old in CORRELATION
    with pytest.raises(RuleErrors) as raised:
        parsed(f"{RULE}---\n{CORRELATION.replace(old, new, 1)}", taxonomy=TAXONOMY)
    assert any(str(one).startswith(f"rule.yml:{error}") for one in raised.value.errors), raised.value


HOSTILE = [
    "",
    "---\n---\n",
    "just text",
    "- a\n- b",
    "{a: b",
    "title: \x00",
    "a: &a [*a, *a]",
    "a: &a {b: 1}\nc: *a\n? [x]\n: 1",
    "title: !!python/object:os.system x",
    "a: " + "[" * 5000,
    "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 20}]\n" for n in range(1, 12)),
    RULE.replace("and not filter", "and (" * 3000),
    RULE.replace("and not filter", "and not " * 3000 + "filter"),
    RULE.replace("listen\n", "9" * 5000 + "\n"),
    RULE.replace("listen\n", "2024-13-45\n"),
    RULE.replace("listen\n", "2024-12-24\n"),
    RULE.replace("listen\n", '"\\ud800"\n'),
    RULE.replace("listen\n", ".inf\n"),
    RULE.replace("text|contains", "|"),
    RULE.replace("text|contains", "|exists"),
    RULE.replace("text|contains: listen", "text|re|contains: ''"),
    RULE.replace("  selection:\n", "  selection: [[[a]]]\n  other:\n"),
    RULE.replace("detection:\n", "detection: 5\nx:\n"),
    RULE.replace("zonewatch:\n  owner", "zonewatch: 5\nx:\n  owner"),
    *(f"{RULE}---\n{CORRELATION.replace('[modbus.listen_only]', value)}" for value in ("5", "{}", "[]", "[[a]]", "~")),
    *(f"{RULE}---\n{CORRELATION.replace('[word]', value)}" for value in ("5", "{a: b}", "[[a]]")),
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_files_are_errors_or_rules(number: int, tmp_path: Path) -> None:
    found, errors = inspected(HOSTILE[number], tmp_path)
    assert all(error.line >= 1 and error.column >= 1 and error.message for error in errors)
    assert errors or found.rules or not HOSTILE[number].strip("-\n")


def inspected(text: str, folder: Path) -> tuple[RuleSet, tuple[RuleError, ...]]:
    path = folder / "rule.yml"
    path.write_text(text)
    return inspect([path], TAXONOMY)


def test_a_broken_file_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "good.yml").write_text(f"{RULE}---\n{CORRELATION}")
    (tmp_path / "a.yml").write_text(RULE.replace("modbus.listen_only", "other").replace("high", "hihg"))
    (tmp_path / "c.yaml").write_text("title: [")
    (tmp_path / "d.yml").write_text(
        CORRELATION.replace("modbus.often", "of.bad").replace("[modbus.listen_only]", "[other]")
    )
    (tmp_path / "notes.txt").write_text("no rule")
    found, errors = inspect([tmp_path], TAXONOMY)
    assert [rule.name for rule in found.rules] == ["modbus.listen_only"]
    assert [row.name for row in found.correlations] == ["modbus.often"]
    assert [Path(error.path).name for error in errors] == ["a.yml", "c.yaml", "d.yml"]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a file without an end")
def test_a_file_without_an_end_is_too_large() -> None:
    assert as_text(check([Path("/dev/zero")])).startswith("/dev/zero: error: too large")
    for read in (rules, load_policy, load_baseline, read_tags):
        with pytest.raises((RuleErrors, PolicyErrors, ListError), match=r"/dev/zero: .*too large"):
            read([Path("/dev/zero")] if read is rules else Path("/dev/zero"))


def test_a_file_is_read_once_however_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rule.yml"
    path.write_text(RULE)
    (tmp_path / "link.yml").symlink_to(path)
    assert len(load([tmp_path, path, tmp_path / "." / "rule.yml"], TAXONOMY).rules) == 1


def test_folders_are_read_in_order(tmp_path: Path) -> None:
    for place in ("b.yml", "a/z.yml", "a/b.yml"):
        path = tmp_path / place
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            RULE.replace("modbus.listen_only", place.replace("/", ".")).replace(
                "id: 5f3f8f4e-6f0c-5f0a-9a53-0a4b6f1d2c3e\n", ""
            )
        )
    assert [rule.name for rule in load([tmp_path], TAXONOMY).rules] == ["a.b.yml", "a.z.yml", "b.yml"]


def test_the_report_of_the_check(tmp_path: Path) -> None:
    path = tmp_path / "rule.yml"
    path.write_text(RULE.replace("number: 5, word: allowed", "number: 5"))
    report = check([path], TAXONOMY)
    error = f"{path}:1:1: error: modbus.listen_only: record 1 of 'differ' is found"
    assert as_text(report) == f"{error}\n1 error; 0 rules and 0 correlations are good\n"
    path.write_text(RULE)
    assert as_text(check([path], TAXONOMY)) == "0 errors; 1 rules and 0 correlations are good\n"
    assert as_text(check([tmp_path / "none.yml"], TAXONOMY)).startswith(f"{tmp_path}/none.yml: error: No such file")


@pytest.mark.parametrize(
    ("key", "count", "told"),
    [
        ("match", 10, ""),
        ("match", 9, "the records of 'match' together are not found"),
        ("differ", 9, ""),
        ("differ", 10, "the records of 'differ' together are found"),
        ("match", "ten", "a value of 'match' is not of its field's type"),
    ],
)
def test_the_check_tries_the_examples_of_a_correlation(tmp_path: Path, key: str, count: object, told: str) -> None:
    times = f"number: {count}" if isinstance(count, str) else f"number: 5, event.count: {count}"
    own = f"zonewatch:\n  {key}:\n    - {{text: listen only, word: spoken, {times}}}\n"
    path = tmp_path / "rule.yml"
    path.write_text(f"{RULE}---\n{CORRELATION}{own}")
    report = check([path], TAXONOMY)
    assert (report.rules, report.correlations) == (1, 0 if told else 1)
    assert [error.message.startswith(f"modbus.often: {told}") for error in report.errors] == [True] * bool(told)
    assert {error.line for error in report.errors} <= {RULE.count("\n") + 2}
