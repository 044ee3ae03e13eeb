"""What Windows hosts say to one another: SMB, remote procedure calls, Kerberos, LDAP."""

from __future__ import annotations

import struct

from builders.services.ber import (
    ENUMERATED,
    OCTETS,
    SEQUENCE,
    SET,
    TEXT,
    ber,
    context,
    integer,
    principal,
    spnego_init,
    spnego_response,
)
from builders.services.hosts import ENGINEERING, SERVER
from builders.tcp import TcpSession
from builders.wire import MILLISECOND, Capture, seconds

REALM = "PLANT.EXAMPLE"
_NTLM_FLAGS = 0x02000001  # Unicode, and the version
NTLM_NEGOTIATE = b"NTLMSSP\0" + struct.pack("<II", 1, 0xA2088207) + bytes(16)


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def _fields(at: int, parts: tuple[bytes, ...]) -> list[bytes]:
    heads = []
    for part in parts:
        heads.append(struct.pack("<HHI", len(part), len(part), at))
        at += len(part)
    return heads


def ntlm_challenge() -> bytes:
    """The server names itself, its domain and its version of Windows."""
    pairs = ((1, "SRV1"), (2, "PLANT"), (3, "srv1.plant.example"), (4, "plant.example"))
    info = b"".join(struct.pack("<HH", kind, 2 * len(text)) + wide(text) for kind, text in pairs) + bytes(4)
    name = wide("PLANT")
    target, details = _fields(56, (name, info))
    version = struct.pack("<BBHBBBB", 10, 0, 17763, 0, 0, 0, 15)
    head = b"NTLMSSP\0" + struct.pack("<I", 2) + target + struct.pack("<I", _NTLM_FLAGS)
    return head + b"CHALLENG" + bytes(8) + details + version + name + info


def ntlm_authenticate(user: str, response: int) -> bytes:
    """A user of the domain at the engineering station, with a response of this length that proves nothing."""
    parts = (wide("PLANT"), wide(user), wide("ENG1"), bytes(24), bytes(response), b"")
    domain, name, host, lan_manager, nt, key = _fields(72, parts)
    version = struct.pack("<BBHBBBB", 10, 0, 19041, 0, 0, 0, 15)
    head = b"NTLMSSP\0" + struct.pack("<I", 3) + lan_manager + nt + domain + name + host + key
    return head + struct.pack("<I", _NTLM_FLAGS) + version + b"".join(parts)


def _session(message: bytes) -> bytes:
    return struct.pack(">I", len(message)) + message


class Smb2:
    """Messages of one session, numbered."""

    def __init__(self) -> None:
        self.message = 0

    def pair(self, command: int, request: bytes, response: bytes, status: int = 0) -> tuple[bytes, bytes]:
        asked, told = (
            _session(
                struct.pack("<4sHHIHHIIQIIQ", b"\xfeSMB", 64, 1, code, command, 1, flags, 0, self.message, 0, 5, 0x11)
                + bytes(16)
                + body
            )
            for flags, code, body in ((0, 0, request), (1, status, response))
        )
        self.message += 1
        return asked, told

    def negotiate(self) -> tuple[bytes, bytes]:
        request = struct.pack("<HHHHI16sQH", 36, 1, 1, 0, 0, bytes(16), 0, 0x0302)
        response = struct.pack(
            "<HHHH16sIIIIQQHHI", 65, 3, 0x0302, 0, bytes(16), 7, 65536, 65536, 65536, 0, 0, 128, 0, 0
        )
        return self.pair(0, request, response)

    def setup(self, token: bytes, answer: bytes, status: int) -> tuple[bytes, bytes]:
        request = struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, len(token), 0) + token
        return self.pair(1, request, struct.pack("<HHHH", 9, 0, 72, len(answer)) + answer, status)

    def tree(self, path: str, kind: int) -> tuple[bytes, bytes]:
        name = wide(path)
        request = struct.pack("<HHHH", 9, 0, 72, len(name)) + name
        return self.pair(3, request, struct.pack("<HBBIII", 16, kind, 0, 0, 0, 0x1FF))

    def create(self, path: str, action: int = 1, status: int = 0) -> tuple[bytes, bytes]:
        name = wide(path)
        request = struct.pack("<HBBIQQIIIIIHHII", 57, 0, 0, 2, 0, 0, 0x12019F, 0, 7, 1, 0, 120, len(name), 0, 0)
        done = struct.pack("<HBBI32xQQII16sII", 89, 0, 0, action, 8192, 4711, 0x20, 0, bytes([7] * 16), 0, 0)
        return self.pair(5, request + name, struct.pack("<HHI", 9, 0, 0) if status else done, status)

    def read(self, data: bytes) -> tuple[bytes, bytes]:
        request = struct.pack("<HBBIQ16sIIIHHB", 49, 80, 0, 4096, 0, bytes([7] * 16), 1, 0, 0, 0, 0, 0)
        return self.pair(8, request, struct.pack("<HBBIII", 17, 80, 0, len(data), 0, 0) + data)

    def write(self, data: bytes) -> tuple[bytes, bytes]:
        request = struct.pack("<HHIQ16sIIHHI", 49, 112, len(data), 0, bytes([7] * 16), 0, 0, 0, 0, 0) + data
        return self.pair(9, request, struct.pack("<HHIIHH", 17, 0, len(data), 0, 0, 0))

    def set_info(self, kind: int, data: bytes, status: int = 0) -> tuple[bytes, bytes]:
        request = struct.pack("<HBBIHHI16s", 33, 1, kind, len(data), 96, 0, 0, bytes([7] * 16)) + data
        return self.pair(17, request, struct.pack("<H", 2) if not status else struct.pack("<HHI", 9, 0, 0), status)

    def close(self) -> tuple[bytes, bytes]:
        return self.pair(6, struct.pack("<HHI16s", 24, 0, 0, bytes([7] * 16)), struct.pack("<H58x", 60))


