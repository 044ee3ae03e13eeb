"""rsyslog with its gtls driver: mutual TLS, and each message as a line of a file, written before more is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.parts import Server, free_port, listens, program, running

CONFIG = """\
global(workDirectory="{folder}" maxMessageSize="64k" DefaultNetstreamDriver="gtls"
       DefaultNetstreamDriverCAFile="{ca}" DefaultNetstreamDriverCertFile="{certificate}"
       DefaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/name"
       PermittedPeer="{peer}" gnutlsPriorityString="{priority}")
template(name="raw" type="string" string="%rawmsg%\\n")
main_queue(queue.type="Direct")
ruleset(name="keep") {{ action(type="omfile" file="{got}" template="raw") }}
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="keep")
"""
TLS_1_3 = "NORMAL:-VERS-ALL:+VERS-TLS1.3"
TLS_1_2 = "NORMAL:-VERS-ALL:+VERS-TLS1.2"
MODULE = Path("/usr/lib") / f"{os.uname().machine}-linux-gnu" / "rsyslog/lmnsd_gtls.so"


@dataclass
class Rsyslog:
    """A server that runs."""

    server: Server
    port: int
    file: Path

    def got(self) -> list[bytes]:
        return self.file.read_bytes().splitlines() if self.file.exists() else []


@contextmanager
def rsyslog(
    folder: Path, ca: Path, certificate: Path, key: Path, peer: str, priority: str = TLS_1_3
) -> Iterator[Rsyslog]:
    """Runs while the context lasts; lets in who has a certificate of `ca` with the name `peer`."""
    binary = program("rsyslogd", "rsyslog rsyslog-gnutls")
    if not MODULE.exists():
        pytest.skip("no gtls driver: apt-get install rsyslog-gnutls")
    port, got, config = free_port(), folder / "got", folder / "rsyslog.conf"
    config.write_text(
        CONFIG.format(
            folder=folder, ca=ca, certificate=certificate, key=key, peer=peer, priority=priority, port=port, got=got
        )
    )
    command = [str(binary), "-n", "-f", str(config), "-i", str(folder / "pid")]
    server = Server(command, {"PATH": os.environ["PATH"]}, folder / "rsyslog.log", lambda: listens(port))
    with running(server):
        yield Rsyslog(server, port, got)
