"""Syslog: RFC 5424 over TLS (RFC 5425), TCP (RFC 6587) or UDP (RFC 5426).

Syslog has no answers. So a batch is a connection: the sensor writes, says that it has ended, and waits until the server
ends too, having read everything. Where the server broke, or rejects the sensor's certificate (which under TLS 1.3, and
with rsyslog always, is told only after the handshake), it ends otherwise, and the batch is sent again.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from typing import Final

from zonewatch.sensor.measures import SECOND
from zonewatch.sensor.shipping import settings
from zonewatch.sensor.shipping.formats import render
from zonewatch.sensor.shipping.formats.rfc5424 import counted, message
from zonewatch.sensor.shipping.receiver import Outcome, Row, Unreachable, filled, rendered
from zonewatch.sensor.shipping.secured import Secured, acknowledged

HEADER: Final = 400
"""Octets of a message that are not its body, at most."""
_DATAGRAM: Final = 65_507


class Syslog:
    """A syslog server."""

    def __init__(self, wanted: settings.Syslog) -> None:
        self._wanted = wanted
        self._host = wanted.name or socket.gethostname()
        longest = min(wanted.longest, _DATAGRAM) if wanted.transport == "udp" else wanted.longest
        self._body = render(wanted.form, max(longest - HEADER, 1))

    def deliver(self, rows: Sequence[Row]) -> Sequence[Outcome]:
        """One connection for the batch; of UDP, a datagram for each."""
        outcomes, made = rendered(rows, self._message)
        if made:
            try:
                self._send([octets for _, octets in made])
            except ssl.SSLCertVerificationError as error:
                told = getattr(error, "verify_message", None) or error.args[-1]
                raise Unreachable(f"certificate of the server: {told}") from None
            except OSError as error:
                raise Unreachable(f"{type(error).__name__}: {error}") from None
        return filled(outcomes)

    def close(self) -> None:
        """No connection outlives its batch."""

    def _message(self, row: Row) -> bytes:
        return message(row.alert(), self._body(row), self._wanted.facility, self._host)

    def _send(self, messages: Sequence[bytes]) -> None:
        wanted = self._wanted
        seconds = wanted.timeout / SECOND
        if wanted.transport == "udp":
            with _datagrams(wanted.host, wanted.port) as opened:
                for octets in messages:
                    opened.send(octets)
            return
        with socket.create_connection((wanted.host, wanted.port), seconds) as opened:
            if wanted.transport == "tcp":
                for octets in messages:
                    opened.sendall(counted(octets))
                self._end(opened)
                return
            secured = Secured(opened, wanted.tls.context(), wanted.tls.name or wanted.host)
            wanted.tls.check_pin(secured.certificate())
            for octets in messages:
                secured.send(counted(octets))
            if wanted.confirm == "none":
                secured.refuse_word()
            else:
                secured.end(strict=wanted.confirm == "close_notify")

    def _end(self, opened: socket.socket) -> None:
        if self._wanted.confirm != "none":
            opened.shutdown(socket.SHUT_WR)
            while opened.recv(4096):
                pass
            acknowledged(opened)


def _datagrams(host: str, port: int) -> socket.socket:
    kind, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    opened = socket.socket(kind, socket.SOCK_DGRAM)
    opened.connect(address)
    return opened


def connect(wanted: settings.Syslog) -> Syslog:
    """The receiver."""
    return Syslog(wanted)
