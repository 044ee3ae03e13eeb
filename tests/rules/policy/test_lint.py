"""The static check: for each code a policy that has it and one, mended, that has not; the fixes; the forms."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.policy.test_load import FULL
from zonewatch.rules.policy.lint.forms import DOCUMENT, as_json, as_sarif, as_text
from zonewatch.rules.policy.lint.run import CHECKS, FILE_CODES, Diagnostic, Report, check_policy, fixed

ROOT = Path(__file__).parents[3]
TODAY = dt.date(2026, 6, 1)

CLEAN = """\
policy_version: 1
suc: {id: s, owner: Works, approval: {approved_by: director, approved_on: 2026-01-01}}
defaults: {between_zones: deny, within_zone: allow, unknown_asset: report}
zones:
  - {id: office, purdue: 4, sl_t: 1, owner: IT, members: {subnets: [10.4.0.0/24]}}
  - {id: dmz, purdue: 3.5, sl_t: 2, owner: IT, members: {subnets: [10.3.0.0/24]}}
  - {id: room, purdue: 2, sl_t: 2, owner: OT, members: {subnets: [10.2.0.0/24]}}
  - {id: cell, purdue: 1, sl_t: 2, owner: OT, members: {subnets: [10.1.0.0/24], exclude: [10.1.0.9]}}
assets:
  - {id: hmi, zone: room, addresses: [10.2.0.5], role: hmi}
  - {id: plc, zone: cell, addresses: [10.1.0.5], role: plc}
  - {id: jump, zone: dmz, addresses: [10.3.0.5], role: server}
conduits:
  - id: c
    from: room
    to: cell
    sl_t: 2
    flows:
      - {id: poll, protocol: modbus, operations: [read], clients: [hmi], purpose: values}
      - id: set
        protocol: modbus
        operations: [write]
        clients: [hmi]
        objects: [coil 0-9]
        purpose: setpoints
        approved: {by: chief, on: 2026-01-01, until: 2027-01-01}
  - id: r
    from: dmz
    to: room
    flows:
      - {id: desk, protocol: rdp, clients: [jump], purpose: remote maintenance}
remote_access:
  - {id: ra, entry_zone: dmz, jump_host: jump, target_zone: room, protocols: [rdp], mfa: true, max_minutes: 60,
     approval: ticket}
"""
EXCEPTION = """\
    exceptions:
      - {id: x, match: {client: hmi, operations: [stop]}, approved_by: chief, ticket: T1, to: 2026-12-01}
