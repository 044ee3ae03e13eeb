"""The web and what is written like it: HTTP, SSDP, WS-Discovery, SIP, RTSP."""

from __future__ import annotations

import base64

from builders.services.hosts import CAMERA, ENGINEERING, SECRET, SERVER, SWITCH
from builders.tcp import Side, TcpSession
from builders.wire import MILLISECOND, Capture, Station, seconds

HTTP, WSMAN, RTSP, SIP, SSDP, WSD = 80, 5985, 554, 5060, 1900, 3702
SSDP_GROUP = Station("239.255.255.250", "01:00:5e:7f:ff:fa")
TARGET = Station("192.168.20.30", "00:1b:1b:20:20:1e")
FIREFOX = b"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:115.0) Gecko/20100101 Firefox/115.0"
NMAP = b"Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)"
NTLM_NEGOTIATE = b"NTLMSSP\x00\x01\x00\x00\x00\x97\x82\x08\xe2" + bytes(16)


def message(start: bytes, *fields: bytes, body: bytes = b"") -> bytes:
    """A message; the length of a body that is there is added."""
    length = (b"Content-Length: %d" % len(body),) if body else ()
    return b"\r\n".join((start, *fields, *length, b"", body))


def _login(kind: bytes, user: bytes, password: bytes) -> bytes:
    return b"Authorization: " + kind + b" " + base64.b64encode(user + b":" + password)


def http(capture: Capture) -> None:
    """A PLC's pages, logins of three kinds, chunks, a proxy's tunnel, a scanner."""
    plc = TcpSession(capture, ENGINEERING, 50_100, TARGET, HTTP)
    host = b"Host: plc-3.plant.example"
    at = plc.open(0)
    page = b"<html><head><title>SIMATIC 1200 station_1</title></head></html>"
    for request, response in (
        (
            message(
                b"GET /Portal/Portal.mwsl?PriNav=Start&key=" + SECRET + b" HTTP/1.1",
                host,
                b"User-Agent: " + FIREFOX,
                b"Cookie: id=" + SECRET,
            ),
            message(
                b"HTTP/1.1 200 OK",
                b"Content-Type: text/html; charset=utf-8",
                b"Set-Cookie: siemens_ad_session=" + SECRET + b"; path=/",
                body=page,
            ),
        ),
        (
            message(
                b"POST /FormLogin HTTP/1.1",
                host,
                b"Content-Type: application/x-www-form-urlencoded",
                body=b"Login=admin&Password=" + SECRET,
            ),
            message(b"HTTP/1.1 302 Found", b"Location: /Portal", b"Content-Length: 0"),
        ),
        (
            message(b"GET /config HTTP/1.1", host, _login(b"Basic", b"admin", b"admin")),
            message(
                b"HTTP/1.1 200 OK",
                b"Transfer-Encoding: chunked",
                body=b"",
            )
            + b"1a\r\nHTTP/1.1 500 not an answer\r\n"
            + b"0\r\n\r\n",
        ),
        (
            message(b"GET /config HTTP/1.1", host, _login(b"Basic", b"eva", SECRET)),
            message(b"HTTP/1.1 401 Unauthorized", b'WWW-Authenticate: Basic realm="plc"', b"Content-Length: 0"),
        ),
        (
            message(b"PUT /api/setpoint HTTP/1.1", host, b"Authorization: Bearer " + SECRET, body=SECRET),
            message(b"HTTP/1.1 204 No Content"),
        ),
    ):
        at = plc.ask(at + seconds(1), request, response)
    plc.close(at + seconds(1))
    proxy = TcpSession(capture, ENGINEERING, 50_101, SERVER, 3128)
    at = proxy.open(seconds(10))
    at = proxy.ask(
        at,
        message(b"CONNECT update.example:443 HTTP/1.1", b"Host: update.example:443"),
        message(b"HTTP/1.1 200 Connection established", b"Via: 1.1 proxy"),
    )
    at = proxy.send(at + MILLISECOND, Side.CLIENT, b"\x16\x03\x01\x00\x04" + SECRET)
    proxy.close(at + seconds(1))
    scanner = TcpSession(capture, CAMERA, 50_102, SERVER, 8080)
    at = scanner.open(seconds(20))
    at = scanner.ask(
        at,
        message(b"GET /nmaplowercheck1 HTTP/1.1", b"User-Agent: " + NMAP),
        message(b"HTTP/1.0 404 Not Found", b"Server: Microsoft-IIS/7.5", b"X-Powered-By: ASP.NET"),
    )
    scanner.close(at + seconds(1), Side.SERVER)


def winrm(capture: Capture) -> None:
    """A host managed from afar: the handshake of NTLM over HTTP."""
    session = TcpSession(capture, ENGINEERING, 50_110, SERVER, WSMAN)
    at = session.open(0)
    token = base64.b64encode(NTLM_NEGOTIATE)
    request = message(
        b"POST /wsman HTTP/1.1", b"User-Agent: Microsoft WinRM Client", b"Authorization: Negotiate " + token
    )
    refused = message(
        b"HTTP/1.1 401 ", b"Server: Microsoft-HTTPAPI/2.0", b"WWW-Authenticate: Negotiate", b"Content-Length: 0"
    )
    session.close(session.ask(at, request, refused) + seconds(1))


