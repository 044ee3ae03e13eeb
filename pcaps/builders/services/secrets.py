"""Every way in which a secret is sent that the engine reads: what is told of these captures holds none of them."""

from __future__ import annotations

import base64
import hashlib
import struct

from builders.services import databases, web, windows
from builders.services.ber import (
    ENUMERATED,
    OCTETS,
    SEQUENCE,
    SET,
    ber,
    context,
    integer,
    oid,
    spnego_init,
    spnego_response,
)
from builders.services.hosts import CAMERA, ENGINEERING, SECRET, SERVER, SWITCH
from builders.services.logins import FTP, IMAP, POP3, SMTP, TELNET, C, S, Script, talk
from builders.services.management import AGENT, TRAPS
from builders.tcp import TcpSession
from builders.wire import MILLISECOND, SHORTEST_FRAME, Capture, Station, ip_bytes, mac_bytes, seconds

SHORT = SECRET[:8]
"""As much as fits into a field of eight octets."""
HASH = hashlib.md5(SECRET).digest()
WIDE = SECRET.decode().encode("utf-16-le")


def _hashed() -> bytes:
    """The last message of NTLM, with the secret for the responses that it proves a password with."""
    token = windows.ntlm_authenticate("eva", 220)
    return token[:-244] + (SECRET * 17)[:244]


def _base64(*parts: bytes) -> bytes:
    return base64.b64encode(b"".join(parts))


