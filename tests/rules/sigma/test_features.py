"""Every modifier and form of condition: a detection, and records that it hits and does not hit."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from sigma.modifiers import modifier_mapping

from tests.rules.sigma.naive import trees, walk
from tests.rules.sigma.rules import rule, rule_text
from zonewatch.rules.sigma.compile import predicate

NOON = 1_709_208_000_000_000_000  # 2024-02-29 12:00:00 UTC, Thursday of week 9
SECOND = 1_000_000_000


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


# (field with modifiers, value, values of the field that are hit, values that are not)
ITEMS: list[tuple[str, Any, list[Any], list[Any]]] = [
    ("text", "write", ["write", "WRITE", ["read", "write"]], ["writes", "", None, [], 0, ["read"]]),
    ("text", ["read", "write"], ["Read", "write"], ["readwrite", None]),
    ("text", "wri*", ["write", "wri", ["x", "wri"]], ["awri", None]),
    ("text", "*ite", ["write", "ite"], ["item", None]),
    ("text", "w*e", ["write", "we"], ["w", "writes"]),
    ("text", "w?ite", ["write"], ["wite", "wriite"]),
    ("text", "a*b*c", ["abc", "aXbXc", "abbcc"], ["acb", "ab", "bc"]),
    ("text", "a*ab", ["aab", "aXab"], ["ab"]),
    ("text", "?*x?", ["axb", "aaxb"], ["xb", "ax"]),
    ("text", "a?*?b*c?d", ["aXYbZcQd", "aXYbcQd"], ["aXbcQd", "aXYbcd"]),
    ("text", "*", ["", "x", 5, False], [None, []]),
    ("text", "", [""], ["x", None, [], 0]),
    ("text", "a\\*b", ["a*b"], ["aXb", "ab"]),
    ("text", "c:\\\\temp", ["C:\\temp"], ["c:\\\\temp"]),
    ("text", "line*end", ["line\nend"], ["line\n"]),
    ("text", "5", [5, 5.0, "5", [4, 5]], [50, "5.0", True, None]),
    ("text", "ärger", ["ÄRGER"], ["arger"]),
    ("text", "true", [True, "TRUE"], [False, 1]),
    ("text", 5, [5, 5.0, "5", ["4", "5"]], [50, "05", None, False]),
    ("real", 0.5, [0.5, "0.5"], [0, 5, "half"]),
    ("number", 1, [1, "1"], [True, "true", 10]),
    ("number", -3, [-3, "-3"], [3, None]),
    ("number", [5, 6, 15], [15, "6"], [1, 56]),
    ("truth", True, [True, "true", "True", [False, True]], [1, "1", False, None, "yes"]),
    ("truth", False, [False, "false"], [0, None, []]),
    ("text|contains", "rit", ["write", "RIT", ["a", "write"]], ["r-it", None]),
    ("text|contains", ["ab", "cd"], ["xabx", "CD"], ["ac"]),
    ("text|contains|all", ["ab", "cd"], ["abcd", "cd ab", ["ab", "cd"]], ["ab", "cd", None]),
    ("text|contains", 'a"b', ['xa"bx'], ["ab"]),
    ("text|startswith", "wr", ["write", "WR"], ["awr", None]),
    ("text|startswith", ["ab", "cd"], ["abx", "cdx"], ["xab"]),
    ("text|endswith", "te", ["write", "TE"], ["tea", None]),
    ("text|endswith|all", ["a", "ba"], ["ba", ["a", "xba"]], ["a"]),
    ("text|cased", "Write", ["Write", ["x", "Write"]], ["write", "WRITE", None]),
    ("text|contains|cased", "Rit", ["wRite"], ["write"]),
    ("text|startswith|cased", "Wr", ["Write"], ["write"]),
    ("text|endswith|cased", ["Te", "Se"], ["wriTe", "Se"], ["write"]),
    ("text|cased", "W*e?", ["WXeX"], ["wxex", "We"]),
    ("text|re", "^w.ite$", ["write", ["x", "write"]], ["WRITE", "writes", None]),
    ("text|re", "rit", ["write"], ["r-it"]),
    ("text|re", ["^a", "b$"], ["ax", "xb"], ["xa"]),
    ("text|re", "^[0-9]+$", [12, "12"], ["x", 1.5]),
    ("text|re|i", "^WR", ["write"], ["x"]),
    ("text|re|m", "^b$", ["a\nb"], ["ab"]),
    ("text|re|s", "a.b", ["a\nb"], ["ab"]),
    ("text|re|i|m|s", "^A.b$", ["x\na\nB"], ["ab"]),
    ("text|re|ignorecase", "WR", ["write"], ["x"]),
    ("text|re|multiline", "^b", ["a\nb"], ["ab"]),
    ("text|re|dotall", "a.b", ["a\nb"], ["acd"]),
    ("text|re|contains", "b+", ["abbc"], ["ac"]),
    ("text|re|startswith", "^b+", ["bbc"], ["ab"]),
    ("text|re|endswith", "b+$", ["abb"], ["ba"]),
    ("address|cidr", "10.0.0.0/8", ["10.1.2.3", "10.0.0.0", ["1.1.1.1", "10.9.9.9"]], ["11.0.0.1", "10", "::1", None]),
    ("address|cidr", ["192.168.0.0/16", "fe80::/10"], ["192.168.5.5", "fe80::1", "febf::1"], ["fec0::1", "1.1.1.1"]),
    ("address|cidr", "2001:db8::/32", ["2001:db8::1", "2001:0DB8:0::1"], ["2001:db9::1", "10.0.0.1", "x"]),
    ("number|lt", 5, [4, -1, "4", 4.5, [9, 4]], [5, 6, None, "x", True, "nan"]),
    ("number|lte", 5, [5, "5", 4], [5.1, None, []]),
    ("number|gt", 5, [6, 5.5, "6", [1, 6]], [5, "five", None, False, "inf"]),
    ("number|gte", 5.5, [5.5, 6], [5, None]),
    ("number|gt", -1, [0, -0.5], [-1]),
    ("number|neq", 5, [4, "x", None, []], [5, "5", [4, 5]]),
    ("text|neq", ["a", "b"], ["c", None], ["a", "B"]),
    ("text|contains|neq", "a", ["b", None], ["xax"]),
    ("text", None, [None, [], [None]], ["", 0, False, ["x"]]),
    ("text", ["x", None], ["x", None], ["y", ""]),
    ("text", [], [None, []], ["x"]),
    ("text|exists", True, ["", 0, False, ["x"]], [None, [], [None]]),
    ("text|exists", False, [None, []], ["x", 0]),
    ("text|base64", "ping", [encoded(b"ping")], ["ping"]),
    ("text|base64|contains", "ping", ["xx" + encoded(b"ping") + "yy"], ["ping"]),
    ("text|base64offset|contains", "secret", [encoded(b"x" * n + b"secret!") for n in range(3)], ["secret"]),
    ("text|wide|base64offset|contains", "run", [encoded("!run".encode("utf-16le"))], ["run"]),
    ("text|wide", "ab", ["a\x00b\x00"], ["ab"]),
    ("text|utf16be", "ab", ["\x00a\x00b"], ["ab"]),
    ("text|utf16", "ab", ["\ufeffa\x00b\x00"], ["a\x00b\x00"]),
    ("text|windash|contains", " -f", ["rm -f", "rm /f", "rm –f", "rm —f"], ["rm f"]),
    ("text|windash|contains|all", [" -a", " -b"], ["x -a /b"], ["x -a"]),
    ("moment|minute", 0, [NOON, [NOON]], [NOON + 60 * SECOND, None, True]),
    ("moment|hour", [12, 13], [NOON, NOON + 3600 * SECOND], [NOON - SECOND]),
    ("moment|day", 29, [NOON], [NOON + 86400 * SECOND]),
    ("moment|week", 9, [NOON], [NOON + 7 * 86400 * SECOND]),
    ("moment|month", 2, [NOON], [NOON + 86400 * SECOND]),
    ("moment|year", 2024, [NOON], [NOON + 366 * 86400 * SECOND, 0]),
    ("moment|hour|gte", 18, [NOON + 6 * 3600 * SECOND], [NOON]),
    ("moment|hour|lt", 6, [NOON - 9 * 3600 * SECOND], [NOON]),
    ("moment|gt", NOON, [NOON + 1], [NOON]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "hit", "not_hit"), ITEMS, ids=[f"{key}={value}" for key, value, _, _ in ITEMS]
)
def test_modifier(key: str, value: Any, hit: list[Any], not_hit: list[Any]) -> None:
    detection = {"selection": {key: value}, "condition": "selection"}
    field = key.split("|")[0]
    holds = predicate(rule(detection).condition)
    (tree,) = trees(rule_text(detection))
    for values, wanted in ((hit, True), (not_hit, False)):
        for one in values:
            assert holds({field: one}) is wanted, one
            if not (isinstance(one, str) and one in ("nan", "inf")):
                assert walk(tree, {field: one}) is wanted, f"{one} by the plain walk"
    assert holds({}) is holds({field: None})


def test_every_modifier_is_in_the_table() -> None:
    tested = {modifier for key, _, _, _ in ITEMS for modifier in key.split("|")[1:]} | {"expand", "fieldref"}
    assert tested == set(modifier_mapping)


A, B, C = {"text": "a"}, {"word": "b"}, {"other": "c"}
SELECTIONS = {"sel_a": A, "sel_b": B, "filter_c": C}
CONDITIONS = [
    ("sel_a and sel_b and not filter_c", [A | B], [A | B | C, A, B, {}]),
    ("sel_a or sel_b and filter_c", [A, A | B, B | C], [B, C]),
    ("(sel_a or sel_b) and filter_c", [A | C, B | C], [A | B, C]),
    ("not (sel_a or sel_b or filter_c)", [{}], [A, B, C, A | B | C]),
    ("not sel_a and not sel_b and not filter_c", [{}, {"text": "x"}], [A]),
    ("not not sel_a or sel_b and filter_c", [A, B | C], [B, {}]),
    ("1 of sel_* and not filter_c", [A, B, A | B], [A | C, {}]),
    ("any of sel_* or filter_c", [A, B, C], [{}]),
    ("all of sel_* or filter_c", [A | B, C], [A, B]),
    ("1 of them", [A, B, C], [{}, {"text": "b"}]),
    ("any of them", [A, B, C], [{}]),
    ("all of them", [A | B | C], [A | B]),
    ("not 1 of them", [{}], [A, B]),
    ("not all of them", [A | B, {}], [A | B | C]),
    ("not 1 of sel_* and filter_c", [C], [A | C, {}]),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "hit", "not_hit"), CONDITIONS, ids=[one[0] for one in CONDITIONS])
def test_condition(condition: str, hit: list[dict[str, Any]], not_hit: list[dict[str, Any]]) -> None:
    detection = SELECTIONS | {"condition": condition}
    holds = predicate(rule(detection).condition)
    (tree,) = trees(rule_text(detection))
    for records, wanted in ((hit, True), (not_hit, False)):
        for record in records:
            assert holds(record) is wanted, record
            assert walk(tree, record) is wanted, f"{record} by the plain walk"


# (selection, records hit, records not hit)
SHAPES: list[tuple[Any, list[dict[str, Any]], list[dict[str, Any]]]] = [
    ({"text": "a", "word": "b"}, [A | B], [A, B]),
    ([{"text": "a"}, {"word": "b"}], [A, B], [C, {}]),
    ([{"text": "a", "word": "b"}, {"other": "c"}], [A | B, C], [A, B]),
    ({"text|contains": "a", "text|endswith": "b"}, [{"text": "ab"}], [{"text": "a"}, {"text": "b"}]),
    (["boom", "crash"], [{"text": "big BOOM now"}, {"word": ["x", "crash"]}], [{"text": "bo-om"}, {}]),
    ("bo?m*now", [{"text": "x boom right now x"}], [{"text": "boom"}]),
    ({"|all": ["boom", "now"]}, [{"text": "boom", "word": "now"}, {"text": "boom now"}], [{"text": "boom"}]),
    ({"|re": "b[o]+m"}, [{"word": "xbooom"}], [{"word": "bm"}]),
    ({"|base64offset": "boom"}, [{"text": f"a {encoded(b'xboomx')}"}], [{"text": "boom"}]),
    ([42], [{"text": "42"}], [{"text": "421"}, {"number": 42}]),
    ({"text|fieldref": "word"}, [{"text": "X", "word": "x"}, {"text": ["a", "b"], "word": ["c", "b"]}], [A | B, A, {}]),
    ({"text|fieldref": ["word", "other"]}, [{"text": "x", "other": "x"}], [{"text": "x", "word": "y"}]),
    ({"text|fieldref|startswith": "word"}, [{"text": "abc", "word": "AB"}], [{"text": "ab", "word": "abc"}, A]),
    ({"text|fieldref|endswith": "word"}, [{"text": "abc", "word": "bc"}], [{"text": "abc", "word": "ab"}]),
    ({"text|fieldref|contains": "word"}, [{"text": "abc", "word": "b"}], [{"text": "abc", "word": "x"}]),
    ({"number|fieldref": "text"}, [{"number": 5, "text": "5"}, {"number": 5.0, "text": 5}], [{"number": 5, "text": 6}]),
]  # fmt: skip


@pytest.mark.parametrize(("selection", "hit", "not_hit"), SHAPES, ids=[str(one[0]) for one in SHAPES])
def test_selection(selection: Any, hit: list[dict[str, Any]], not_hit: list[dict[str, Any]]) -> None:
    detection = {"selection": selection, "condition": "selection"}
    holds = predicate(rule(detection).condition)
    (tree,) = trees(rule_text(detection))
    for records, wanted in ((hit, True), (not_hit, False)):
        for record in records:
            assert holds(record) is wanted, record
            assert walk(tree, record) is wanted, f"{record} by the plain walk"


PLACEHOLDERS = {"names": ["ab", "c*d"], "ports": [502, 20000]}
EXPANSIONS: list[tuple[str, Any, list[Any], list[Any]]] = [
    ("text|expand", "%names%", ["AB", "c*d"], ["cXd", "%names%", None]),
    ("text|expand", "x%names%y*", ["xaby", "xc*dyz"], ["xab"]),
    ("text|expand", "%names%-%ports%", ["ab-502", "c*d-20000"], ["ab-503"]),
    ("number|expand", "%ports%", [502, "20000"], [503]),
    ("text|contains|expand", "%names%", ["xabx"], ["xa"]),
    ("text|contains|all|expand", ["%names%", "z"], ["ab z"], ["ab", "z"]),
    ("text|re|expand", "^%names%$", ["ab", "c*d"], ["cd", "ccd", "xab"]),
    ("text|cased|expand", "%names%", ["ab"], ["AB"]),
]


@pytest.mark.parametrize(("key", "value", "hit", "not_hit"), EXPANSIONS)
def test_placeholders(key: str, value: Any, hit: list[Any], not_hit: list[Any]) -> None:
    holds = predicate(rule({"selection": {key: value}, "condition": "selection"}, PLACEHOLDERS).condition)
    field = key.split("|")[0]
    assert [holds({field: one}) for one in hit] == [True] * len(hit)
    assert [holds({field: one}) for one in not_hit] == [False] * len(not_hit)


def test_two_conditions_are_either() -> None:
    holds = predicate(rule(SELECTIONS | {"condition": ["sel_a", "sel_b and filter_c"]}).condition)
    assert [holds(record) for record in (A, B | C, B, C)] == [True, True, False, False]


def test_a_service_is_asked_for() -> None:
    made = rule(
        {"selection": A, "condition": "selection"},
        logsource={"product": "zonewatch", "category": "c", "service": "Modbus"},
    )
    holds = predicate(made.condition)
    assert made.fields == ("network.protocol", "text")
    assert [holds(A | {"network.protocol": word}) for word in ("modbus", "MODBUS", "dnp3", None)] == [True] * 2 + [
        False
    ] * 2


def test_moments_as_text() -> None:
    holds = predicate(rule({"selection": {"moment|hour": 12}, "condition": "selection"}).condition)
    assert holds({"moment": "2024-02-29T14:00:00+02:00"})
    assert not holds({"moment": "yesterday"})
    assert not holds({"moment": 10**30})


def test_a_long_text_is_searched_to_its_end() -> None:
    holds = predicate(rule({"selection": {"text|re": "x$"}, "condition": "selection"}).condition)
    assert holds({"text": "a" * 100_000 + "x"})
    assert holds({"text": "\ud800x"})


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("(a+)+$", "a" * 500 + "b"),
        ("(a|aa)+$", "a" * 500 + "b"),
        ("(x|y|xy)*z", "xy" * 500),
        ("a.*b.*c.*d.*e$", "abcd" * 500),
        (".*.*.*x", "a" * 2000),
    ],
)
def test_no_value_keeps_an_expression_busy(pattern: str, value: str) -> None:
    holds = predicate(rule({"selection": {"text|re": pattern}, "condition": "selection"}).condition)
    begun = time.process_time()
    assert not holds({"text": value})
    assert time.process_time() - begun < 1  # Python's own search needs years
