"""The closed word lists of the policy file, and the nearest right word for a wrong one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final

from zonewatch.dissectors.vocabulary import OT_SERVICES, PROTOCOLS

TRANSPORTS: Final = ("tcp", "udp", "icmp")
ANY: Final = "any"
REMOTE_SERVICES: Final = frozenset(
    ("rdp", "vnc", "ssh", "telnet", "teamviewer", "anydesk", "rustdesk", "radmin", "winrm", "rlogin", "rsh", "x11")
)
"""Services by which people work at another host."""
_CLEARTEXT: Final = """
bacnet dnp3 ftp http imap ldap modbus mqtt pop3 rlogin rsh s7comm smtp snmp syslog telnet tftp vnc
"""
CLEARTEXT: Final = frozenset(_CLEARTEXT.split())
"""Protocols that encrypt nothing by themselves."""

_SERVICES: Final = """
amqp amqps anydesk cldap elasticsearch https-alt ipsec-nat-t iso-tsap ldap-gc msrpc pi vxlan winrm-https
802.1ah arcnet ftps hsr telnets erspan etherip geneve gre ip-in-ip mpls mstp
anydesk arp bgp bitmessage coap cotp dce_rpc dcerpc dhcp dhcpv6 dns eapol ff-hse
finger fox ftp ftp-data genisys gopher gtp http http-alt https icmp icmpv6
igmp imap imaps ike ipmi ipp ipsec irc isakmp iscsi kerberos l2tp ldap ldaps llmnr lldp lpd mdns mongodb
mqtt mqtts mssql mysql nbns nbss netbios netbios-dgm netbios-ns netbios-ssn netflow nfs nntp ntp omron opc-da
openvpn oracle ospf pop3 pop3s postgresql pptp printer ptp quic radius rdp redis rip rlogin
rpc rpcbind rsh rsync rtps rtp rtsp sip slp smb smtp smtps snmp snmp-trap snmptrap socks ssdp ssh
ssl stp stun submission sunrpc syslog tacacs teamviewer telnet tftp tls umas upnp vnc vrrp wins winrm
wireguard wsd ws-discovery wsman x11 xmpp
"""
SERVICES: Final[frozenset[str]] = frozenset((*_SERVICES.split(), *OT_SERVICES))
"""Service names that a flow of the policy may name beside the decoded protocols."""

SAME_SERVICE: Final[dict[str, str]] = {
    "tls": "https",
    "ssl": "https",
    "http-alt": "http",
    "https-alt": "https",
    "winrm-https": "winrm",
    "msrpc": "dcerpc",
    "ldap-gc": "ldap",
    "cifs": "smb",
    "ms-wbt-server": "rdp",
    "microsoft-ds": "smb",
    "netbios-ssn": "smb",
    "nbss": "smb",
    "nbns": "netbios-ns",
    "snmptrap": "snmp-trap",
    "opcua": "opc-ua",
    "dce_rpc": "dcerpc",
    "dce-rpc": "dcerpc",
    "wsman": "winrm",
    "isakmp": "ike",
    "ws-discovery": "wsd",
    "iec61850": "mms",
}
"""Names of one service that are told apart by nobody who reviews a policy."""

_OBJECT_KINDS: Final = """
coil discrete-input input-register holding-register file-record fifo-queue exception-status diagnostic
comm-event-counter comm-event-log server-id device-identification encapsulated-interface vendor umas
binary-input double-bit-input binary-output control-relay-output counter frozen-counter analog-input
frozen-analog-input analog-input-deadband analog-output time class file device-profile private-registration
data-set operation-status iin octet-string virtual-terminal security-statistic authentication device-attribute
storage application binary-coded-decimal unsigned-integer group
analog-value binary-value calendar command device event-enrollment loop multi-state-input multi-state-output
notification-class program schedule averaging multi-state-value trend-log life-safety-point life-safety-zone
accumulator pulse-converter event-log global-group trend-log-multiple load-control structured-view access-door timer
access-credential access-point access-rights access-user access-zone credential-data-input network-security
bitstring-value characterstring-value date-pattern-value date-value datetime-pattern-value datetime-value
integer-value large-analog-value octetstring-value positive-integer-value time-pattern-value time-value
notification-forwarder alert-enrollment channel lighting-output binary-lighting-output network-port elevator-group
escalator lift staging audit-log audit-reporter color color-temperature object
broadcast-distribution-entry foreign-device network control-group life-safety-object vendor-service
data-block instance-data-block flag input output peripheral s7-counter s7-timer iec-counter iec-timer s7-analog-input
s7-analog-output system-info system-flag data-record local-data caller-local-data area variable nck-variable item
slave-parameters station diagnosis module
block block-content upload connection transport-selector system-status-list operating-mode clock password
message-service diagnostic-event
node node-attribute method monitored-item subscription endpoint security-mode security-policy user-token
continuation-point
service reason
"""
OBJECT_KINDS: Final[frozenset[str]] = frozenset(_OBJECT_KINDS.split())
"""Kinds of objects that the decoders name."""

NAMED_KINDS: Final[frozenset[str]] = frozenset(("node", "node-attribute", "method"))
"""Those of them whose objects have a name in place of a number: the node ids of OPC UA."""

_NAMES: Final = "unknown-[0-9]{1,4}|x-[a-z0-9-]{1,40}"
PORT_PROTOCOL: Final = f"(tcp|udp)/[0-9]{{1,5}}|ip-[0-9]{{1,3}}|ethernet/0x[0-9a-f]{{1,4}}|{_NAMES}"
"""How what has no name is written: by its port, its number, or its EtherType; by the name that its profile has
(`unknown-4821`), or by one of the policy's own, which begin with `x-`."""

OWN: Final = "x-"
"""How names begin that a policy gives to protocols that nobody else knows."""


def is_unknown(word: str) -> bool:
    """True for the name of traffic that no decoder knows, whoever gave it."""
    return re.fullmatch(_NAMES, word) is not None


def canonical_service(word: str) -> str:
    """One name for one service: `tls` and `https` are the same line of a policy."""
    return SAME_SERVICE.get(word, word)


def is_protocol(word: str) -> bool:
    """True for a word that a flow's `protocol` may be."""
    return word in PROTOCOL_WORDS or re.fullmatch(PORT_PROTOCOL, word) is not None


PROTOCOL_WORDS: Final[frozenset[str]] = frozenset((*PROTOCOLS, *SERVICES, *SAME_SERVICE, *TRANSPORTS, ANY))


def nearest(word: str, words: Iterable[str]) -> str:
    """The most similar of the words; empty where none is similar."""
    candidates = sorted(set(words))
    lowered = {candidate.lower(): candidate for candidate in reversed(candidates)}
    found = difflib.get_close_matches(word.lower(), sorted(lowered), n=1, cutoff=0.6)
    return lowered[found[0]] if found else ""


def hint(word: str, words: Iterable[str]) -> str:
    """`; did you mean 'cell'?`, or nothing."""
    right = nearest(word, words)
    return f"; did you mean {right!r}?" if right else ""
