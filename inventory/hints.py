"""Role hints: what devices, or others of them, say that they are, and which fact of a role each word makes.

The words are the engine's (claims with the attribute `role_hint`). A word that is in neither table is a bug; the tests
say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Hint = Literal[
    "said_controller",
    "said_io_device",
    "said_gateway",
    "said_hmi_scada",
    "said_engineering_station",
    "said_router",
    "said_network_device",
    "said_it_server",
    "said_it_host",
    "said_station",
    "bus_controller",
    "bus_engineering_station",
    "bus_io_device",
]

HINTS: Final[Mapping[str, Hint]] = {
    "plc": "said_controller",
    "relay": "said_controller",
    "building-controller": "said_controller",
    "io-controller": "said_controller",
    "io-device": "said_io_device",
    "io-multidevice": "said_io_device",
    "profibus-master-class-1": "bus_controller",
    "profibus-master-class-2": "bus_engineering_station",
    "profibus-slave": "bus_io_device",
    "serial-server": "said_gateway",
    "scada": "said_hmi_scada",
    "hmi": "said_hmi_scada",
    "io-supervisor": "said_engineering_station",
    "router": "said_router",
    "dhcp-relay": "said_router",
    "switch": "said_network_device",
    "root-bridge": "said_network_device",
    "repeater": "said_network_device",
    "access-point": "said_network_device",
    "network-device": "said_network_device",
    "firewall": "said_network_device",
    "redundancy-box": "said_network_device",
    "domain-controller": "said_it_server",
    "backup-domain-controller": "said_it_server",
    "key distribution centre": "said_it_server",
    "global-catalog": "said_it_server",
    "dhcp-server": "said_it_server",
    "dns-server": "said_it_server",
    "time-server": "said_it_server",
    "database-server": "said_it_server",
    "file-server": "said_it_server",
    "terminal-server": "said_it_server",
    "cluster": "said_it_server",
    "hypervisor": "said_it_server",
    "management-controller": "said_it_server",
    "media-server": "said_it_server",
    "video-recorder": "said_it_server",
    "printer": "said_it_host",
    "scanner-device": "said_it_host",
    "camera": "said_it_host",
    "telephone": "said_it_host",
    "media-renderer": "said_it_host",
    "computer": "said_it_host",
    "station": "said_station",
}
"""Words that speak for a role. A service that is said of a host makes a server of it; that it is a station, only that
it is no device of the network itself."""

NO_ROLE: Final = frozenset(
    (
        "embedded",  # of anything
        "scanner",  # a tool's user agent: what was done is told by the detector of scans
        "multicast-querier",  # a switch or a router
        "virtual-router",  # an address that routers share
        "print-server",  # any host that shares a printer
        "master-browser",  # any host of a workgroup, by election
        "domain-master-browser",
        "dial-in-server",
        "profibus-master",  # of either class: what it asks tells which
        "ptp-grandmaster",
        "ptp-boundary-clock",
        "ptp-follower",
        "hsr-node",
        "prp-node",
        "ring-manager",
        "ring-client",
    )
)
"""Words that are kept as claims and speak for no role."""
