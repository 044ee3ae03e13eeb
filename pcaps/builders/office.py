"""Messages of the ordinary services beside the plant: LLDP, DHCP, DNS, NTP, TLS, HTTP, SMB and RDP.

What a passive observer can read is well-formed; what is encrypted in life is random here.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

from builders.wire import LinkPath, ethernet, ip_bytes, mac_bytes

NTP_EPOCH_OFFSET = 2_208_988_800  # seconds from 1900 to 1970


# LLDP (IEEE 802.1AB).

LLDP_ETHERTYPE = 0x88CC
LLDP_MULTICAST = "01:80:c2:00:00:0e"


def lldp(mac: str, port: str, name: str, description: str, management: str, capabilities: int) -> bytes:
    def tlv(kind: int, value: bytes) -> bytes:
        return struct.pack(">H", kind << 9 | len(value)) + value

    chassis_is_mac, port_is_name, ipv4_address, interface_index = 4, 5, 1, 2
    address = bytes([5, ipv4_address]) + ip_bytes(management) + bytes([interface_index]) + struct.pack(">IB", 1, 0)
    body = (
        tlv(1, bytes([chassis_is_mac]) + mac_bytes(mac))
        + tlv(2, bytes([port_is_name]) + port.encode())
        + tlv(3, struct.pack(">H", 120))
        + tlv(5, name.encode())
        + tlv(6, description.encode())
        + tlv(7, struct.pack(">HH", capabilities, capabilities))
        + tlv(8, address)
        + tlv(0, b"")
    )
    return ethernet(LinkPath(mac, LLDP_MULTICAST), LLDP_ETHERTYPE, body)


# DHCP (RFC 2131).

DISCOVER, OFFER, REQUEST, ACKNOWLEDGE = 1, 2, 3, 5
DHCP_SERVER_PORT, DHCP_CLIENT_PORT = 67, 68


def dhcp(
    kind: int, transaction: int, mac: str, options: Sequence[tuple[int, bytes]], *, offered: str = "0.0.0.0"
) -> bytes:
    """Options besides the message type come as (code, value)."""
    from_client = kind in (DISCOVER, REQUEST)
    broadcast_flag = 0x8000
    head = struct.pack(">BBBBIHH", 1 if from_client else 2, 1, 6, 0, transaction, 0, broadcast_flag)
    addresses = bytes(4) + ip_bytes(offered) + bytes(8)
    hardware = mac_bytes(mac) + bytes(10)
    server_name_and_file = bytes(64 + 128)
    magic_cookie = bytes([99, 130, 83, 99])
    encoded = b"".join(bytes([code, len(value)]) + value for code, value in [(53, bytes([kind])), *options])
    message = head + addresses + hardware + server_name_and_file + magic_cookie + encoded + b"\xff"
    return message.ljust(300, b"\x00")


# DNS (RFC 1035).


def dns_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\x00"


def dns_query(transaction: int, name: str) -> bytes:
    recursion_desired = 0x0100
    question = dns_name(name) + struct.pack(">HH", 1, 1)
    return struct.pack(">HHHHHH", transaction, recursion_desired, 1, 0, 0, 0) + question


def dns_answer(transaction: int, name: str, address: str) -> bytes:
    authoritative = 0x8580
    question = dns_name(name) + struct.pack(">HH", 1, 1)
    pointer_to_question, ttl = 0xC00C, 3600
    record = struct.pack(">HHHIH", pointer_to_question, 1, 1, ttl, 4) + ip_bytes(address)
    return struct.pack(">HHHHHH", transaction, authoritative, 1, 1, 0, 0) + question + record


# NTP (RFC 5905).


def ntp_time(microseconds: int) -> bytes:
    """From microseconds since 1970."""
    whole, fraction = divmod(microseconds, 1_000_000)
    return struct.pack(">II", whole + NTP_EPOCH_OFFSET, (fraction << 32) // 1_000_000)


def ntp_request(now: int) -> bytes:
    version_4_client = 0x23
    return bytes([version_4_client, 0, 6, 0xEC]) + bytes(36) + ntp_time(now)


def ntp_reply(request: bytes, now: int, *, stratum: int, reference: bytes) -> bytes:
    version_4_server = 0x24
    head = bytes([version_4_server, stratum, 6, 0xEC]) + struct.pack(">II", 0, 0x0000_0042) + reference
    return head + ntp_time(now - 7_000_000) + request[40:48] + ntp_time(now) + ntp_time(now + 40)


# TLS 1.3 (RFC 8446), as far as it is in the clear.

HANDSHAKE, CHANGE_CIPHER_SPEC, APPLICATION_DATA = 22, 20, 23
AES_128_GCM, AES_256_GCM, CHACHA20 = 0x1301, 0x1302, 0x1303
TLS_1_2, TLS_1_3 = 0x0303, 0x0304
X25519 = 0x001D


def tls_record(kind: int, content: bytes, version: int = TLS_1_2) -> bytes:
    return struct.pack(">BHH", kind, version, len(content)) + content


def _vector(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size, "big") + data


def _extension(kind: int, data: bytes) -> bytes:
    return struct.pack(">H", kind) + _vector(data, 2)


def client_hello(rng: random.Random, server_name: str) -> bytes:
    suites = struct.pack(">HHH", AES_256_GCM, AES_128_GCM, CHACHA20)
    host_name = b"\x00" + _vector(server_name.encode(), 2)
    key_share = struct.pack(">H", X25519) + _vector(rng.randbytes(32), 2)
    extensions = (
        _extension(0, _vector(host_name, 2))
        + _extension(10, _vector(struct.pack(">H", X25519), 2))
        + _extension(13, _vector(struct.pack(">HHH", 0x0403, 0x0804, 0x0401), 2))
        + _extension(43, _vector(struct.pack(">H", TLS_1_3), 1))
        + _extension(45, _vector(b"\x01", 1))
        + _extension(51, _vector(key_share, 2))
    )
    body = struct.pack(">H", TLS_1_2) + rng.randbytes(32) + _vector(rng.randbytes(32), 1)
    body += _vector(suites, 2) + _vector(b"\x00", 1) + _vector(extensions, 2)
    return tls_record(HANDSHAKE, b"\x01" + _vector(body, 3), version=0x0301)


def server_flight(rng: random.Random, hello: bytes, encrypted: int = 1180) -> bytes:
    """ServerHello, ChangeCipherSpec and the encrypted rest of the server's handshake."""
    session = hello[44:76]  # the legacy session identifier comes back as it was sent
    key_share = struct.pack(">H", X25519) + _vector(rng.randbytes(32), 2)
    extensions = _extension(43, struct.pack(">H", TLS_1_3)) + _extension(51, key_share)
    body = struct.pack(">H", TLS_1_2) + rng.randbytes(32) + _vector(session, 1)
    body += struct.pack(">HB", AES_256_GCM, 0) + _vector(extensions, 2)
    return (
        tls_record(HANDSHAKE, b"\x02" + _vector(body, 3))
        + tls_record(CHANGE_CIPHER_SPEC, b"\x01")
        + tls_record(APPLICATION_DATA, rng.randbytes(encrypted))
    )