def ssdp(capture: Capture) -> None:
    """A search, an answer, and an announcement."""
    search = message(b"M-SEARCH * HTTP/1.1", b'MAN: "ssdp:discover"', b"MX: 1", b"ST: ssdp:all")
    capture.udp(0, ENGINEERING, 50_120, SSDP_GROUP, SSDP, search)
    device = b"urn:schemas-upnp-org:device:InternetGatewayDevice:1"
    answer = message(
        b"HTTP/1.1 200 OK",
        b"ST: " + device,
        b"USN: uuid:7::" + device,
        b"LOCATION: http://192.168.20.2:5000/root.xml?key=" + SECRET,
        b"SERVER: Linux/3.4 UPnP/1.0 Box/2",
    )
    capture.udp(9 * MILLISECOND, SWITCH, SSDP, ENGINEERING, 50_120, answer)
    alive = message(
        b"NOTIFY * HTTP/1.1", b"NT: upnp:rootdevice", b"NTS: ssdp:alive", b"SERVER: Linux/3.4 UPnP/1.0 Box/2"
    )
    capture.udp(seconds(1), SWITCH, SSDP, SSDP_GROUP, SSDP, alive)


def ws_discovery(capture: Capture) -> None:
    """Cameras are looked for; one answers."""
    namespace = b"http://schemas.xmlsoap.org/ws/2005/04/discovery"

    def envelope(action: bytes, body: bytes) -> bytes:
        header = b"<s:Header><a:Action>" + namespace + b"/" + action + b"</a:Action></s:Header>"
        return b'<s:Envelope xmlns:d="' + namespace + b'">' + header + b"<s:Body>" + body + b"</s:Body></s:Envelope>"

    types = b"<d:Types>dn:NetworkVideoTransmitter</d:Types>"
    capture.udp(0, ENGINEERING, 50_130, SSDP_GROUP, WSD, envelope(b"Probe", b"<d:Probe>" + types + b"</d:Probe>"))
    scopes = b"onvif://www.onvif.org/name/Gate%20camera onvif://www.onvif.org/hardware/M-20"
    match = (
        b"<d:ProbeMatch>" + types + b"<d:Scopes>" + scopes + b"</d:Scopes>"
        b"<d:XAddrs>http://192.168.20.40/onvif/device_service</d:XAddrs></d:ProbeMatch>"
    )
    capture.udp(12 * MILLISECOND, CAMERA, WSD, ENGINEERING, 50_130, envelope(b"ProbeMatches", match))


def sip(capture: Capture) -> None:
    """A telephone registers with a digest."""
    call = (b"Call-ID: 7@192.168.20.10", b"CSeq: 1 REGISTER")
    register = message(
        b"REGISTER sip:plant.example SIP/2.0",
        *call,
        b'From: "Gate" <sip:gate:' + SECRET + b"@plant.example>;tag=1",
        b"To: <sip:gate@plant.example>",
        b"User-Agent: Door 2.1",
        b'Authorization: Digest username="gate", realm="plant", response="' + SECRET + b'"',
    )
    capture.udp(0, CAMERA, SIP, SERVER, SIP, register)
    capture.udp(4 * MILLISECOND, SERVER, SIP, CAMERA, SIP, message(b"SIP/2.0 200 OK", *call, b"Server: PBX 13"))


def rtsp(capture: Capture) -> None:
    """A camera's stream is watched; its media are passed over."""
    session = TcpSession(capture, ENGINEERING, 50_140, CAMERA, RTSP)
    at = session.open(0)
    uri = b"rtsp://eva:" + SECRET + b"@192.168.20.40/live/1?key=" + SECRET
    ask = message(b"DESCRIBE " + uri + b" RTSP/1.0", b"CSeq: 1", b"User-Agent: LibVLC/3.0")
    refused = message(b"RTSP/1.0 401 Unauthorized", b"CSeq: 1", b'WWW-Authenticate: Basic realm="AXIS_00408C"')
    at = session.ask(at, ask, refused)
    ask = message(b"DESCRIBE " + uri + b" RTSP/1.0", b"CSeq: 2", _login(b"Basic", b"eva", SECRET))
    answer = message(b"RTSP/1.0 200 OK", b"CSeq: 2", b"Server: Rtsp/2.0", body=b"v=0\r\ns=" + SECRET + b"\r\n")
    at = session.ask(at + MILLISECOND, ask, answer + b"$\x00\x00\x0f" + SECRET)
    session.close(at + seconds(1))


CAPTURES = (
    ("http", http, "HTTP: a PLC's pages, logins by form, basic and bearer, a proxy's tunnel, a scanner"),
    ("winrm", winrm, "Windows Remote Management over HTTP, with NTLM"),
    ("ssdp", ssdp, "SSDP: a search, an answer, an announcement"),
    ("ws-discovery", ws_discovery, "WS-Discovery: a camera of ONVIF answers"),
    ("sip", sip, "SIP: a registration with a digest"),
    ("rtsp", rtsp, "RTSP: a camera's stream, refused and watched"),
)
