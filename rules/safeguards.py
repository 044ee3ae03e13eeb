"""What a conduit asks of the traffic in it: that nothing comes back, who opens connections, encryption, authentication.

It narrows what the flows of conduits allow (IEC 62443-3-2 ZCR 6.4 h, l). It rests on what the inventory shows of the
services used; where that shows nothing, nothing is concluded.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import pyarrow as pa

from zonewatch.inventory.activities import MOST, MOST_DISTINCT
from zonewatch.inventory.flows import ANSWERED_STATES
from zonewatch.inventory.model import Activity, Inventory, Service
from zonewatch.inventory.services import BY_CONTENT
from zonewatch.inventory.tables import plain
from zonewatch.inventory.traffic import ANSWERS
from zonewatch.rules.matching import is_hidden
from zonewatch.rules.observe import Observation
from zonewatch.rules.places import End
from zonewatch.rules.policy.model import Conduit, Policy
from zonewatch.rules.policy.words import CLEARTEXT
from zonewatch.rules.verdicts import ATTEMPTED, Decision

SAFEGUARDS: Final = frozenset(("direction", "encryption", "authentication"))
"""What a conduit asks for, by the key of the policy file; a reason begins with it."""
_ENCRYPTED: Final = """
amqps dnp3-tls dtls esp ftps https ike imaps isakmp ipsec-nat-t ldaps mqtts niagara-foxs openvpn pop3s quic smtps ssh
ssl telnets tls winrm-https wireguard
"""
ENCRYPTED: Final = frozenset(_ENCRYPTED.split())
"""Services whose content is encrypted, where it was recognised as such."""
_OPENING: Final = """
hello acknowledge error open_secure_channel close_secure_channel find_servers find_servers_on_network get_endpoints
"""
_BEFORE_ENCRYPTION: Final = {"opcua": frozenset(_OPENING.split())}
"""What is said before a channel is encrypted, or by everybody to find out how to (OPC 10000-4, 5.4.2 to 5.4.4)."""
PROVED: Final = frozenset(("ah", "esp", "ike", "ipsec-nat-t", "isakmp", "wireguard"))
"""Services that carry nothing before both ends have proved who they are."""
ASKS_NOBODY: Final = frozenset(("llmnr", "mdns", "ssdp", "syslog", "tftp"))
"""Services that have no authentication."""
ANONYMOUS: Final = frozenset(("anonymous", "ftp"))
"""Names by which everybody may log in."""
_READABLE: Final = ("none", "vnc", "md5", "tight", "ultra", "ms_logon")
"""Security types of VNC that leave the screen readable (RFC 6143, 7.2)."""
_VERSION: Final = re.compile(r"(SSL|TLS|DTLS|SSH)\s*v?(\d+)(?:\.(\d+))?", re.IGNORECASE)

Way = tuple[str, str, str, int]
"""Client, server, transport, port of the server."""


class Held(NamedTuple):
    """Whether something asked for is there; none where nothing shows it."""

    held: bool | None
    text: str = ""


_YES: Final = Held(held=True)


@dataclass(frozen=True, slots=True)
class Openings:
    """Who opened the TCP connections: the ways on which the protocol's client did, or its server."""

    by_client: frozenset[Way]
    by_server: frozenset[Way]


def openings_of(flows: pa.Table, end: Callable[[str, str], str]) -> Openings:
    """Of a table of flows, whose client opened each; `end` tells the asset of a capture point and an address.

    Where a protocol's server opened a connection, its port is the one that the flow has for the client.
    """
    names = ("source", "client", "server", "client_port", "server_port")
    table = plain(flows.select([*names, "transport"]))
    rows = table.group_by([*names, "transport"]).aggregate([])
    by_client: set[Way] = set()
    by_server: set[Way] = set()
    for source, client, server, client_port, port, transport in zip(
        *(rows[name].to_pylist() for name in (*names, "transport")), strict=True
    ):
        if transport == "tcp":
            one, other = end(source, client), end(source, server)
            by_client.add((one, other, transport, port))
            by_server.add((other, one, transport, client_port))
    return Openings(frozenset(by_client), frozenset(by_server))


