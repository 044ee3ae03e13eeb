"""What the rules of OPC UA find in public captures, as docs/decoding.md says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from tests.command import run
from tests.oracles.compare import CAPTURES, INDEX
from tests.oracles.opcua import NAMES

_OPEN: Final = {"opcua.anonymous_session", "opcua.no_security"}
FOUND: Final = {
    "opc-ua-ap-method-wireshark-freeze": _OPEN,
    "open62541_browse_next": _OPEN,
    "open62541_client-server_encrypted": {"opcua.deprecated_policy"},
    "open62541_client-server_mainloop": {"opcua.no_security", "opcua.password_in_clear"},
    # Its opening was not captured: whether the channel is protected cannot be known.
    "open62541_client-server_mainloop-no-handshake": {"opcua.password_in_clear"},
    "open62541_create_monitored_items": _OPEN,
    "python_opcua-client-server_encrypted": {"opcua.anonymous_session", "opcua.sign_only"},
    "python_opcua-client-server_minimal": _OPEN,
}

if not (CAPTURES / "oracle").is_dir():
    pytest.skip(f"the public captures are not here; {INDEX.name} names them", allow_module_level=True)


@pytest.mark.parametrize("capture", NAMES)
def test_findings_of_a_capture(capture: str, tmp_path: Path) -> None:
    done = run("audit", CAPTURES / capture, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text("utf-8"))
    found = {finding["rule"] for finding in result["findings"]}
    assert {name for name in found if name.startswith("opcua.")} == FOUND.get(Path(capture).stem, set())
