"""Web, files, mail, messages and databases of the public captures, against tshark (see tests/services/web.py)."""

from __future__ import annotations

import pytest

from tests.oracles.compare import CAPTURES
from tests.services.web import CAPTURES_OF, TSHARK, captures, differences, listed

if not CAPTURES.is_dir() or TSHARK is None:
    pytest.skip(f"public captures or tshark are not here; {CAPTURES_OF.name} names them", allow_module_level=True)


@pytest.mark.parametrize(("capture", "protocol"), captures())
def test_what_is_told_equals_the_other_but_for_the_listed_differences(capture: str, protocol: str) -> None:
    """An unlisted difference fails, and so does a listed one that is gone."""
    assert differences(capture, protocol) == listed(capture, protocol)