"""
SET = "      - id: set\n"
WINDOW = "maintenance_windows: [{id: m, zones: [cell], from: 2026-12-01, to: 2026-12-02, allow: [mode], ticket: T1}]\n"
CONDUIT = "  - {id: d, from: %s, to: %s, flows: [{id: f, protocol: https, clients: [10.9.0.1], purpose: p}]}\n"
AT_CONDUITS = "remote_access:\n"
EXTERNAL = "  - {id: net, kind: external}\n"


class Case(NamedTuple):
    """CLEAN with one text for another has the code; with the third it has not."""

    code: str
    old: str
    bad: str
    good: str = ""  # empty: as it was


CASES = (
    Case("ZP001", "policy_version: 1\n", "policy_version: 1\n\t- {\n"),
    Case("ZP002", "protocol: rdp", "protocol: rpd"),
    Case("ZP003", "id: plc", "id: hmi"),
    Case("ZP004", "from: dmz", "from: dmzz"),
    Case("ZP005", "10.4.0.0/24", "10.3.0.0/24"),
    Case("ZP006", "clients: [jump]", "clients: [plc]"),
    Case("ZP007", "{id: dmz, purdue", "{id: dmz, parent: dmz, purdue", "{id: dmz, parent: office, purdue"),
    Case("ZP008", "conduits:\n", "conduits:\n  # accept ZP302: all of them\n"),
    Case("ZP101", ", unknown_asset: report}", "}"),
    Case("ZP102", "between_zones: deny", "between_zones: report"),
    Case("ZP103", "operations: [read]", "operations: [read, read]"),
    Case("ZP104", "10.3.0.0/24", "10.1.0.128/25, 10.3.0.0/24", "10.30.0.0/24, 10.3.0.0/24"),
    Case("ZP105", "[10.2.0.0/24]", "[10.2.0.0/24, 10.2.0.0/25]", "[10.2.0.0/24, 10.22.0.0/25]"),
    Case(
        "ZP106",
        "assets:\n",
        "  - {id: bare, sl_t: 1, owner: OT}\nassets:\n",
        "  - {id: bare, sl_t: 1, owner: OT, members: {vlans: [4]}}\nassets:\n",
    ),
    Case("ZP107", "exclude: [10.1.0.9]", "exclude: [10.7.0.9]"),
    Case(
        "ZP108",
        "assets:\n",
        "assets:\n  - {id: lost, addresses: [10.7.0.1]}\n",
        "assets:\n  - {id: lost, addresses: [10.2.0.1]}\n",
    ),
    Case("ZP109", "addresses: [10.2.0.5]", "addresses: [10.4.0.5]"),
    Case(
        "ZP110",
        "assets:\n",
        "assets:\n  - {id: pc, zone: cell, addresses: [10.1.0.7], role: pc}\n",
        "assets:\n  - {id: pc, zone: office, addresses: [10.4.0.7], role: pc}\n",
    ),
    Case("ZP111", "role: plc}", "role: plc, safety: sis}", "role: plc, safety: related}"),
    Case("ZP112", "purdue: 2, sl_t: 2,", "purdue: 2,"),
    Case(
        "ZP113",
        "{id: cell, purdue: 1, sl_t: 2",
        "{id: cell, parent: room, purdue: 1, sl_t: 1",
        "{id: cell, parent: room, purdue: 1, sl_t: 3",
    ),
    Case("ZP114", "purdue: 2, sl_t: 2, owner: OT,", "purdue: 2, sl_t: 2,"),
    Case("ZP201", AT_CONDUITS, CONDUIT % ("net", "cell") + AT_CONDUITS, CONDUIT % ("net", "dmz") + AT_CONDUITS),
    Case("ZP202", AT_CONDUITS, CONDUIT % ("office", "cell") + AT_CONDUITS, CONDUIT % ("office", "dmz") + AT_CONDUITS),
    Case(
        "ZP203",
        AT_CONDUITS,
        CONDUIT % ("office", "dmz") + AT_CONDUITS,
        (CONDUIT % ("office", "dmz")).replace("flows", "enforcement: {device: fw}, flows") + AT_CONDUITS,
    ),
    Case("ZP204", "    sl_t: 2\n", "    sl_t: {IAC: 2, UC: 2, SI: 2, DC: 2, RDF: 1, TRE: 2, RA: 2}\n"),
    Case(
        "ZP205",
        "    sl_t: 2\n",
        "    enforcement: {device: fw, deny_by_default: false}\n",
        "    enforcement: {device: fw, deny_by_default: true}\n",
    ),
    Case("ZP206", "    sl_t: 2\n", "    encryption: {required: true}\n", "    encryption: {required: false}\n"),
    Case("ZP207", AT_CONDUITS, CONDUIT % ("room", "cell") + AT_CONDUITS, CONDUIT % ("cell", "room") + AT_CONDUITS),
    Case(
        "ZP208",
        AT_CONDUITS,
        "  - {id: d, from: cell, to: room}\n" + AT_CONDUITS,
        CONDUIT % ("cell", "room") + AT_CONDUITS,
    ),
    Case(
        "ZP209",
        AT_CONDUITS,
        (CONDUIT % ("cell", "room")).replace("flows", "kind: one-way, flows") + AT_CONDUITS,
        CONDUIT % ("cell", "room") + AT_CONDUITS,
    ),
    Case("ZP301", "protocol: rdp", "protocol: tcp", "protocol: tcp, ports: [3389/tcp]"),
    Case("ZP302", "clients: [hmi], purpose: values", "purpose: values", "clients: [10.2.0.8/30], purpose: values"),
    Case("ZP303", "operations: [read], ", "", "function_codes: [3], "),
    Case("ZP304", "        purpose: setpoints\n", ""),
    Case("ZP305", ", purpose: values", ', purpose: ""'),
    Case("ZP306", "by: chief, ", "by: , "),
    Case("ZP307", "until: 2027-01-01", "until: 2026-05-31", "until: 2026-06-01"),
    Case("ZP308", "on: 2026-01-01, until", "on: 2026-06-02, until", "on: 2026-06-01, until"),
    Case(
        "ZP309",
        SET,
        "      - {id: poll-2, protocol: modbus, operations: [read], clients: [hmi], purpose: values}\n" + SET,
        "      - {id: poll-2, protocol: modbus, operations: [read], clients: [10.2.0.6], purpose: values}\n" + SET,
    ),
    Case(
        "ZP310",
        SET,
        "      - {id: all, protocol: modbus, operations: [read, discover], clients: [10.2.0.0/24, hmi], purpose: p}\n"
        + SET,
        "      - {id: all, protocol: modbus, operations: [discover], clients: [hmi], purpose: p}\n" + SET,
    ),
    Case("ZP311", "[coil 0-9]", "[coil 0-4, coil 5-9]", "[coil 0-4, coil 6-9]"),
    Case("ZP312", "purpose: values", "values: {max: 5}, purpose: values", "objects: [coil 1], purpose: values"),
    Case("ZP401", "    sl_t: 2\n", EXCEPTION.replace(", ticket: T1", ""), EXCEPTION),
    Case("ZP402", "    sl_t: 2\n", EXCEPTION.replace("2026-12-01", "2026-05-30"), EXCEPTION),
    Case("ZP403", "    sl_t: 2\n", EXCEPTION.replace("client: hmi, ", ""), EXCEPTION),
    Case("ZP404", AT_CONDUITS, WINDOW.replace(", ticket: T1", "") + AT_CONDUITS, WINDOW + AT_CONDUITS),
    Case("ZP405", AT_CONDUITS, WINDOW.replace("2026-12", "2026-04") + AT_CONDUITS, WINDOW + AT_CONDUITS),
    Case("ZP501", "mfa: true", "mfa: false"),
    Case("ZP502", "jump_host: jump, ", ""),
    Case("ZP503", "protocols: [rdp]", "protocols: [rdp, ssh]"),
    Case("ZP504", "clients: [jump]", "clients: [jump, 10.3.0.6]"),
    Case("ZP601", "approved_by: director, ", ""),
    Case("ZP602", "owner: Works, ", ""),
    Case(
        "ZP603",
        "    sl_t: 2\n",
        "    requirements: [{id: SR 5.1, status: planned, due: 2026-05-01}]\n",
        "    requirements: [{id: SR 5.1, status: in_place, due: 2026-05-01}]\n",
    ),
)


def found(text: str) -> set[str]:
    return {item.code for item in checked(text).diagnostics}


def checked(text: str) -> Report:
    if "from: net" in text:
        text = text.replace("assets:\n", EXTERNAL + "assets:\n")
    return check_policy(text, "policy.yaml", TODAY)


def test_the_clean_policy_is_clean() -> None:
    assert as_text(checked(CLEAN)) == "0 errors, 0 warnings, 0 notes\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_each_code_has_a_policy_with_it_and_one_without(case: Case) -> None:
    assert CLEAN.count(case.old) >= 1
    bad = checked(CLEAN.replace(case.old, case.bad, 1))
    told = [item for item in bad.diagnostics if item.code == case.code]
    assert told, as_text(bad)
    assert all(item.line > 0 and item.column > 0 for item in told)
    assert case.code not in found(CLEAN.replace(case.old, case.good or case.old, 1))


def test_every_code_has_a_case_and_a_section_with_its_parts() -> None:
    codes = {*FILE_CODES, *(check.code for check in CHECKS)}
    assert {case.code for case in CASES} == codes
    text = (ROOT / DOCUMENT).read_text("utf-8")
    sections = {part[:5]: part for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]}
    assert set(sections) == codes
    titles = {**{code: title for code, (title, _) in FILE_CODES.items()}, **{item.code: item.title for item in CHECKS}}
    clauses = {
        **{code: clause for code, (_, clause) in FILE_CODES.items()},
        **{item.code: item.clause for item in CHECKS},
    }
    for code, section in sections.items():
        assert section.startswith(f"{code} {titles[code]}\n"), code
        assert f"**Clause** {clauses[code]}." in section, code
        assert all(f"**{word}**" in section for word in ("Why", "Mend")), code
        assert "```yaml" in section, code


def test_only_errors_count_as_such() -> None:
    severities = {check.code: check.severity for check in CHECKS}
    assert {code for code, severity in severities.items() if severity == "error"} == {"ZP201", "ZP401", "ZP502"}


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.code in ("ZP101", "ZP103", "ZP105", "ZP107", "ZP309", "ZP311")],
    ids=lambda case: case.code,
)
def test_a_fix_mends_and_leaves_the_rest(case: Case) -> None:
    text = "# head\n" + CLEAN.replace(case.old, case.bad, 1).replace("to: cell\n", "to: cell   # aside\n")
    report = checked(text)
    assert report.edits
    new = fixed(text, report)
    assert case.code not in found(new)
    assert checked(new).edits == ()
    assert (new.startswith("# head\n"), "to: cell   # aside\n" in new) == (True, True)
    changed = set(text.splitlines()) ^ set(new.splitlines())
    assert len(changed) <= 2, changed


@pytest.mark.parametrize(
    ("line", "accepted", "idle"),
    [
        ("      # accept ZP302: every host asks\n", True, False),
        ("      # accept ZP302, ZP305: every host asks\n", True, True),
        ("      # accept ZP302\n", False, True),
        ("      # accept ZP310: no\n", False, True),
    ],
)
def test_a_warning_can_be_accepted_with_a_reason(line: str, accepted: bool, idle: bool) -> None:
    text = CLEAN.replace("clients: [hmi], purpose: values", "purpose: values")
    text = text.replace("      - {id: poll", line + "      - {id: poll")
    report = checked(text)
    (told,) = [item for item in report.diagnostics if item.code == "ZP302"]
    assert bool(told.accepted) == accepted
    assert report.count("warning") == (not accepted) + idle
    assert ("1 accepted" in as_text(report)) == accepted


def test_errors_cannot_be_accepted() -> None:
    text = CLEAN.replace("jump_host: jump, ", "").replace(
        "  - {id: ra,", "  # accept ZP502: we trust them\n  - {id: ra,"
    )
    report = checked(text)
    assert (report.count("error"), "ZP008" in found(text)) == (1, True)


def test_the_forms_tell_the_same() -> None:
    report = checked(CLEAN.replace("mfa: true", "mfa: false").replace("clients: [jump], ", ""))
    codes = [item.code for item in report.diagnostics]
    assert [row["code"] for row in json.loads(as_json(report))["diagnostics"]] == codes
    run = json.loads(as_sarif(report, "1.0"))["runs"][0]
    assert [row["ruleId"] for row in run["results"]] == codes
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {*FILE_CODES, *(check.code for check in CHECKS)}
    assert len(as_text(report).splitlines()) == len(codes) + 1


def test_the_bundled_plant_has_no_warning_but_explained_ones() -> None:
    path = ROOT / "pcaps" / "waterworks" / "policy.yaml"
    report = check_policy(path.read_text("utf-8"), "policy.yaml", dt.date(2026, 3, 2))
    assert [item for item in report.diagnostics if not item.accepted] == []


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, len(FULL) - 1), mark=st.sampled_from("\n :,[]{}'\"#&*!|>%@`-?\t09azZ\x00é\u2028"))
def test_a_damaged_character_is_checked_without_a_traceback(place: int, mark: str) -> None:
    text = FULL[:place] + mark + FULL[place + 1 :]
    report = check_policy(text, "policy.yaml", TODAY)
    assert all(isinstance(item, Diagnostic) and item.line > 0 for item in report.diagnostics)
    if report.edits:
        fixed(text, report)
