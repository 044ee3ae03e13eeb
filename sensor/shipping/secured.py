"""Connections that are written to, and ended so that it is known whether the other side read everything.

Who closes a TCP connection after having read everything sends FIN; with data unread, or still to come, it sends RST
(RFC 2525, 2.17). So FIN, and our last octet acknowledged, says that all was read.

`ssl.SSLSocket.unwrap` will not do: where the server answers with an alert instead of its own close_notify (under
TLS 1.3 that is how it says that it rejects our certificate), OpenSSL's SSL_shutdown takes it for an end and succeeds.
So records are handed over by hand, and the end is read like data: there an alert is an error.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import ssl
import struct
import termios
import time
from collections.abc import Callable
from typing import Final

_STEP: Final = 65_536


def acknowledged(opened: socket.socket) -> None:
    """Returns when the other side has all that was written, having ended the connection; an error where it broke."""
    end = time.monotonic() + (opened.gettimeout() or 0)
    while True:
        error = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise ConnectionResetError(error, os.strerror(error))
        (unsent,) = struct.unpack("i", fcntl.ioctl(opened.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))
        if not unsent:
            return
        if time.monotonic() > end:
            raise TimeoutError("what was written is not acknowledged")
        time.sleep(0.001)


class Secured:
    """TLS over a connected socket. Errors are OSError; ssl.SSLError is one."""

    def __init__(self, opened: socket.socket, context: ssl.SSLContext, name: str) -> None:
        self._socket = opened
        self._ended = False
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._until_done(self._tls.do_handshake)

    def certificate(self) -> bytes | None:
        """The server's certificate (DER)."""
        return self._tls.getpeercert(binary_form=True)

    def send(self, octets: bytes) -> None:
        """Writes all of it. What the server said before is read first: it says nothing but that it ends."""
        self.refuse_word()
        self._until_done(lambda: self._tls.write(octets))

    def refuse_word(self) -> None:
        """An error where the server has ended the connection, sent an alert, or sent data."""
        while not self._ended and select.select([self._socket], [], [], 0)[0]:
            self._fill()
        try:
            found = self._tls.read(1)
        except ssl.SSLWantReadError:  # nothing, or what belongs to TLS itself, such as tickets
            self._flush()
            return
        raise ConnectionResetError("the server sent data" if found else "the server ended the connection")

    def end(self, strict: bool) -> None:
        """Sends close_notify and waits until the server ends too; `strict`: by a close_notify of its own."""
        self.refuse_word()
        try:
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            self._flush()
        while True:
            try:
                if not self._tls.read(_STEP):
                    return
            except ssl.SSLZeroReturnError:
                return
            except ssl.SSLEOFError:
                if strict:
                    raise
                acknowledged(self._socket)
                return
            except ssl.SSLWantReadError:
                self._fill()

    def _until_done(self, step: Callable[[], object]) -> None:
        while True:
            try:
                step()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            except ssl.SSLError:
                self._flush()  # our alert, which says why
                raise
            else:
                self._flush()
                return

    def _flush(self) -> None:
        octets = self._outgoing.read()
        if octets:
            self._socket.sendall(octets)

    def _fill(self) -> None:
        octets = self._socket.recv(_STEP)
        if octets:
            self._incoming.write(octets)
        else:
            self._ended = True
            self._incoming.write_eof()
