"""`dns`, `ssl` with `x509`, `http`: names that are asked for, sessions and certificates, requests to web servers."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pyarrow as pa

from zonewatch.dissectors.zeek.activities import activity
from zonewatch.dissectors.zeek.rows import mapped, pc
from zonewatch.dissectors.zeek.told import ENDS, Found, Kind, Lines
from zonewatch.dissectors.zeek.words import entries

_DNS_PORTS: Final = {"5353": "mdns", "5355": "llmnr", "137": "netbios-ns"}
_VERSIONS: Final = {
    "SSLv2": "2.0", "SSLv3": "3.0", "TLSv10": "1.0", "TLSv11": "1.1", "TLSv12": "1.2", "TLSv13": "1.3",
    "DTLSv10": "1.0", "DTLSv12": "1.2", "DTLSv13": "1.3",
}  # fmt: skip
_METHODS: Final = {entry["name"]: (entry["kind"], entry["operation"]) for entry in entries("http", "methods").values()}
_CLIENT_ERRORS: Final = 400


def listed(column: Any) -> Any:
    """A list as our fields have it: with a blank behind each comma."""
    return pc.replace_substring(column, ",", ", ")


def _dns(lines: Lines) -> Found:
    rows = lines.rows
    port = rows.whole("id.resp_p", most=65_535).cast(pa.utf8())
    protocol = mapped(pc.fill_null(port, ""), lambda word: _DNS_PORTS.get(word, "dns"), pa.utf8())
    rcode = rows.whole("rcode", most=65_535)
    status = pc.if_else(pc.is_null(rcode), "no_response", pc.if_else(pc.equal(rcode, 0), "ok", "error"))
    query = rows.words("query")
    netbios = pc.equal(protocol, "netbios-ns")
    nothing = pa.scalar(None, pa.utf8())
    fields = {
        "dns.question.name": pc.if_else(netbios, nothing, query),
        "dns.question.type": pc.if_else(netbios, nothing, rows.text("qtype_name")),
        "dns.answers": pc.if_else(netbios, nothing, listed(rows.words("answers"))),
        "netbios.name": pc.if_else(netbios, query, nothing),
        "netbios.answers": pc.if_else(netbios, listed(rows.words("answers")), nothing),
    }
    table = activity(
        lines, protocol, "query", "discover", pc.fill_null(status, "no_response"), rows.text("rcode_name"),
        pc.fill_null(rows.text("proto"), "udp"), fields,
    )  # fmt: skip
    return Found(activities=(table,))


class _Certificate(NamedTuple):
    """What `x509` has of a certificate, as fields have it."""

    subject: str | None
    issuer: str | None
    serial: str | None
    not_before: str | None
    not_after: str | None
    names: str | None

    @property
    def self_signed(self) -> str:
        """Whether it vouches for itself."""
        return "true" if self.subject == self.issuer else "false"


_NO_CERTIFICATE: Final = _Certificate(None, None, None, None, None, None)


def _x509(lines: Lines) -> Found:
    """Certificates by what `ssl` calls them: their fingerprints, before Zeek 4.1 the file that each was."""
    rows = lines.rows
    columns = (
        rows.words("certificate.subject"), rows.words("certificate.issuer"), rows.text("certificate.serial"),
        *(_moment(rows.time(f"certificate.{name}")) for name in ("not_valid_before", "not_valid_after")),
        listed(rows.words("san.dns")),
    )  # fmt: skip
    names = rows.text("fingerprint", "id").to_pylist()
    found = map(_Certificate, *(column.to_pylist() for column in columns))
    return Found(learnt={name: one for name, one in zip(names, found, strict=True) if name})


def _moment(time: Any) -> Any:
    return pc.strftime(time.cast(pa.timestamp("ns")).cast(pa.timestamp("s"), safe=False), "%Y-%m-%dT%H:%M:%SZ")


def _ssl(lines: Lines) -> Found:
    rows = lines.rows
    known = lines.learnt.of("x509")
    chain = rows.text("cert_chain_fps", "cert_chain_fuids")

    def of_certificate(name: str) -> Any:
        def look(words: str) -> Any:
            return getattr(known.get(words.partition(",")[0], _NO_CERTIFICATE), name)

        return mapped(chain, look, pa.utf8())

    has_certificate = mapped(chain, lambda words: words.partition(",")[0] in known, pa.bool_())
    self_signed = pc.if_else(
        pc.fill_null(has_certificate, False), of_certificate("self_signed"), pa.scalar(None, pa.utf8())
    )
    version = rows.text("version")
    datagrams = pc.fill_null(pc.starts_with(version, "DTLS"), False)
    established = pc.fill_null(rows.flag("established"), False)
    alert = rows.text("last_alert")
    status = pc.if_else(established, "ok", pc.if_else(pc.is_valid(alert), "error", "cut"))
    fields = {
        "tls.version": mapped(version, _VERSIONS.get, pa.utf8()),
        "tls.cipher": rows.text("cipher"),
        "tls.next_protocol": rows.text("next_protocol"),
        "tls.client.server_name": rows.words("server_name"),
        "tls.client.ja4": rows.text("ja4"),
        "tls.server.x509.subject": pc.coalesce(rows.words("subject"), of_certificate("subject")),
        "tls.server.x509.issuer": pc.coalesce(rows.words("issuer"), of_certificate("issuer")),
        "tls.server.x509.serial_number": of_certificate("serial"),
        "tls.server.not_before": of_certificate("not_before"),
        "tls.server.not_after": of_certificate("not_after"),
        "tls.server.x509.alternative_names": of_certificate("names"),
        "tls.server.self_signed": self_signed,
        "tls.client.x509.subject": rows.words("client_subject"),
        "tls.established": pc.if_else(established, "true", "false"),
    }
    table = activity(
        lines, pc.if_else(datagrams, "dtls", "tls"), "handshake", "session", status,
        pc.if_else(established, "", pc.fill_null(alert, "")), pc.if_else(datagrams, "udp", "tcp"), fields,
    )  # fmt: skip
    return Found(activities=(table,), flows=None)


def _http(lines: Lines) -> Found:
    rows = lines.rows
    method = pc.utf8_upper(pc.fill_null(rows.text("method"), ""))
    code = rows.whole("status_code", most=999)
    status = pc.if_else(pc.is_null(code), "no_response", pc.if_else(pc.less(code, _CLIENT_ERRORS), "ok", "error"))
    status = pc.if_else(pc.and_(pc.equal(method, ""), pc.is_valid(code)), "response_only", status)
    uri = rows.words("uri")
    user = rows.words("username")
    known = pc.is_valid(user)
    nothing = pa.scalar(None, pa.utf8())
    text = code.cast(pa.utf8())
    fields = {
        "http.request.method": method,
        "url.domain": rows.words("host"),
        "url.path": mapped(uri, _path, pa.utf8()),
        "url.parameters": mapped(uri, _parameters, pa.utf8()),
        "http.authentication": pc.if_else(known, "basic", nothing),
        "user.name": user,
        "credential.kind": pc.if_else(known, "password", nothing),
        "user_agent.original": rows.words("user_agent"),
        "http.response.status_code": text,
        "http.response.mime_type": mapped(rows.text("resp_mime_types"), lambda word: word.split(",")[0], pa.utf8()),
    }
    table = activity(
        lines, "http", mapped(method, lambda word: _METHODS.get(word, ("other", ""))[0], pa.utf8()),
        mapped(method, lambda word: _METHODS.get(word, ("", "unknown"))[1], pa.utf8()), pc.fill_null(status, "cut"),
        text, "tcp", fields,
    )  # fmt: skip
    return Found(activities=(table,))


def _path(uri: str) -> str:
    return uri.partition("?")[0].partition("#")[0]


def _parameters(uri: str) -> str | None:
    """Names of parameters; their values may be secrets."""
    names = [part.partition("=")[0] for part in uri.partition("?")[2].partition("#")[0].split("&")]
    return ", ".join(dict.fromkeys(name for name in names if name)) or None


KINDS: Final = (
    Kind("dns", (*ENDS, "proto", "query", "qtype_name", "rcode", "rcode_name", "answers"), _dns),
    Kind(
        "x509",
        (
            "ts", "id", "fingerprint", "certificate.subject", "certificate.issuer", "certificate.serial",
            "certificate.not_valid_before", "certificate.not_valid_after", "san.dns",
        ),
        _x509,
        is_referred_to=True,
        needs=(("ts",), ("fingerprint", "id")),
    ),
    Kind(
        "ssl",
        (
            *ENDS, "version", "cipher", "next_protocol", "server_name", "ja4", "subject", "issuer", "client_subject",
            "established", "last_alert", "cert_chain_fps", "cert_chain_fuids",
        ),
        _ssl,
    ),
    Kind(
        "http",
        (*ENDS, "method", "host", "uri", "status_code", "user_agent", "username", "resp_mime_types"),
        _http,
    ),
)  # fmt: skip
