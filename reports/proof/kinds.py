"""Which findings the packets of a mini capture can prove by themselves, by the names of their rules.

The one table of it: the first pattern that fits a rule says what else its findings need. A rule that no pattern fits
is proven by its packets: judged again, they must tell the finding again.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["KINDS", "Kind", "kind_of"]

Needs = Literal["silence", "roles", "counts", "contents"]
"""silence: that something was not there, which a part cannot show; it is not judged again.
roles: what hosts are by all of their traffic; what is told again holds where the hosts have the same roles again.
counts: more packets than a mini capture holds; what is told again holds.
contents: octets that are cut out of mini captures, as they may hold secrets; what is told again holds."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Rules by a pattern of their names, and what their findings need besides the mini capture."""

    rules: str
    needs: Needs
    why: str


_HABIT: Final = "it deviates from what was learned in days"
_ANSWER: Final = "it says that no answer came"
_ROLE: Final = "it rests on the roles that its hosts have by all of their traffic"
_MANY: Final = "it counts more packets than a mini capture holds"
_SERVICE: Final = "the service was recognised by its contents, which are cut out of mini captures"
_SECRET: Final = "it rests on contents of services, which are cut out of mini captures"

KINDS: Final[tuple[Kind, ...]] = (
    Kind("baseline.*", "silence", _HABIT),
    Kind("policy.unused", "silence", "it says that nothing used a flow"),
    Kind("policy.cannot_conclude", "silence", "it says that what was kept is too coarse to judge"),
    Kind("infrastructure.sensor_blind", "silence", "it says what the sensor did not see"),
    Kind("exposure.blind_writer", "silence", "it says that a host never reads"),
    Kind("dnp3.operate_without_select", "silence", "it says that no select came before"),
    Kind("dnp3.silenced_before_control", "counts", _MANY),
    Kind("ot.disruptive_command_unanswered", "silence", _ANSWER),
    Kind("ot.unanswered_commands", "silence", _ANSWER),
    Kind("modbus.stranger_takes_over", "roles", _ROLE),
    Kind("modbus.umas_out_of_place", "roles", _ROLE),
    Kind("*_out_of_place", "roles", _ROLE),
    Kind("*_by_new_*", "roles", _ROLE),
    Kind("ot.command_*", "roles", _ROLE),
    Kind("ot.safety_engineering", "roles", _ROLE),
    Kind("dnp3.outstation_as_master", "roles", _ROLE),
    Kind("bacnet.foreign_device", "roles", _ROLE),
    Kind("bacnet.life_safety_priority", "roles", _ROLE),
    Kind("bacnet.objects_changed", "roles", _ROLE),
    Kind("bacnet.mass_write", "roles", _ROLE),
    Kind("exposure.needless_service", "roles", _ROLE),
    Kind("exposure.controller_web_change", "roles", _ROLE),
    Kind("exposure.file_to_device", "roles", _ROLE),
    Kind("exposure.dual_homed", "roles", _ROLE),
    Kind("exposure.shared_segment", "counts", "it rests on signs all over the capture"),
    Kind("infrastructure.undeclared_router", "roles", _ROLE),
    Kind("protocol.malformed", "counts", "which connections are told together rests on all of the traffic"),
    Kind("policy.unknown_asset", "counts", "that it takes part in the process rests on connections that were answered"),
    Kind("exposure.scan", "counts", _MANY),
    Kind("reconnaissance.*", "counts", _MANY),
    Kind("*_storm", "counts", _MANY),
    Kind("*_flood", "counts", _MANY),
    Kind("*_burst", "counts", _MANY),
    Kind("*_sweep", "counts", _MANY),
    Kind("*_scan", "counts", _MANY),
    Kind("*_guessing", "counts", _MANY),
    Kind("*.mass_*", "counts", _MANY),
    Kind("*.other_protocol_on_port", "contents", _SERVICE),
    Kind("modbus.odd_port", "contents", _SERVICE),
    Kind("exposure.certificate", "contents", "the certificate came in packets between those that the finding names"),
    Kind("malware.*", "contents", _SECRET),
    Kind("pivot.*", "contents", _SECRET),
    Kind("exposure.remote_*", "contents", _SECRET),
    Kind("exposure.cleartext_*", "contents", _SECRET),
    Kind("exposure.public_*", "contents", _SECRET),
    Kind("exposure.obsolete_*", "contents", _SECRET),
    Kind("exposure.smb*", "contents", _SECRET),
)


def kind_of(rule: str) -> Kind | None:
    """What findings of a rule need besides their packets; none where nothing."""
    return next((kind for kind in KINDS if fnmatch.fnmatchcase(rule, kind.rules)), None)