def smb(capture: Capture) -> None:
    """A login that fails and one that does not; files read, written, renamed, deleted; a service made over a pipe."""
    session = TcpSession(capture, ENGINEERING, 50_100, SERVER, 445)
    at = session.open(0)
    messages = Smb2()
    challenge = spnego_response(ntlm_challenge())
    other = wide(r"line1\mix.bak")
    rename = struct.pack("<QQI", 0, 0, len(other)) + other
    at = session.ask(at, *messages.negotiate())
    for user, status in (("guest", 0xC000006D), ("eva", 0)):
        at = session.ask(at, *messages.setup(spnego_init(NTLM_NEGOTIATE), challenge, 0xC0000016))
        at = session.ask(at, *messages.setup(spnego_response(ntlm_authenticate(user, 220)), b"", status))
    at = session.ask(at, *messages.tree(r"\\srv1\recipes", 1))
    at = session.ask(at, *messages.create(r"line1\none.csv", status=0xC0000034))
    at = session.ask(at, *messages.create(r"line1\mix.csv"))
    for part in (b"first", b"second"):
        at = session.ask(at, *messages.read(part * 400))
    at = session.ask(at, *messages.write(bytes(6000)))
    at = session.ask(at, *messages.set_info(10, rename))
    at = session.ask(at, *messages.set_info(13, b"\1", status=0xC0000022))
    at = session.ask(at, *messages.close())
    at = session.ask(at, *messages.tree(r"\\srv1\IPC$", 2))
    at = session.ask(at, *messages.create("svcctl"))
    at = session.ask(at, *messages.write(rpc_bind(_SVCCTL)))
    at = session.ask(at, *messages.read(rpc_bound()))
    for operation in (15, 12, 19):  # OpenSCManagerW, CreateServiceW, StartServiceW
        at = session.ask(at, *messages.write(rpc_request(operation, operation)))
        at = session.ask(at, *messages.read(rpc_response(operation)))
    at = session.ask(at, *messages.close())
    session.close(at + seconds(1))