def client_finished(rng: random.Random) -> bytes:
    return tls_record(CHANGE_CIPHER_SPEC, b"\x01") + tls_record(APPLICATION_DATA, rng.randbytes(69))


def tls_data(rng: random.Random, size: int) -> bytes:
    return tls_record(APPLICATION_DATA, rng.randbytes(size))


# HTTP (RFC 9112).


def http_get(host: str, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0\r\nAccept: text/html\r\n\r\n".encode()


def http_ok(server: str, body: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nServer: {server}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


# SMB 3 (MS-SMB2): the negotiation in the clear, then encrypted messages.


def _netbios(message: bytes) -> bytes:
    return struct.pack(">I", len(message)) + message


def _smb2_header(flags: int) -> bytes:
    negotiate, credits = 0, 1
    head = struct.pack("<4sHHIHHIIQ", b"\xfeSMB", 64, 0, 0, negotiate, credits, flags, 0, 0)
    process, tree, session, signature = 0xFEFF, 0, 0, bytes(16)
    return head + struct.pack("<IIQ", process, tree, session) + signature


def smb_negotiate(rng: random.Random) -> bytes:
    dialects = (0x0210, 0x0300, 0x0302)
    signing_enabled, capabilities = 1, 0x7F
    body = struct.pack("<HHHHI", 36, len(dialects), signing_enabled, 0, capabilities) + rng.randbytes(16) + bytes(8)
    return _netbios(_smb2_header(0) + body + struct.pack("<3H", *dialects))


def smb_negotiated(rng: random.Random) -> bytes:
    signing_required, capabilities, size = 3, 0x7F, 8 * 1024 * 1024
    to_client = 0x01
    body = struct.pack("<HHHH", 65, signing_required, 0x0302, 0) + rng.randbytes(16)
    body += struct.pack("<IIII", capabilities, size, size, size) + bytes(16) + struct.pack("<HHI", 128, 0, 0)
    return _netbios(_smb2_header(to_client) + body)


def smb_encrypted(rng: random.Random, session: int, size: int) -> bytes:
    nonce = rng.randbytes(11) + bytes(5)
    encrypted_flag = 1
    head = b"\xfdSMB" + rng.randbytes(16) + nonce + struct.pack("<IHHQ", size, 0, encrypted_flag, session)
    return _netbios(head + rng.randbytes(size))


# RDP (MS-RDPBCGR): the X.224 connection in the clear, TLS afterwards.


def rdp_connection_request(user: str) -> bytes:
    cookie = f"Cookie: mstshash={user}\r\n".encode()
    tls_and_credssp = 0x0000_000B
    return _tpkt(0xE0, 0, cookie + struct.pack("<BBHI", 1, 0, 8, tls_and_credssp))


def rdp_connection_confirm() -> bytes:
    credssp, extended_client_data = 2, 0x1F
    return _tpkt(0xD0, 0x1234, struct.pack("<BBHI", 2, extended_client_data, 8, credssp))


def _tpkt(code: int, source_reference: int, data: bytes) -> bytes:
    connection = struct.pack(">BBHHB", 6 + len(data), code, 0, source_reference, 0) + data
    return struct.pack(">BBH", 3, 0, 4 + len(connection)) + connection