def web_logins(capture: Capture) -> None:
    """Every kind of authorization, cookie, key and query; forms in three notations; a tunnel's own login."""
    host = b"Host: plc-3.plant.example"
    ntlm = _hashed()
    address = b"http://eva:" + SECRET + b"@plc-3.plant.example/login?user=eva&password=" + SECRET
    fields = (
        (b"Authorization: Basic " + _base64(b"eva:", SECRET),),
        (b"Authorization: Basic " + _base64(SECRET),),
        (b"Authorization: Digest username=\"eva\", realm=\"plc\", nonce=\"" + SECRET + b"\", response=\"" + HASH.hex().encode() + b'"',),
        (b"Authorization: NTLM " + _base64(ntlm),),
        (b"Authorization: Negotiate " + _base64(spnego_init(ntlm)),),
        (b"Authorization: Bearer " + SECRET,),
        (b"Authorization: AWS4-HMAC-SHA256 Credential=eva/iam, Signature=" + SECRET,),
        (b"Authorization: " + SECRET,),
        (b"Proxy-Authorization: Basic " + _base64(b"eva:", SECRET), b"X-API-Key: " + SECRET),
        (b"X-Auth-Token: " + SECRET, b"X-CSRF-Token: " + SECRET, b"Cookie: " + SECRET + b"=" + SECRET + b"; b=" + SECRET),
        (b"Referer: " + address, b"Origin: " + address, b"SOAPAction: \"urn:login?token=" + SECRET + b'"'),
    )  # fmt: skip
    session = TcpSession(capture, ENGINEERING, 51_100, SERVER, web.HTTP)
    at = session.open(0)
    answer = web.message(
        b"HTTP/1.1 401 Unauthorized",
        b'WWW-Authenticate: Digest realm="plc", nonce="' + SECRET + b'", opaque="' + SECRET + b'"',
        b"Authentication-Info: nextnonce=" + SECRET,
        b"Set-Cookie: " + SECRET + b"=" + SECRET + b"; Path=/",
        b"Location: " + address,
        b"X-Auth-Token: " + SECRET,
        body=b'{"access_token": "' + SECRET + b'"}',
    )
    for some in fields:
        at = session.ask(at + seconds(0.1), web.message(b"GET /config HTTP/1.1", host, *some), answer)
    for target in (
        address,
        b"/login?password=" + SECRET + b"&token=" + SECRET + b"&api_key=" + SECRET,
        b"/login?" + SECRET,
        b"/login;jsessionid=" + SECRET + b"?sid=" + SECRET,
        b"/login/password=" + SECRET + b"/token/" + SECRET,
        b"/login#access_token=" + SECRET,
    ):
        at = session.ask(at + seconds(0.1), web.message(b"GET " + target + b" HTTP/1.1", host), answer)
    bodies = (
        (b"application/x-www-form-urlencoded", b"user=eva&passwd=" + SECRET),
        (b"application/json", b'{"username": "eva", "password": "' + SECRET + b'", "token": "' + SECRET + b'"}'),
        (
            b"text/xml",
            b"<s:Envelope><Username>eva</Username><Password Type='#PasswordText'>" + SECRET + b"</Password><Nonce>"
            + SECRET + b"</Nonce></s:Envelope>",
        ),
        (b"multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n' + SECRET + b"\r\n--x--\r\n"),
        (b"text/plain", SECRET),
    )  # fmt: skip
    for kind, body in bodies:
        request = web.message(b"POST /login HTTP/1.1", host, b"Content-Type: " + kind, body=body)
        at = session.ask(at + seconds(0.1), request, answer)
    session.close(at + seconds(1))
    # The head alone in one segment, and a request of a name that is a secret's.
    session = TcpSession(capture, ENGINEERING, 51_101, SERVER, 3128)
    at = session.open(seconds(10))
    tunnel = web.message(
        b"CONNECT eva:" + SECRET + b"@update.example:443 HTTP/1.1",
        b"Host: eva:" + SECRET + b"@update.example:443",
        b"Proxy-Authorization: Basic " + _base64(b"eva:", SECRET),
    )
    at = session.ask(at, tunnel, web.message(b"HTTP/1.1 407 Proxy Authentication Required", b"Content-Length: 0"))
    session.close(at + seconds(1))
    announced = web.message(b"NOTIFY * HTTP/1.1", b"NT: upnp:rootdevice", b"NTS: ssdp:alive", b"LOCATION: " + address)
    capture.udp(seconds(12), CAMERA, web.SSDP, web.SSDP_GROUP, web.SSDP, announced)


def mail_logins(capture: Capture) -> None:
    """Every mechanism of SASL that mail knows, and the protocols' own commands; files and commands of FTP."""
    plain, name, word = _base64(b"\0eva\0", SECRET), _base64(b"eva"), _base64(SECRET)
    digest = _base64(b"eva ", HASH.hex().encode())
    ntlm = _base64(_hashed())
    token = _base64(b"user=eva\x01auth=Bearer ", SECRET, b"\x01\x01")
    scram = _base64(b"n,,n=eva,r=", SECRET), _base64(b"c=biws,r=", SECRET, b",p=", word)
    mechanisms: tuple[tuple[bytes, tuple[bytes, ...]], ...] = (
        (b"PLAIN " + plain, ()),
        (b"PLAIN", (plain,)),
        (b"LOGIN", (name, word)),
        (b"LOGIN " + name, (word,)),
        (b"CRAM-MD5", (digest,)),
        (b"NTLM", (_base64(windows.NTLM_NEGOTIATE), ntlm)),
        (b"XOAUTH2 " + token, ()),
        (b"SCRAM-SHA-256 " + scram[0], (scram[1],)),
        (b"DIGEST-MD5", (_base64(b'username="eva",response=', SECRET),)),
        (word, ()),
    )
    start = 0
    for number, (mechanism, texts) in enumerate(mechanisms):
        said: list[tuple[int, Script]] = []
        rest: Script = tuple(part for text in texts for part in ((S, b"334 " + word + b"\r\n"), (C, text + b"\r\n")))
        hello: Script = ((S, b"220 mail.plant.example ESMTP Postfix\r\n"), (C, b"EHLO eng1\r\n"), (S, b"250 AUTH\r\n"))
        said.append((SMTP, (*hello, (C, b"AUTH " + mechanism + b"\r\n"), *rest, (S, b"535 no " + SECRET + b"\r\n"))))
        rest = tuple(part for text in texts for part in ((S, b"+ " + word + b"\r\n"), (C, text + b"\r\n")))
        asked = b"AUTH " + mechanism + b"\r\n"
        said.append((POP3, ((S, b"+OK POP3 <7.7@x>\r\n"), (C, asked), *rest, (S, b"-ERR " + SECRET + b"\r\n"))))
        asked = b"a1 AUTHENTICATE " + mechanism + b"\r\n"
        said.append((IMAP, ((S, b"* OK IMAP4rev1\r\n"), (C, asked), *rest, (S, b"a1 NO " + SECRET + b"\r\n"))))
        for place, (server_port, script) in enumerate(said):
            talk(capture, 51_200 + 3 * number + place, SERVER, server_port, script, start=seconds(start))
            start += 3
    literal = (
        (S, b"* OK IMAP4rev1\r\n"),
        (C, b"a1 LOGIN {3}\r\n"),
        (S, b"+ go on\r\n"),
        (C, b"eva {15}\r\n"),
        (S, b"+ go on\r\n"),
        (C, SECRET + b"\r\n"),
        (S, b"a1 NO\r\n"),
    )
    talk(capture, 51_260, SERVER, IMAP, literal, start=seconds(start))
    apop = ((S, b"+OK POP3 <7.7@x>\r\n"), (C, b"APOP eva " + HASH.hex().encode() + b"\r\n"), (S, b"-ERR\r\n"))
    talk(capture, 51_261, SERVER, POP3, apop, start=seconds(start + 3))
    files: Script = (
        (S, b"220 FTP server ready\r\n"),
        (C, b"PASS " + SECRET + b"\r\n"),
        (S, b"503 user first\r\n"),
        (C, b"USER eva\r\n"),
        (S, b"331 password of " + SECRET + b"\r\n"),
        (C, b"pass " + SECRET + b"\r\n"),
        (S, b"332 account\r\n"),
        (C, b"ACCT " + SECRET + b"\r\n"),
        (S, b"230 in\r\n"),
        (C, b"ADAT " + _base64(SECRET) + b"\r\n"),
        (S, b"235 ADAT=" + _base64(SECRET) + b"\r\n"),
        (C, b"SITE CHPASS " + SECRET + b"\r\n"),
        (S, b"200 done\r\n"),
        (C, SECRET + b"\r\n"),
        (S, b"500 no " + SECRET + b"\r\n"),
    )
    talk(capture, 51_262, SERVER, FTP, files, start=seconds(start + 6))


def terminals(capture: Capture) -> None:
    """A password typed letter by letter, one in the environment of Telnet, keys of a screen, a proxy's login."""
    typed = [(C, bytes([octet])) for octet in SECRET]
    letters: Script = (
        (S, b"\xff\xfd\x18\xff\xfb\x01\xff\xfd\x27\r\nswitch-1 login: "),
        (C, b"\xff\xfb\x18\xff\xfa\x18\x00vt100\xff\xf0\xff\xfa\x27\x00\x00USER\x01eva\x03PASSWORD\x01" + SECRET + b"\xff\xf0"),
        *((part) for octet in b"eva" for part in ((C, bytes([octet])), (S, bytes([octet])))),
        (C, b"\r\0"),
        (S, b"\r\nPassword: "),
        *typed,
        (C, b"\r\0"),
        (S, b"\r\nLogin incorrect\r\nswitch-1 login: "),
        (C, b"eva\r\n"),
        (S, b"eva\r\nPassword: "),
        (C, b"x\x7f" + SECRET + b"\r\n"),
        (S, b"\r\nWelcome\r\nswitch-1> "),
        (C, b"enable\r\n"),
        (S, b"enable\r\nPassword: "),
        (C, SECRET + b"\r\n"),
        (S, b"\r\nswitch-1# "),
    )  # fmt: skip
    talk(capture, 51_300, SWITCH, TELNET, letters)
    proxy: Script = (
        (C, b"\x05\x01\x02"),
        (S, b"\x05\x02"),
        (C, b"\x01\x03eva" + bytes([len(SECRET)]) + SECRET),
        (S, b"\x01\x00"),
        (C, b"\x05\x01\x00\x03\x0bplc.example" + struct.pack(">H", 502)),
        (S, b"\x05\x00\x00\x01" + bytes(6)),
    )
    talk(capture, 51_301, SERVER, 1080, proxy, start=seconds(20))
    offer: Script = ((S, b"RFB 003.003\n"), (C, b"RFB 003.003\n"), (S, struct.pack(">I", 2) + SECRET + b"\0"))
    screen: Script = (*offer, (C, SECRET + b"\0"), (S, bytes(4)), (C, b"\1"))
    talk(capture, 51_302, CAMERA, 5900, screen, start=seconds(30))
    shell = b"1020\x00eva\x00root\x00mysql --password=" + SECRET + b"\x00"
    talk(capture, 1021, SERVER, 514, ((C, shell), (S, b"\x00")), start=seconds(40))


def directories(capture: Capture) -> None:
    """LDAP by password, SASL and filter; tickets; hashes of NTLM in SMB of both versions, in calls and databases."""

    def ldap(number: int, operation: int, *contents: bytes) -> bytes:
        return ber(SEQUENCE, integer(number), ber(operation, *contents))

    def result(number: int, operation: int, code: int, *more: bytes) -> bytes:
        return ldap(number, operation, ber(ENUMERATED, bytes([code])), ber(OCTETS), ber(OCTETS, SECRET), *more)

    session = TcpSession(capture, ENGINEERING, 51_400, SERVER, 389)
    at = session.open(0)
    name = ber(OCTETS, b"CN=hmi,DC=plant,DC=example")
    limits = ber(ENUMERATED, b"\0") * 2 + integer(0) * 2 + ber(0x01, b"\0")
    pair = ber(SEQUENCE, ber(OCTETS, b"userPassword"), ber(SET, ber(OCTETS, SECRET)))
    for number, (operation, answered, contents) in enumerate(
        (
            (0x60, 0x61, (integer(3), name, ber(0x80, SECRET))),
            (0x60, 0x61, (integer(3), ber(OCTETS), context(3, ber(OCTETS, b"PLAIN"), ber(OCTETS, b"\0eva\0" + SECRET)))),
            (0x60, 0x61, (integer(3), ber(OCTETS), context(3, ber(OCTETS, b"DIGEST-MD5"), ber(OCTETS, SECRET)))),
            (0x63, 0x65, (name, limits, ber(0xA3, ber(OCTETS, b"userPassword"), ber(OCTETS, SECRET)), ber(SEQUENCE))),
            (0x66, 0x67, (name, ber(SEQUENCE, ber(SEQUENCE, ber(ENUMERATED, b"\2"), pair)))),
            (0x68, 0x69, (name, ber(SEQUENCE, pair))),
            (0x6E, 0x6F, (name, ber(SEQUENCE, ber(OCTETS, b"userPassword"), ber(OCTETS, SECRET)))),
            (0x77, 0x78, (ber(0x80, b"1.3.6.1.4.1.4203.1.11.1"), ber(0x81, ber(SEQUENCE, ber(0x81, SECRET), ber(0x82, SECRET))))),
        ),
        start=1,
    ):  # fmt: skip
        at = session.ask(at, ldap(number, operation, *contents), result(number, answered, 49, ber(0x87, SECRET)))
    session.close(at + seconds(1))

    session = TcpSession(capture, ENGINEERING, 51_401, SERVER, 445)
    at = session.open(seconds(3))
    messages = windows.Smb2()
    hashed = _hashed()
    at = session.ask(at, *messages.negotiate())
    challenge = spnego_response(windows.ntlm_challenge().replace(b"CHALLENG", SHORT))
    at = session.ask(at, *messages.setup(spnego_init(windows.NTLM_NEGOTIATE), challenge, 0xC0000016))
    at = session.ask(at, *messages.setup(spnego_response(hashed), b"", 0))
    at = session.ask(at, *messages.tree(r"\\srv1\recipes", 1))
    at = session.ask(at, *messages.create(r"passwords.txt"))
    at = session.ask(at, *messages.read(SECRET * 4))
    at = session.ask(at, *messages.write(SECRET * 4))
    session.close(at + seconds(1))

    session = TcpSession(capture, ENGINEERING, 51_402, SERVER, 445)
    at = session.open(seconds(6))
    offered, chosen = b"\2NT LM 0.12\0", struct.pack("<HBHHIIIIQHB", 0, 1, 50, 1, 4356, 65536, 0, 0xD4, 0, 0, 0)
    names = windows.wide("PLANT\0")
    at = session.ask(at, windows._smb1(0x72, b"", offered), windows._smb1(0x72, chosen, names, reply=True))
    setup = struct.pack("<BBHHHHIHHII", 0xFF, 0, 0, 4356, 50, 1, 0, len(SECRET), len(WIDE), 0, 0xD4)
    who = SECRET + WIDE + windows.wide("eva\0PLANT\0Windows\0LAN\0")
    native = b"\0" + windows.wide("Windows\0LAN\0PLANT\0")
    at = session.ask(
        at,
        windows._smb1(0x73, setup, who),
        windows._smb1(0x73, struct.pack("<BBHH", 0xFF, 0, 0, 0), native, reply=True),
    )
    share = struct.pack("<BBHHH", 0xFF, 0, 0, 0, len(SECRET) + 1)
    tree = SECRET + b"\0" + windows.wide("\\\\SRV1\\C$\0") + b"?????\0"
    at = session.ask(
        at,
        windows._smb1(0x75, share, tree),
        windows._smb1(0x75, struct.pack("<BBHH", 0xFF, 0, 0, 1), b"A:\0", reply=True),
    )
    session.close(at + seconds(1))

    request = windows._kdc_request(10, "eva", "krbtgt", windows.REALM)
    capture.udp(seconds(9), ENGINEERING, 51_403, SERVER, 88, request)
    reply = windows._kdc_reply(11, "eva", 18, "krbtgt", windows.REALM).replace(bytes(60), (SECRET * 4)[:60])
    capture.udp(seconds(9) + MILLISECOND, SERVER, 88, ENGINEERING, 51_403, reply)

    session = TcpSession(capture, ENGINEERING, 51_404, SERVER, 135)
    at = session.open(seconds(12))
    bind = windows.rpc_bind(bytes(range(20)), token=hashed)
    at = session.ask(at, bind, windows.rpc_bound(1, windows.ntlm_challenge().replace(b"CHALLENG", SHORT)))
    session.close(at + seconds(1))

    digest = b"\x14" + SECRET + b"12345"
    greeting = (
        b"\x0a8.0.33\x00\x07\x00\x00\x00"
        + SHORT
        + b"\x00\xff\xf7\x08\x02\x00\xff\x81\x15"
        + bytes(10)
        + SECRET[:12]
        + b"\0"
    )
    login = struct.pack("<IIB", 0x0000_8208, 1 << 24, 8) + bytes(23) + b"eva\x00" + digest + b"plant\x00"
    script: Script = (
        (S, databases._mysql(0, greeting)),
        (C, databases._mysql(1, login)),
        (S, databases._mysql(2, b"\xfemysql_native_password\0" + SECRET + b"\0")),
        (C, databases._mysql(3, SECRET + b"\0")),
        (S, databases._mysql(4, b"\xff\x15\x04#28000Access denied for " + SECRET)),
    )
    talk(capture, 51_405, SERVER, databases.MYSQL, script, start=seconds(15))
    start = struct.pack(">I", 3 << 16) + b"user\x00eva\x00database\x00plant\x00options\x00-c pw=" + SECRET + b"\x00\x00"
    for number, method in enumerate((5, 10)):
        asked = struct.pack(">I", method) + (SECRET[:4] if method == 5 else b"SCRAM-SHA-256\0\0")
        hidden = (
            b"md5" + HASH.hex().encode() + b"\0"
            if method == 5
            else b"SCRAM-SHA-256\0\0\0\0\x20n,,n=,r=" + SECRET + b"-1234567"
        )
        script = (
            (C, databases._postgresql(b"", start)),
            (S, databases._postgresql(b"R", asked)),
            (C, databases._postgresql(b"p", hidden)),
            (S, databases._postgresql(b"E", b"SFATAL\0C28P01\0Mno " + SECRET + b"\0\0")),
        )
        talk(capture, 51_406 + number, SERVER, databases.POSTGRESQL, script, start=seconds(18 + 3 * number))
    body = (
        struct.pack(">H", 4)
        + b"MQTT\x05\xc2\x00\x3c"
        + bytes([3 + len(SECRET), 0x16])
        + struct.pack(">H", len(SECRET))
        + SECRET
    )
    body += b"\0\x08sensor-7" + b"\0\3eva" + struct.pack(">H", len(SECRET)) + SECRET
    script = ((C, bytes([0x10, len(body)]) + body), (S, b"\x20\x03\x00\x86\x00"))
    talk(capture, 51_408, SERVER, databases.MQTT, script, start=seconds(24))


def networks(capture: Capture) -> None:
    """Communities, keys of routers, names with keys, logs, configurations, point-to-point links, 802.1X."""

    def snmp(version: int, kind: int, value: bytes) -> bytes:
        rows = ber(SEQUENCE, ber(SEQUENCE, oid("1.3.6.1.4.1.9.2.1.55.1"), value))
        pdu = ber(kind, integer(7), integer(0), integer(0), rows)
        return ber(SEQUENCE, integer(version), ber(OCTETS, SECRET), pdu)

    for number, (version, kind) in enumerate(((0, 0xA0), (1, 0xA5), (1, 0xA3))):
        capture.udp(
            seconds(number), ENGINEERING, 51_500 + number, SWITCH, AGENT, snmp(version, kind, ber(OCTETS, SECRET))
        )
        capture.udp(
            seconds(number + 0.1), SWITCH, AGENT, ENGINEERING, 51_500 + number, snmp(version, 0xA2, ber(OCTETS, SECRET))
        )
    old = (oid("1.3.6.1.4.1.248"), ber(0x40, bytes([192, 168, 20, 2])), integer(4), integer(0), ber(0x43, b"\1"))
    trap = ber(SEQUENCE, integer(0), ber(OCTETS, SECRET), ber(0xA4, *old, ber(SEQUENCE)))
    capture.udp(seconds(3), SWITCH, 51_503, SERVER, TRAPS, trap)
    head = ber(SEQUENCE, integer(7), integer(65507), ber(OCTETS, b"\7"), integer(3))
    fields = (ber(OCTETS, bytes.fromhex("800000f803000e8c202002")), integer(0), integer(0), ber(OCTETS, b"eva"))
    keyed = ber(SEQUENCE, *fields, ber(OCTETS, SECRET[:12]), ber(OCTETS, SHORT))
    user = ber(SEQUENCE, integer(3), head, ber(OCTETS, keyed), ber(OCTETS, SECRET * 3))
    capture.udp(seconds(4), ENGINEERING, 51_504, SWITCH, AGENT, user)

    router, all_routers = Station("192.168.20.1", "00:0e:8c:20:20:01"), Station("224.0.0.2", "01:00:5e:00:00:02")
    virtual = ip_bytes("192.168.20.254")
    vrrp = struct.pack(">BBBBBBH", 0x21, 7, 120, 1, 1, 1, 0) + virtual + SHORT
    capture.ip(seconds(5), router, Station("224.0.0.18", "01:00:5e:00:00:12"), 112, vrrp)
    capture.udp(seconds(6), router, 1985, all_routers, 1985, bytes([0, 0, 16, 3, 10, 110, 7, 0]) + SHORT + virtual)
    hello = struct.pack(">BBH4s4sHH8s", 2, 1, 44, ip_bytes("10.0.0.1"), bytes(4), 0, 1, SHORT)
    capture.ip(seconds(7), router, Station("224.0.0.5", "01:00:5e:00:00:05"), 89, hello + bytes(20))
    digest = struct.pack(">BBH4s4sHHHBBI", 2, 1, 44, ip_bytes("10.0.0.1"), bytes(4), 0, 2, 0, 1, 16, 7)
    capture.ip(seconds(8), router, Station("224.0.0.5", "01:00:5e:00:00:05"), 89, digest + bytes(20) + SECRET + b"!")
    rip = b"\x02\x02\x00\x00\xff\xff\x00\x02" + SECRET + b"\0"
    rip += struct.pack(">HH4s4s4sI", 2, 0, ip_bytes("192.168.30.0"), ip_bytes("255.255.255.0"), bytes(4), 1)
    capture.udp(seconds(9), router, 520, Station("224.0.0.9", "01:00:5e:00:00:09"), 520, rip)
    eigrp = b"\x02\x05" + bytes(16) + struct.pack(">HHHHHIII", 100, 2, 40, 2, 16, 7, 0, 0) + bytes(4) + SECRET + b"!"
    capture.ip(seconds(10), router, Station("224.0.0.10", "01:00:5e:00:00:0a"), 88, eigrp)

    def text(value: bytes) -> bytes:
        return bytes([len(value)]) + value

    record = b"\xc0\x0c\0\x10\0\1\0\0\0\x3c" + struct.pack(">H", 3 + len(SECRET)) + text(b"p=" + SECRET)
    asked = b"\4_ftp\4_tcp\5plant\0\0\x10\0\1"
    capture.udp(
        seconds(11), SERVER, 53, ENGINEERING, 51_511, struct.pack(">HHHHHH", 7, 0x8180, 1, 1, 0, 0) + asked + record
    )
    texts = text(b"u=eva") + text(b"p=" + SECRET) + text(b"password=" + SECRET) + text(b"model=M20")
    announced = b"\7printer\5_http\4_tcp\5local\0\0\x10\x80\1\0\0\0\x78" + struct.pack(">H", len(texts)) + texts
    group = Station("224.0.0.251", "01:00:5e:00:00:fb")
    capture.udp(seconds(12), CAMERA, 5353, group, 5353, struct.pack(">HHHHHH", 0, 0x8400, 0, 1, 0, 0) + announced)

    nobody, everybody = Station("0.0.0.0", ENGINEERING.mac), Station("255.255.255.255", "ff:ff:ff:ff:ff:ff")
    boot = (
        struct.pack(">BBBBIHH", 1, 1, 6, 0, 7, 0, 0x8000)
        + bytes(16)
        + mac_bytes(ENGINEERING.mac).ljust(16, b"\0")
        + bytes(192)
    )
    options = b"\x63\x82\x53\x63\x35\1\1\x5a" + text(b"\0\0\0" + SHORT + SECRET) + b"\x0c\5eng-1\xff"
    capture.udp(seconds(13), nobody, 68, everybody, 67, boot + options)
    for number, line in enumerate(
        (
            b"<36>Mar  2 08:00:00 switch-1 login: user eva password=" + SECRET,
            b"<36>password=" + SECRET + b" user=eva",
            b"<36>" + SECRET,
            b'<165>1 2026-03-02T08:00:01Z plc-3 runtime - ID47 [auth@1 token="' + SECRET + b'"] ' + SECRET,
        )
    ):
        capture.udp(seconds(14 + 0.1 * number), SWITCH, 51_514, SERVER, 514, line)
    capture.udp(seconds(15), SWITCH, 51_515, SERVER, 69, b"\0\2startup-config\0octet\0")
    capture.udp(seconds(15.1), SERVER, 51_516, SWITCH, 51_515, b"\0\4\0\0")
    capture.udp(seconds(15.2), SWITCH, 51_515, SERVER, 51_516, b"\0\3\0\1enable secret " + SECRET + b"\n")

    def attribute(kind: int, value: bytes) -> bytes:
        return bytes([kind, 2 + len(value)]) + value

    asked = attribute(1, b"eva") + attribute(3, b"\1" + SECRET) + attribute(60, SECRET) + attribute(80, SECRET + b"!")
    asked += attribute(79, b"\2\7\0\x16\x04\x10" + SECRET + b"!")
    capture.udp(
        seconds(16),
        SWITCH,
        51_517,
        SERVER,
        databases.RADIUS,
        struct.pack(">BBH", 1, 9, 20 + len(asked)) + SECRET + b"!" + asked,
    )

    def ppp(protocol: int, code: int, data: bytes) -> bytes:
        packet = struct.pack(">HBBH", protocol, code, 7, 4 + len(data)) + data
        return struct.pack(">BBHH", 0x11, 0, 1, len(packet)) + packet

    def link(at: float, source: Station, target: str, ethertype: int, payload: bytes) -> None:
        octets = mac_bytes(target) + mac_bytes(source.mac) + struct.pack(">H", ethertype) + payload
        capture.raw(seconds(at), octets + bytes(max(0, SHORTEST_FRAME - len(octets))))

    link(17, ENGINEERING, SWITCH.mac, 0x8864, ppp(0xC023, 1, text(b"eva") + text(SECRET)))
    link(17.1, SWITCH, ENGINEERING.mac, 0x8864, ppp(0xC223, 1, text(SECRET) + b"gate"))
    link(17.2, ENGINEERING, SWITCH.mac, 0x8864, ppp(0xC223, 2, text(SECRET) + b"eva"))

    def eap(code: int, data: bytes) -> bytes:
        body = struct.pack(">BBH", code, 7, 4 + len(data)) + data
        return struct.pack(">BBH", 1, 0, len(body)) + body

    port = "01:80:c2:00:00:03"
    link(18, ENGINEERING, port, 0x888E, eap(2, b"\x01eva"))
    link(18.1, SWITCH, port, 0x888E, eap(1, b"\x04" + text(SECRET)))
    link(18.2, ENGINEERING, port, 0x888E, eap(2, b"\x04" + text(SECRET)))
    link(18.3, ENGINEERING, port, 0x888E, eap(2, b"\x06" + SECRET))
    link(18.4, ENGINEERING, port, 0x888E, eap(2, b"\x11\x01\x00\x18" + (SECRET * 2)[:24] + b"eva"))


CAPTURES = (
    ("secrets-web", web_logins, "Secrets in HTTP and SSDP: authorizations, cookies, keys, queries, forms"),
    ("secrets-mail", mail_logins, "Secrets in SMTP, POP3, IMAP and FTP: every mechanism"),
    ("secrets-terminals", terminals, "Secrets in Telnet, SOCKS, VNC and the remote shell"),
    ("secrets-directories", directories, "Secrets in LDAP, SMB, Kerberos, remote calls, databases and MQTT"),
    ("secrets-networks", networks, "Secrets in SNMP, routing, DNS, DHCP, syslog, TFTP, RADIUS, PPP and 802.1X"),
)
