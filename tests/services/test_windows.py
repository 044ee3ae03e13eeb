"""SMB, remote procedure calls, Kerberos, LDAP and SNMP of public captures, against other tools' views."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from tests.oracles.compare import CAPTURES
from tests.services.windows import REASONS, TRACES, activities, captures, differences, listed, zeek

if not CAPTURES.is_dir():
    pytest.skip("the public captures are not here", allow_module_level=True)

NO_TSHARK = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not here")
FILES = ("smb2readwrite.pcap", "smb2.delete-on-close-perms-delete-existing.pcap")
CALLS = "dssetup_DsRoleGetPrimaryDomainInformation_standalone_workstation.cap"
ACTIONS = {"create": "open"}  # Zeek has one word for both


@NO_TSHARK
@pytest.mark.parametrize("capture", captures())
def test_facts_equal_tsharks_but_for_the_listed_differences(capture: str) -> None:
    """An unlisted difference fails, and so does a listed one that is gone."""
    expected = sorted(row for row in listed() if row[0] == capture)
    assert sorted(differences(capture, activities(CAPTURES / capture))) == expected


def test_every_difference_has_a_reason() -> None:
    assert set(listed().values()) == set(REASONS)


@pytest.mark.parametrize("capture", FILES)
def test_files_equal_zeeks(capture: str) -> None:
    path = f"{TRACES}/smb/{capture}"
    theirs = {(row["action"].removeprefix("SMB::FILE_").lower(), row["name"]) for row in zeek(path, "smb_files")}
    ours = set()
    for row in activities(CAPTURES / path):
        fields = dict(row["fields"])
        if "file.name" in fields and row["status"] == "ok":
            ours.add((ACTIONS.get(row["action"], row["action"]), fields["file.name"].replace("\\", "\\\\")))
    assert theirs
    assert ours == theirs


def test_calls_equal_zeeks() -> None:
    path = f"{TRACES}/smb/{CALLS}"
    theirs = Counter((row["endpoint"], row["operation"]) for row in zeek(path, "dce_rpc"))
    ours: Counter[tuple[str, str]] = Counter()
    for row in activities(CAPTURES / path):
        fields = dict(row["fields"])
        if row["action"] == "call":
            ours[fields["dce_rpc.interface"], fields["dce_rpc.operation"]] += row["count"]
    assert theirs
    assert {key: ours[key] for key in theirs} == dict(theirs)


def test_counts_of_requests_equal_zeeks() -> None:
    """Zeek counts messages of a conversation, by kind; encrypted ones not."""
    path = f"{TRACES}/snmp/snmpv3_get_next.pcap"
    rows = zeek(path, "snmp")
    theirs = {column: sum(int(row[column]) for row in rows) for column in ("get_requests", "set_requests")}
    found = activities(CAPTURES / path)
    gets = sum(row["count"] for row in found if row["action"] in ("get", "get_next"))
    sets = sum(row["count"] for row in found if row["action"] == "set")
    assert {"get_requests": gets, "set_requests": sets} == theirs
    assert {dict(row["fields"])["user.name"] for row in found} == {row["community"] for row in rows}
