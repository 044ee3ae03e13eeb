"""The table of native detectors, in the order in which they tell facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from zonewatch.rules.context import DEVICE_ROLES, Context, Detector, Fact, Told
from zonewatch.rules.exposure.beacons import beacon
from zonewatch.rules.exposure.boundary import dual_homed, shared_segment
from zonewatch.rules.exposure.control import no_authentication, unauthenticated, value_change
from zonewatch.rules.exposure.devices import unknown_asset, unzoned_asset
from zonewatch.rules.exposure.internet import public_client, public_server
from zonewatch.rules.exposure.needless import needless
from zonewatch.rules.exposure.remote import console, remote_access, remote_support
from zonewatch.rules.exposure.weaknesses import WEAKNESSES
from zonewatch.rules.exposure.writers import blind_writer
from zonewatch.rules.findings import SEVERITIES, Finding
from zonewatch.rules.oddities import malformed
from zonewatch.rules.owners import address_conflict, vlan_flap
from zonewatch.rules.pivots import pivots
from zonewatch.rules.points import blind, not_enforced
from zonewatch.rules.scan import scan
from zonewatch.rules.tags.detect import limit, safety_write
from zonewatch.rules.unused import unused
from zonewatch.rules.violations import reported, undecided, violations
from zonewatch.rules.weigh import Act, weigh, windows_of, worth_of

DETECTORS: Final[tuple[Detector, ...]] = (
    Detector(
        "pivot.chain",
        "A chain of remote sessions that ends in a change of the process",
        "high",
        ("T0886",),
        ("SR 1.13", "SR 2.1", "SR 5.2"),
        "both",
        "Treat it as an incident until somebody answers for it: ask who was at the first host, cut the sessions, keep "
        "the hosts on the way as they are, and compare the device's program and values with the last known good ones.",
        pivots,
    ),
    Detector(
        "exposure.public_client",
        "An OT service is reached from a public address",
        "high",
        ("T0883",),
        ("SR 5.2", "SR 1.13"),
        "both",
        "Take the device off the internet: remove the port forwarding or the public address, and let remote "
        "maintenance come through a jump host. Check the device for changes since it was reachable.",
        public_client,
    ),
    Detector(
        "exposure.scan",
        "A client scans the network",
        "medium",
        ("T0846",),
        ("SR 6.2", "SR 5.2"),
        "both",
        "Find the device and the person behind it. Take it off the network if nobody announced the scan.",
        scan,
    ),
    Detector(
        "policy.violation",
        "Traffic that the zone policy does not allow",
        "medium",
        ("T0886",),
        ("SR 5.2", "SR 5.1", "SR 2.1"),
        "both",
        "Block it at the zone boundary, unless it is needed: then approve a flow for it.",
        violations,
    ),
    Detector(
        "process.safety_write",
        "A write to a point of a safety function",
        "high",
        ("T0880", "T0836"),
        ("SR 2.1", "SR 3.1"),
        "OT",
        "Find out who did it and by which permit. Compare the point with its approved value, and treat the protection "
        "as not there until it is proven again.",
        safety_write,
    ),
    Detector(
        "process.limit",
        "A value beyond its limits, or a limit that was changed",
        "high",
        ("T0836", "T0838"),
        ("SR 3.5", "SR 6.2"),
        "OT",
        "Ask the operators whether it was meant. Set it back within its limits, and let the controller refuse what is "
        "beyond them. Where the value is right, correct the tag list.",
        limit,
    ),
    Detector(
        "exposure.remote_access",
        "A remote session into the process side",
        "medium",
        ("T0886",),
        ("SR 1.13", "SR 2.6"),
        "both",
        "Find out who opened the session and why. Let remote access come through a jump host with its own flow in "
        "the policy; block the rest.",
        remote_access,
        weighs=True,
    ),
    Detector(
        "exposure.public_server",
        "A process device talks to public addresses",
        "medium",
        ("T0883",),
        ("SR 5.2",),
        "both",
        "Block the way from the process side to the internet; name the few exceptions in the policy.",
        public_server,
        weighs=True,
    ),
    Detector(
        "malware.beacon",
        "A process host that calls the internet by a clock",
        "medium",
        ("T0869", "T0884"),
        ("SR 3.2", "SR 5.2"),
        "both",
        "Find the program on the host, and who owns the other end. Allow what is needed by a flow of its own; block "
        "the rest.",
        beacon,
    ),
    Detector(
        "exposure.remote_support",
        "Remote support or a tunnel on the process side",
        "high",
        ("T0822",),
        ("SR 1.13", "SR 5.2"),
        "both",
        "Remove the tool, or let the vendor come through the jump host in an agreed window.",
        remote_support,
    ),
    Detector(
        "exposure.dual_homed",
        "A host that is in two zones at once",
        "high",
        ("T0886",),
        ("SR 5.1",),
        "both",
        "Take one of its addresses away, or declare it a router or firewall and have it enforce the policy.",
        dual_homed,
    ),
    Detector(
        "exposure.shared_segment",
        "Zones that share a segment",
        "medium",
        ("T0830",),
        ("SR 5.1", "SR 5.2"),
        "both",
        "Put the zones into VLANs of their own with a firewall between them; a boundary inside one segment enforces "
        "nothing.",
        shared_segment,
    ),
    Detector(
        "exposure.cleartext_console",
        "A console that anybody on the way can read",
        "high",
        ("T0859", "T0886"),
        ("SR 1.5", "SR 4.1"),
        "both",
        "Switch Telnet, rlogin and rsh off and use SSH. Where the device has none, reach it through the jump host "
        "only.",
        console,
        weighs=True,
    ),
    *WEAKNESSES,
    Detector(
        "exposure.needless_service",
        "Services that a role does not need",
        "low",
        ("T0885",),
        ("SR 7.7",),
        "OT",
        "Switch the service off on the device; where that cannot be, let only the hosts that need it reach it.",
        needless,
    ),
    Detector(
        "protocol.malformed",
        "Malformed or protocol-violating messages",
        "low",
        ("T0814",),
        ("SR 3.5", "SR 3.1"),
        "OT",
        "Find the sender, and what makes it send so.",
        malformed,
    ),
    Detector(
        "network.address_conflict",
        "An address that several devices have at once",
        "medium",
        ("T0830",),
        ("SR 3.1", "SR 1.2"),
        "both",
        "Find both devices by their MAC addresses in the switches. An address that was set twice: change one. A "
        "redundant pair that switched over: note it. A device that takes the addresses of others: take it off the "
        "network, and check what passed through it.",
        address_conflict,
        weighs=True,
    ),
    Detector(
        "network.vlan_flap",
        "A device that is in two VLANs in turn",
        "medium",
        ("T0849",),
        ("SR 5.1", "SR 1.2"),
        "both",
        "Look in the switches at which port the MAC address is learned, and when it moved. One of the two ports may be "
        "a device that calls itself like the other.",
        vlan_flap,
    ),
    Detector(
        "policy.not_enforced",
        "A boundary that lets pass what the policy forbids",
        "critical",
        ("T0886",),
        ("SR 5.2", "SR 3.3"),
        "both",
        "Compare the rules of the firewall with the policy, and find out since when they differ. Until then take the "
        "boundary as not there.",
        not_enforced,
    ),
    Detector(
        "infrastructure.sensor_blind",
        "A capture point that did not see everything",
        "high",
        ("T0829",),
        ("SR 2.10", "SR 6.2"),
        "both",
        "Look at the mirror port, its load and the capturing machine. Repeat the audit over the time that is missing.",
        blind,
    ),
    Detector(
        "policy.unknown_asset",
        "A device that is in no list of assets",
        "low",
        ("T0864",),
        ("SR 7.8", "SR 6.2"),
        "both",
        "Find the device. Declare it in the asset list with its zone, or take it off the network.",
        unknown_asset,
    ),
    Detector(
        "policy.unzoned_asset",
        "Known devices that are in no zone",
        "low",
        (),
        ("SR 5.1", "SR 7.8"),
        "OT",
        "Add them to the members of a zone.",
        unzoned_asset,
    ),
    Detector(
        "exposure.unauthenticated_control",
        "State-changing operations across zones without authentication",
        "medium",
        ("T1692.001", "T0855"),
        ("SR 1.2", "SR 3.1", "SR 5.2"),
        "OT",
        "Let only the named clients reach the device (a firewall that knows the protocol), or use the protocol's "
        "secure variant where the device has one.",
        unauthenticated,
        weighs=True,
    ),
    Detector(
        "exposure.blind_writer",
        "A host that writes to a device and never reads from it",
        "low",
        ("T1692.001", "T0855", "T0836"),
        ("SR 2.1", "SR 6.2"),
        "OT",
        "Ask whose host it is and who told it to write. Compare the values with those that the operators set.",
        blind_writer,
        weighs=True,
    ),
    Detector(
        "exposure.no_authentication",
        "Devices that obey without authentication",
        "info",
        ("T1692.001", "T0855"),
        ("SR 1.2", "SR 3.1"),
        "OT",
        "Nothing on the wire protects these devices: protect the way to them by zones and conduits.",
        no_authentication,
    ),
    Detector(
        "exposure.value_change",
        "Values that were changed",
        "info",
        ("T0836",),
        ("SR 6.2",),
        "OT",
        "Compare with the log of the operators and the change tickets.",
        value_change,
    ),
    Detector(
        "policy.cannot_conclude",
        "Traffic that could not be judged",
        "info",
        (),
        ("SR 5.2",),
        "OT",
        "Write the flow more plainly, or repeat the audit on a shorter capture.",
        undecided,
    ),
    Detector(
        "policy.reported",
        "Traffic that a default lets pass",
        "info",
        (),
        ("SR 5.2",),
        "OT",
        "Describe it by flows, or deny it.",
        reported,
    ),
    Detector(
        "policy.unused",
        "Flows that nothing used",
        "info",
        (),
        ("SR 5.2", "SR 7.7"),
        "OT",
        "Take out what is not needed any longer, or say why it stays. First see that the capture is long enough.",
        unused,
    ),
)


def weighed(context: Context, finding: Finding) -> Finding:
    """The finding, with what its devices are worth and what was agreed for them weighed in."""
    devices = [asset for name in finding.assets if (asset := context.assets.get(name)) and asset.role in DEVICE_ROLES]
    served = {asset.id for asset in devices}
    clients = [asset for name in finding.assets if name not in served and (asset := context.assets.get(name))]
    acts = [
        Act(end, device.zone, finding.protocol, operation, finding.first_time, finding.last_time)
        for device in devices
        for client in clients
        for end in (context.places.of(client.id, client.addresses[0] if client.addresses else ""),)
        for operation in filter(None, finding.operation.split(", "))
    ]
    severity, reasons = weigh(finding.severity, finding.reasons, worth_of(devices), windows_of(context.policy, acts))
    return replace(finding, severity=severity, reasons=tuple(reasons))


def findings(context: Context, detectors: Iterable[Detector] = DETECTORS) -> tuple[Finding, ...]:
    """What all detectors find, the most severe first, then by id. No fact is told twice."""
    told: set[Fact] = set()
    found: list[Finding] = []
    for detector in detectors:
        results: list[Told] = list(detector.find(context, detector, frozenset(told)))
        for result in results:
            found.append(weighed(context, result.finding) if detector.weighs else result.finding)
            told |= result.facts
    return tuple(sorted(found, key=lambda finding: (-SEVERITIES.index(finding.severity), finding.id)))