def _smb1(command: int, words: bytes, data: bytes, *, reply: bool = False, status: int = 0) -> bytes:
    head = struct.pack("<4sBIBH12xHHHH", b"\xffSMB", command, status, 0x80 * reply, 0xC001, 5, 1, 9, command)
    return _session(head + bytes([len(words) // 2]) + words + struct.pack("<H", len(data)) + data)


def smb1(capture: Capture) -> None:
    """An old station, over a NetBIOS session: names, a login, a share, a file deleted."""

    def coded(name: str) -> bytes:
        return b" " + b"".join(bytes([65 + (c >> 4), 65 + (c & 15)]) for c in f"{name:<15}\0".encode()) + b"\0"

    def texts(*parts: str) -> bytes:
        return b"".join(wide(part + "\0") for part in parts)

    session = TcpSession(capture, ENGINEERING, 50_101, SERVER, 139)
    at = session.open(0)
    at = session.ask(at, b"\x81\0\0\x44" + coded("SRV1") + coded("ENG1"), b"\x82\0\0\0")
    offered = b"\2PC NETWORK PROGRAM 1.0\0\2NT LM 0.12\0"
    chosen = struct.pack("<HBHHIIIIQHB", 1, 3, 50, 1, 4356, 65536, 0, 0xD4, 0, 0, 8)
    at = session.ask(at, _smb1(0x72, b"", offered), _smb1(0x72, chosen, bytes(8) + texts("PLANT", "SRV1"), reply=True))
    setup = struct.pack("<BBHHHHIHHII", 0xFF, 0, 0, 4356, 50, 1, 0, 24, 24, 0, 0xD4)
    who = bytes(48) + b"\0" + texts("eva", "PLANT", "Windows 5.1", "Windows 2000 LAN Manager")
    native = texts("Windows Server 2003 3790", "Windows Server 2003 5.2", "PLANT")
    at = session.ask(
        at, _smb1(0x73, setup, who), _smb1(0x73, struct.pack("<BBHH", 0xFF, 0, 0, 0), b"\0" + native, reply=True)
    )
    share = _smb1(0x75, struct.pack("<BBHHH", 0xFF, 0, 0, 0, 1), b"\0" + texts(r"\\SRV1\C$") + b"?????\0")
    at = session.ask(at, share, _smb1(0x75, struct.pack("<BBHH", 0xFF, 0, 0, 1), b"A:\0", reply=True))
    delete = _smb1(0x06, struct.pack("<H", 0), b"\4" + texts(r"\boot.ini"))
    at = session.ask(at, delete, _smb1(0x06, b"", b"", reply=True, status=0xC0000022))
    session.close(at + seconds(1))


_SVCCTL = bytes.fromhex("81bb7a364498f135ad3298f03800100302000000")
_EPMAPPER = bytes.fromhex("0883afe11f5dc91191a408002b14a0fa03000000")
_EXPORTER = bytes.fromhex("c4fefc9960521b10bbcb00aa0021347a00000000")
_OPC_SERVER = bytes.fromhex("4d3ac1391e01d01196750020afd8adb300000000")
_OPC_SYNC = bytes.fromhex("523ac1391e01d01196750020afd8adb300000000")
_NDR = bytes.fromhex("045d888aeb1cc9119fe808002b10486002000000")


def _rpc(kind: int, call: int, body: bytes, token: bytes = b"") -> bytes:
    trailer = struct.pack("<BBBBI", 10, 2, 0, 0, 0) + token if token else b""
    size = 16 + len(body) + len(trailer)
    return struct.pack("<BBBB4sHHI", 5, 0, kind, 3, b"\x10\0\0\0", size, len(token), call) + body + trailer


def rpc_bind(*interfaces: bytes, token: bytes = b"", kind: int = 11) -> bytes:
    contexts = b"".join(struct.pack("<HBB", n, 1, 0) + uuid + _NDR for n, uuid in enumerate(interfaces))
    return _rpc(kind, 1, struct.pack("<HHIBBH", 4280, 4280, 0, len(interfaces), 0, 0) + contexts, token)


def rpc_bound(count: int = 1, token: bytes = b"", kind: int = 12) -> bytes:
    results = (struct.pack("<HH", 0, 0) + _NDR) * count
    return _rpc(kind, 1, struct.pack("<HHIH4sHBBH", 4280, 4280, 1, 4, b"135\0", 0, count, 0, 0) + results, token)


def rpc_request(call: int, operation: int, interface: int = 0) -> bytes:
    return _rpc(0, call, struct.pack("<IHH", 20, interface, operation) + bytes(20))


def rpc_response(call: int, stub: bytes = bytes(24)) -> bytes:
    return _rpc(2, call, struct.pack("<IHBB", len(stub), 0, 0, 0) + stub)


def dce_rpc(capture: Capture) -> None:
    """Where a service is; what a host is called; OPC over DCOM, with a login; a call refused; one over a datagram."""
    session = TcpSession(capture, ENGINEERING, 50_110, SERVER, 135)
    at = session.open(0)
    floors = (
        (b"\x0d" + _SVCCTL[:18], bytes(2)),
        (b"\x0d" + _NDR[:18], bytes(2)),
        (b"\x0b", bytes(2)),
        (b"\x07", struct.pack(">H", 49664)),
        (b"\x09", bytes([192, 168, 20, 5])),
    )
    tower = struct.pack("<H", len(floors)) + b"".join(
        struct.pack("<H", len(left)) + left + struct.pack("<H", len(right)) + right for left, right in floors
    )
    towers = bytes(20) + struct.pack("<IIIIIII", 1, 4, 0, 1, 3, len(tower), len(tower)) + tower + bytes(5)
    texts = b"".join(b"\7\0" + wide(name + "\0") for name in ("SRV1", "192.168.20.5", "10.0.0.5")) + bytes(4)
    names = struct.pack("<HHIIHH", 5, 7, 0x20000, len(texts) // 2, len(texts) // 2, len(texts) // 2 - 1) + texts
    at = session.ask(at, rpc_bind(_EPMAPPER, _EXPORTER), rpc_bound(2))
    at = session.ask(at, rpc_request(2, 3), rpc_response(2, towers))
    at = session.ask(at, rpc_request(3, 5, 1), rpc_response(3, names))
    session.close(at + seconds(1))

    session = TcpSession(capture, ENGINEERING, 50_111, SERVER, 49_700)
    at = session.open(seconds(2))
    asked = rpc_bind(_OPC_SERVER, _OPC_SYNC, token=NTLM_NEGOTIATE)
    at = session.ask(at, asked, rpc_bound(2, ntlm_challenge()))
    proved = _rpc(16, 1, bytes(4), ntlm_authenticate("eva", 24))
    at = session.ask(at, proved + rpc_request(2, 3), rpc_response(2))
    at = session.ask(at, rpc_request(3, 4, 1), rpc_response(3))
    at = session.ask(at, rpc_request(4, 77), _rpc(3, 4, struct.pack("<IHBBII", 0, 0, 0, 0, 0x1C010002, 0)))
    session.close(at + seconds(1))

    def datagram(kind: int, body: bytes) -> bytes:
        head = struct.pack(
            "<BBBB4s16s16s16s", 4, kind, 0x20, 0, b"\x10\0\0\0", bytes(16), _EPMAPPER[:16], bytes([9] * 16)
        )
        return head + struct.pack("<IIIHHHHHBB", 0, 1, 7, 3, 0xFFFF, 0xFFFF, len(body), 0, 0, 0) + body

    capture.udp(seconds(5), ENGINEERING, 50_112, SERVER, 135, datagram(0, bytes(40)))
    refusal = datagram(6, struct.pack("<I", 0x1C010003))
    capture.udp(seconds(5) + MILLISECOND, SERVER, 135, ENGINEERING, 50_112, refusal)


def _ticket(cipher: int, *service: str) -> bytes:
    sealed = ber(SEQUENCE, context(0, integer(cipher)), context(2, ber(OCTETS, bytes(80))))
    fields = (context(0, integer(5)), context(1, ber(TEXT, REALM.encode())), context(2, principal(*service)))
    return ber(0x61, ber(SEQUENCE, *fields, context(3, sealed)))


def _kdc_request(kind: int, user: str | None, *service: str) -> bytes:
    address = ber(SEQUENCE, context(0, integer(20)), context(1, ber(OCTETS, b"ENG1            ")))
    body = ber(
        SEQUENCE,
        context(0, ber(0x03, bytes(5))),
        context(1, principal(user)) if user else b"",
        context(2, ber(TEXT, REALM.encode())),
        context(3, principal(*service)),
        context(7, integer(4711)),
        context(8, ber(SEQUENCE, integer(18), integer(23))),
        context(9, ber(SEQUENCE, address)) if user else b"",
    )
    return ber(0x60 | kind, ber(SEQUENCE, context(1, integer(5)), context(2, integer(kind)), context(4, body)))


def _kdc_reply(kind: int, user: str, cipher: int, *service: str) -> bytes:
    sealed = ber(SEQUENCE, context(0, integer(18)), context(2, ber(OCTETS, bytes(60))))
    fields = (context(3, ber(TEXT, REALM.encode())), context(4, principal(user)), context(5, _ticket(cipher, *service)))
    return ber(
        0x60 | kind, ber(SEQUENCE, context(0, integer(5)), context(1, integer(kind)), *fields, context(6, sealed))
    )


def _kdc_error(code: int, *service: str) -> bytes:
    head = (context(0, integer(5)), context(1, integer(30)), context(4, ber(0x18, b"20260302080000Z")))
    names = (context(9, ber(TEXT, REALM.encode())), context(10, principal(*service)))
    return ber(0x7E, ber(SEQUENCE, *head, context(5, integer(0)), context(6, integer(code)), *names))


def kerberos(capture: Capture) -> None:
    """A wrong password, a login, and over TCP a ticket of the old encryption; a computer's own login."""
    krbtgt = ("krbtgt", REALM)
    steps = (
        (_kdc_request(10, "eva", *krbtgt), _kdc_error(25, *krbtgt)),
        (_kdc_request(10, "eva", *krbtgt), _kdc_error(24, *krbtgt)),
        (_kdc_request(10, "eva", *krbtgt), _kdc_reply(11, "eva", 18, *krbtgt)),
        (_kdc_request(10, "ENG1$", *krbtgt), _kdc_reply(11, "ENG1$", 18, *krbtgt)),
    )
    for number, (asked, told) in enumerate(steps):
        capture.udp(seconds(number), ENGINEERING, 50_120 + number, SERVER, 88, asked)
        capture.udp(seconds(number) + MILLISECOND, SERVER, 88, ENGINEERING, 50_120 + number, told)
    session = TcpSession(capture, ENGINEERING, 50_130, SERVER, 88)
    at = session.open(seconds(9))
    service = ("MSSQLSvc", "srv1.plant.example")
    at = session.ask(at, _session(_kdc_request(12, None, *service)), _session(_kdc_reply(13, "eva", 23, *service)))
    session.close(at + seconds(1))


def _ldap(number: int, operation: int, *contents: bytes) -> bytes:
    return ber(SEQUENCE, integer(number), ber(operation, *contents))


def _ldap_search(number: int, base: str) -> bytes:
    limits = ber(ENUMERATED, b"\0") * 2 + integer(0) * 2 + ber(0x01, b"\0")
    return _ldap(number, 0x63, ber(OCTETS, base.encode()), limits, ber(0x87, b"objectClass"), ber(SEQUENCE))


def _ldap_entry(number: int, **attributes: bytes) -> bytes:
    rows = [ber(SEQUENCE, ber(OCTETS, name.encode()), ber(SET, ber(OCTETS, text))) for name, text in attributes.items()]
    return _ldap(number, 0x64, ber(OCTETS), ber(SEQUENCE, *rows))


def _ldap_result(number: int, operation: int, code: int, *more: bytes) -> bytes:
    return _ldap(number, operation, ber(ENUMERATED, bytes([code])), ber(OCTETS), ber(OCTETS), *more)


def ldap(capture: Capture) -> None:
    """What a domain controller says of itself; a password as it is, a login with NTLM, a change; then encryption."""
    session = TcpSession(capture, ENGINEERING, 50_140, SERVER, 389)
    at = session.open(0)
    root = _ldap_entry(1, dnsHostName=b"srv1.plant.example", defaultNamingContext=b"DC=plant,DC=example")
    at = session.ask(at, _ldap_search(1, ""), root + _ldap_result(1, 0x65, 0))
    simple = _ldap(2, 0x60, integer(3), ber(OCTETS, b"CN=hmi,DC=plant,DC=example"), ber(0x80, b"siemens"))
    at = session.ask(at, simple, _ldap_result(2, 0x61, 49))
    for number, token, answer, code in (
        (3, spnego_init(NTLM_NEGOTIATE), ber(0x87, spnego_response(ntlm_challenge())), 14),
        (4, spnego_response(ntlm_authenticate("eva", 220)), b"", 0),
    ):
        sasl = context(3, ber(OCTETS, b"GSS-SPNEGO"), ber(OCTETS, token))
        asked = _ldap(number, 0x60, integer(3), ber(OCTETS), sasl)
        at = session.ask(at, asked, _ldap_result(number, 0x61, code, answer))
    change = _ldap(5, 0x66, ber(OCTETS, b"CN=operators,DC=plant,DC=example"), ber(SEQUENCE))
    at = session.ask(at, change, _ldap_result(5, 0x67, 50))
    start = _ldap(6, 0x77, ber(0x80, b"1.3.6.1.4.1.1466.20037"))
    at = session.ask(at, start, _ldap_result(6, 0x78, 0))
    session.close(at + seconds(1))


def cldap(capture: Capture) -> None:
    """A host looks for a domain controller."""
    names = b"\5plant\7example\0\xc0\x18\4srv1\xc0\x18\5PLANT\0\4SRV1\0\0\0\0"
    netlogon = struct.pack("<HHI16s", 23, 0, 0x31FD, bytes(16)) + names
    capture.udp(0, ENGINEERING, 50_150, SERVER, 389, _ldap_search(1, ""))
    answer = _ldap_entry(1, netlogon=netlogon) + _ldap_result(1, 0x65, 0)
    capture.udp(MILLISECOND, SERVER, 389, ENGINEERING, 50_150, answer)


CAPTURES = (
    ("smb", smb, "SMB 3: logins, files, a service made over a pipe"),
    ("smb1", smb1, "SMB 1 over a NetBIOS session: an old station logs in and deletes"),
    ("dce-rpc", dce_rpc, "Remote procedure calls: endpoint mapper, object exporter, OPC over DCOM, a datagram"),
    ("kerberos", kerberos, "Kerberos: a wrong password, logins, a ticket of the old encryption"),
    ("ldap", ldap, "LDAP: the root, a password as it is, NTLM, a change, the start of encryption"),
    ("cldap", cldap, "Connectionless LDAP: a domain controller is found"),
)
