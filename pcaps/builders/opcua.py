"""OPC UA in its binary form over TCP (OPC 10000-6): messages of a secure channel, and the built-in types in them.

Functions named after a service return the body of its message; `Channel` puts bodies on the wire.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

PORT = 4840
NULL = struct.pack("<i", -1)
NO_EXTENSION = bytes(3)
VALUE = 13  # the attribute
POLICIES = "http://opcfoundation.org/UA/SecurityPolicy#"
TRANSPORT = "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary"
NONE, SIGN, SIGN_AND_ENCRYPT = 1, 2, 3  # security modes
ANONYMOUS, USER_NAME, CERTIFICATE = 0, 1, 2  # kinds of user tokens
BAD_NODE_ID_UNKNOWN, BAD_USER_ACCESS_DENIED = 0x80340000, 0x801F0000
BAD_IDENTITY_TOKEN_REJECTED, BAD_RESPONSE_TOO_LARGE = 0x80210000, 0x80B90000
_TIME = struct.pack("<q", 134_196_048_000_000_000)  # 2026-04-02
_TOKEN = b"\x04\x01\x00" + bytes(range(16))  # authentication token: a node id with a GUID


def string(text: str | bytes | None) -> bytes:
    if text is None:
        return NULL
    octets = text.encode() if isinstance(text, str) else text
    return struct.pack("<i", len(octets)) + octets


def array(items: Sequence[bytes]) -> bytes:
    return struct.pack("<i", len(items)) + b"".join(items)


def node(identifier: int | str, namespace: int = 0) -> bytes:
    """A node id in its shortest encoding."""
    if isinstance(identifier, str):
        return struct.pack("<BH", 3, namespace) + string(identifier)
    if namespace == 0 and identifier < 1 << 8:
        return bytes((0, identifier))
    if identifier < 1 << 16:
        return struct.pack("<BBH", 1, namespace, identifier)
    return struct.pack("<BHI", 2, namespace, identifier)


def text(words: str) -> bytes:
    """A localized text without a locale."""
    return b"\x02" + string(words)


def double(number: float) -> bytes:
    """A variant."""
    return b"\x0b" + struct.pack("<d", number)


def words(value: str) -> bytes:
    """A variant."""
    return b"\x0c" + string(value)


def extension(kind: int, body: bytes) -> bytes:
    return node(kind) + b"\x01" + string(body)


def data_value(variant: bytes = b"", status: int = 0) -> bytes:
    mask = bool(variant) | bool(status) << 1
    return bytes((mask,)) + variant + (struct.pack("<I", status) if status else b"")


def request(kind: int, *parts: bytes) -> bytes:
    header = _TOKEN + _TIME + struct.pack("<II", 1, 0) + NULL + struct.pack("<I", 10_000) + NO_EXTENSION
    return node(kind) + header + b"".join(parts)


def response(kind: int, *parts: bytes, result: int = 0) -> bytes:
    header = _TIME + struct.pack("<II", 1, result) + b"\x00" + array(()) + NO_EXTENSION
    return node(kind) + header + b"".join(parts)


def fault(status: int) -> bytes:
    return response(397, result=status)


@dataclass(slots=True)
class Channel:
    """One side of a secure channel: numbers its chunks."""

    number: int = field(default=0)

    def message(self, identifier: int, body: bytes, size: int = 1 << 16, kind: bytes = b"MSG") -> bytes:
        """A message in as many chunks as it needs."""
        parts = [body[start : start + size] for start in range(0, len(body), size)]
        return b"".join(
            self.chunk(kind + (b"C" if index + 1 < len(parts) else b"F"), identifier, part)
            for index, part in enumerate(parts)
        )

    def chunk(self, kind: bytes, identifier: int, body: bytes) -> bytes:
        self.number += 1
        return kind + struct.pack("<IIIII", 24 + len(body), 7, 1, self.number, identifier) + body

    def open(self, identifier: int, policy: str, body: bytes, certificate: bytes | None = None) -> bytes:
        """`body` is what follows the sequence header; of a policy other than None the two ends alone can read it."""
        self.number += 1
        thumbprint = None if certificate is None else bytes(20)
        rest = string(POLICIES + policy) + string(certificate) + string(thumbprint)
        rest += struct.pack("<II", self.number, identifier) + body
        return b"OPNF" + struct.pack("<II", 12 + len(rest), 7) + rest


def hello(url: str) -> bytes:
    return _transport(b"HELF", struct.pack("<5I", 0, 65_536, 65_536, 0, 0) + string(url))


def acknowledge() -> bytes:
    return _transport(b"ACKF", struct.pack("<5I", 0, 65_536, 65_536, 0, 0))


def error(status: int, reason: str) -> bytes:
    return _transport(b"ERRF", struct.pack("<I", status) + string(reason))


def reverse_hello(server: str, url: str) -> bytes:
    return _transport(b"RHEF", string(server) + string(url))


def _transport(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", 8 + len(body)) + body


def opening(mode: int = NONE) -> bytes:
    return request(446, struct.pack("<III", 0, 0, mode) + NULL + struct.pack("<I", 3_600_000))


def opened() -> bytes:
    return response(449, struct.pack("<III", 0, 7, 1) + _TIME + struct.pack("<I", 3_600_000) + NULL)


def application(uri: str, product: str, name: str, kind: int) -> bytes:
    return string(uri) + string(product) + text(name) + struct.pack("<I", kind) + NULL + NULL + array(())


def endpoint(url: str, server: bytes, mode: int, policy: str, tokens: Sequence[int]) -> bytes:
    policies = [string("t") + struct.pack("<I", kind) + NULL * 3 for kind in tokens]
    return (
        string(url)
        + server
        + NULL
        + struct.pack("<I", mode)
        + string(POLICIES + policy)
        + array(policies)
        + string(TRANSPORT)
        + b"\x00"
    )


def create_session(client: bytes, url: str) -> bytes:
    return request(461, client + NULL + string(url) + string("session") + NULL + NULL + struct.pack("<dI", 60_000, 0))


def created(endpoints: Sequence[bytes]) -> bytes:
    ids = node(9, 1) + _TOKEN + struct.pack("<d", 60_000) + NULL + NULL
    return response(464, ids + array(endpoints) + array(()) + NULL + NULL + struct.pack("<I", 0))


def activate(token: bytes) -> bytes:
    return request(467, NULL + NULL + array(()) + array(()) + token + NULL + NULL)


def activated() -> bytes:
    return response(470, NULL + array(()) + array(()))


def anonymous() -> bytes:
    return extension(321, string("t"))


def user_name(user: str, password: bytes, algorithm: str | None = None) -> bytes:
    return extension(324, string("t") + string(user) + string(password) + string(algorithm))


def issued_token(token: bytes, algorithm: str | None = None) -> bytes:
    return extension(940, string("t") + string(token) + string(algorithm))


def point(identifier: bytes, attribute: int = VALUE) -> bytes:
    """A node and an attribute: the whole of it, in the default encoding."""
    return identifier + struct.pack("<I", attribute) + NULL + struct.pack("<H", 0) + NULL


def read(points: Sequence[bytes]) -> bytes:
    return request(631, struct.pack("<dI", 0, 3) + array(points))


def values(items: Sequence[bytes]) -> bytes:
    return response(634, array(items) + array(()))


def write(identifier: bytes, variant: bytes) -> bytes:
    return request(673, array([identifier + struct.pack("<I", VALUE) + NULL + data_value(variant)]))


def results(kind: int, statuses: Sequence[int]) -> bytes:
    return response(kind, array([struct.pack("<I", status) for status in statuses]) + array(()))


def browse(identifier: bytes) -> bytes:
    view = node(0) + bytes(8) + struct.pack("<I", 0)
    asked = identifier + struct.pack("<I", 0) + node(33) + b"\x01" + struct.pack("<II", 0, 63)
    return request(527, view + struct.pack("<I", 0) + array([asked]))


def browsed(nodes: Sequence[tuple[bytes, str]]) -> bytes:
    references = [
        node(35)
        + b"\x01"
        + identifier
        + struct.pack("<H", 1)
        + string(name)
        + text(name)
        + struct.pack("<I", 2)
        + node(63)
        for identifier, name in nodes
    ]
    return response(530, array([struct.pack("<I", 0) + NULL + array(references)]) + array(()))


def call(of: bytes, method: bytes, arguments: Sequence[bytes]) -> bytes:
    return request(712, array([of + method + array(arguments)]))


def called(status: int = 0) -> bytes:
    return response(715, array([struct.pack("<I", status) + array(()) * 3]) + array(()))


def create_subscription(interval: float) -> bytes:
    return request(787, struct.pack("<dIIIBB", interval, 60, 20, 0, 1, 0))


def subscribed(identifier: int, interval: float) -> bytes:
    return response(790, struct.pack("<IdII", identifier, interval, 60, 20))


def monitor(subscription: int, items: Sequence[tuple[int, bytes]]) -> bytes:
    """Points by the handles that the client gives them."""
    asked = [
        identifier + struct.pack("<IId", 2, handle, 250) + NO_EXTENSION + struct.pack("<IB", 1, 1)
        for handle, identifier in items
    ]
    return request(751, struct.pack("<II", subscription, 2) + array(asked))


def monitored(identifiers: Sequence[int]) -> bytes:
    items = [struct.pack("<IIdI", 0, identifier, 250, 1) + NO_EXTENSION for identifier in identifiers]
    return response(754, array(items) + array(()))


def publish() -> bytes:
    return request(826, array(()))


def published(subscription: int, changes: Sequence[tuple[int, bytes]]) -> bytes:
    """Values by the client's handles."""
    items = [struct.pack("<I", handle) + value for handle, value in changes]
    data = extension(811, array(items) + array(()))
    message = struct.pack("<I", 1) + _TIME + array([data])
    return response(829, struct.pack("<I", subscription) + array(()) + b"\x00" + message + array(()) + array(()))


def add_node(parent: bytes, identifier: bytes, name: str) -> bytes:
    item = parent + node(35) + identifier + struct.pack("<H", 1) + string(name) + struct.pack("<I", 1)
    return request(488, array([item + NO_EXTENSION + node(58)]))


def added(identifier: bytes) -> bytes:
    return response(491, array([struct.pack("<I", 0) + identifier]) + array(()))