class Safeguards:
    """What the conduits of a policy ask for, and what an inventory shows of it."""

    def __init__(
        self,
        policy: Policy,
        inventory: Inventory,
        openings: Openings | None = None,
        distinct: Sequence[Activity] | None = None,
    ) -> None:
        """Without `distinct`, those that the inventory tells: logins, sessions and changes."""
        self._conduits: Mapping[str, Conduit] = {item.id: item for item in policy.conduits if _asks(item)}
        self._openings = openings
        self._most = 0  # activities, where there were more
        self._activities: defaultdict[Way, list[Activity]] = defaultdict(list)
        self._services: dict[tuple[str, str, str, int], Service] = {}
        self._answered: set[Way] = set()
        if not self._conduits:
            return
        known, most = (inventory.activities, MOST) if distinct is None else (distinct, MOST_DISTINCT)
        self._most = most if len(known) >= most else 0
        for activity in known:
            way = (activity.client, activity.server, activity.transport, activity.server_port)
            self._activities[way].append(activity)
        for asset in inventory.assets:
            for service in asset.services:
                self._services[asset.id, service.protocol, service.transport, service.port] = service
        for edge in inventory.edges:
            statuses = {status for function in edge.functions for status, _ in function.statuses}
            if edge.state in ANSWERED_STATES or statuses & ANSWERS:
                self._answered.add((edge.client, edge.server, edge.transport, edge.server_port))

    def decision(self, allowed: Decision, seen: Observation, client: End, server: End) -> Decision | None:
        """What is wrong with what a flow allows, or cannot be told; none where all that is asked for is there."""
        conduit = self._conduits.get(allowed.conduit)
        if conduit is None:
            return None
        found = [(aspect, held) for aspect, held in self._held(conduit, seen, client, server) if not held.held]
        lacking = [item for item in found if item[1].held is False]
        told = lacking or found
        if not told:
            return None
        reason = "; ".join(f"{aspect}: {held.text}" for aspect, held in told)
        return replace(
            allowed,
            verdict="violation" if lacking else "cannot_conclude",
            reason=f"{reason} (asked for by conduit {conduit.id})",
            differs=tuple(aspect for aspect, _ in told),
        )

    def limits(self) -> Iterator[str]:
        """What was not judged of what the conduits ask for."""
        for conduit in self._conduits.values():
            least, known = conduit.encryption.minimum, conduit.authentication
            if least and _VERSION.fullmatch(least.strip()) is None:
                yield f"encryption.minimum {least!r} of conduit {conduit.id} is no version of TLS or SSH: not judged"
            if known.required and known.compensating:
                yield f"authentication in conduit {conduit.id} was not judged: {known.compensating} stands in for it"
        if self._most:
            yield f"encryption and authentication were judged by the first {self._most} distinct activities"

    def _held(self, conduit: Conduit, seen: Observation, client: End, server: End) -> Iterator[tuple[str, Held]]:
        way = (client.id, server.id, seen.transport, seen.server_port)
        if conduit.direction == "from-to-only" or conduit.kind == "one-way":
            yield "direction", self._one_way(seen, way)
        elif conduit.initiator is not None and seen.operation and seen.transport == "tcp":
            yield "direction", self._opened(conduit, way)
        if seen.state in ATTEMPTED:
            return
        activities = self._activities[way]
        if conduit.encryption.required:
            yield "encryption", self._encrypted(seen, server, activities)
        if conduit.encryption.minimum:
            yield "encryption", _version(conduit.encryption.minimum, seen, activities)
        if conduit.authentication.required and not conduit.authentication.compensating:
            yield "authentication", self._authenticated(seen, server, activities)

    def _one_way(self, seen: Observation, way: Way) -> Held:
        """Refusals are packets that come back, too."""
        back = seen.state in (*ANSWERED_STATES, "refused")
        if seen.operation:  # more ports than a few are told as 0
            back = bool({way, (*way[:3], 0)} & self._answered)
        return Held(held=False, text="packets came back from the server") if back else _YES

    def _opened(self, conduit: Conduit, way: Way) -> Held:
        """A connection with messages; one without is judged by its flow, which is turned."""
        if self._openings is None:
            return Held(None, "cannot tell who opened the connection: the record does not say")
        wanted, other = self._openings.by_client, self._openings.by_server
        by = conduit.to
        if conduit.initiator == conduit.to and conduit.from_ != conduit.to:
            wanted, other, by = other, wanted, conduit.from_
        if way in other:
            return Held(held=False, text=f"the connection was opened from {by}, not {conduit.initiator}")
        return _YES if way in wanted else Held(None, "cannot tell who opened the connection")

    def _encrypted(self, seen: Observation, server: End, activities: list[Activity]) -> Held:
        protocol = seen.protocol
        if is_hidden(seen) or seen.function_name in _BEFORE_ENCRYPTION.get(protocol, ()):
            return _YES
        if seen.operation:
            return Held(held=False, text=f"{protocol} was read")
        shown = _least(map(_encrypts, activities))
        if shown is not None:
            return shown
        if protocol not in ENCRYPTED | CLEARTEXT or protocol == "snmp":  # whose version decides
            return Held(None, f"cannot tell if {protocol} is encrypted")
        service = self._services.get((server.id, protocol, seen.transport, seen.server_port))
        if service is None or service.reason != BY_CONTENT:
            return Held(None, f"cannot tell: {protocol} is named by its port alone")
        return _YES if protocol in ENCRYPTED else Held(held=False, text=f"{protocol} was read")

    def _authenticated(self, seen: Observation, server: End, activities: list[Activity]) -> Held:
        protocol = seen.protocol
        if seen.operation:
            key = (protocol, seen.transport, seen.server_port)
            service = self._services.get((server.id, *key)) or self._services.get((server.id, *key[:2], 0))
            posture = service.posture if service is not None else "unknown"
            if posture == "none":
                return Held(held=False, text=f"{server.label} obeys {protocol} without any")
            known = "is offered, no positive answer was seen" if posture == "offered" else "is not known"
            return (
                _YES if posture == "used" else Held(None, f"cannot tell: that of {protocol} at {server.label} {known}")
            )
        shown = _least(map(_proves, activities))
        if shown is not None:
            return shown
        if protocol in ASKS_NOBODY:
            return Held(held=False, text=f"{protocol} has none")
        return _YES if protocol in PROVED else Held(None, f"cannot tell if {protocol} asks who its clients are")


def _asks(conduit: Conduit) -> bool:
    one_way = conduit.direction == "from-to-only" or conduit.kind == "one-way"
    encryption = conduit.encryption.required or conduit.encryption.minimum
    return bool(one_way or conduit.initiator or encryption or conduit.authentication.required)


def _least(found: Iterable[Held | None]) -> Held | None:
    """What is lacking comes before what nobody knows, and that before what is there."""
    order = (False, None, True)
    return min((held for held in found if held is not None), key=lambda held: order.index(held.held), default=None)


def _fields(activity: Activity) -> Mapping[str, str]:
    return dict(reversed(activity.fields))


def _encrypts(activity: Activity) -> Held | None:
    """What one activity shows; none where it shows nothing, as a refusal, or a question before encryption begins."""
    fields, protocol = _fields(activity), activity.protocol
    if activity.status == "error":
        return None
    if activity.action == "start_tls":
        return _YES
    if "tls.version" in fields or "tls.cipher" in fields:
        bare = "_NULL_" in fields.get("tls.cipher", "")
        return Held(held=False, text=f"cipher {fields['tls.cipher']} encrypts nothing") if bare else _YES
    chosen = fields.get("rdp.security_protocol", "")
    if chosen:
        bare = chosen == "standard" and fields.get("rdp.encryption", "") in ("", "none")
        return Held(None, "cannot tell if rdp is encrypted") if bare else _YES
    screen = fields.get("vnc.security_type", "")
    if screen:
        return Held(held=False, text=f"vnc with security {screen} is readable") if screen in _READABLE else _YES
    if protocol == "snmp":
        private = fields.get("snmp.security_level", "").lower() == "authpriv"
        return _YES if private else Held(held=False, text=f"snmp {fields.get('snmp.version', '')} was read".strip())
    if fields.get("db.encryption", "") == "not_supported":
        return Held(held=False, text=f"{protocol} without encryption")
    if protocol in CLEARTEXT and activity.action != "hello":
        return Held(held=False, text=f"{protocol} was read")
    return None


def _proves(activity: Activity) -> Held | None:
    """What one activity shows of who its client is."""
    fields, protocol = _fields(activity), activity.protocol
    if activity.status == "error":
        return None
    user = fields.get("user.name", "")
    if fields.get("snmp.version") in ("1", "2c"):
        return Held(held=False, text=f"snmp {fields['snmp.version']} asks for a community only")
    if fields.get("snmp.security_level", "").lower() == "noauthnopriv":
        return Held(held=False, text="snmp 3 without authentication")
    nobody = "none" in (fields.get("vnc.security_type"), fields.get("credential.kind"))
    if nobody or fields.get("ldap.authentication") == "anonymous" or user.lower() in {*ANONYMOUS, "guest"}:
        return Held(held=False, text=f"{protocol} {f'as {user}' if user else 'without any'}")
    if activity.status != "ok":
        return None
    proved = activity.operation == "authenticate" or fields.get("rdp.security_protocol", "").startswith("credssp")
    return _YES if proved or fields.get("tls.client.x509.subject") or fields.get("snmp.security_level") else None


def _version(least: str, seen: Observation, activities: list[Activity]) -> Held:
    """The least version of TLS or SSH; of other services it says nothing."""
    wanted = _VERSION.fullmatch(least.strip())
    if wanted is None:
        return _YES
    ssh = wanted[1].upper() == "SSH"
    words = [_fields(item).get("ssh.version" if ssh else "tls.version", "") for item in activities]
    known = [word for word in words if word]
    old = [word for word in known if _number(word) < _number(least)]
    if old:
        spoken = old[0] if old[0].startswith("SSL") else f"{'SSH' if ssh else 'TLS'} {old[0]}"
        return Held(held=False, text=f"{spoken}, at least {least} is asked for")
    concerned = seen.protocol == "ssh" if ssh else seen.protocol in ENCRYPTED - PROVED - {"ssh", "openvpn"}
    return Held(None, f"cannot tell the version of {seen.protocol}") if concerned and not known else _YES


def _number(text: str) -> tuple[int, int]:
    """Comparable; every SSL comes before TLS 1.0."""
    found = re.search(r"(\d+)(?:\.(\d+))?", text)
    if found is None:
        return 0, 0
    number = int(found[1]), int(found[2] or 0)
    return (0, number[0]) if text.upper().startswith("SSL") else number
