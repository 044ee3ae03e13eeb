"""Sessions and files: FTP, TFTP, Telnet, the remote logins of BSD, mail, VNC."""

from __future__ import annotations

import base64
import struct

from builders.services.hosts import CAMERA, ENGINEERING, SECRET, SERVER, SWITCH
from builders.tcp import Side, TcpSession
from builders.wire import MILLISECOND, Capture, Station, seconds

FTP, TELNET, SMTP, TFTP, POP3, IMAP, RLOGIN, RSH, VNC = 21, 23, 25, 69, 110, 143, 513, 514, 5900
C, S = Side.CLIENT, Side.SERVER
Script = tuple[tuple[Side, bytes], ...]


def talk(capture: Capture, port: int, server: Station, server_port: int, script: Script, *, start: int = 0) -> None:
    """A connection in which each says what the script has, a tenth of a second after the other."""
    session = TcpSession(capture, ENGINEERING, port, server, server_port)
    at = session.open(start)
    for side, payload in script:
        at = session.send(at + 100 * MILLISECOND, side, payload)
    session.close(at + seconds(1))


def ftp(capture: Capture) -> None:
    """A login refused, a login with a maker's password, files written, renamed, deleted."""
    script: Script = (
        (S, b"220 BMX NOE 0100 FTP server (VxWorks 6.4) ready.\r\n"),
        (C, b"USER eva\r\n"),
        (S, b"331 Password required\r\n"),
        (C, b"PASS " + SECRET + b"\r\n"),
        (S, b"530 Login failed.\r\n"),
        (C, b"USER sysdiag\r\n"),
        (S, b"331 Password required\r\n"),
        (C, b"PASS factorycast\r\n"),
        (S, b"230 User logged in\r\n"),
        (C, b"STOR /fw/plc.bin\r\n"),
        (S, b"150 Opening BINARY mode data connection\r\n"),
        (S, b"226 Transfer complete\r\n"),
        (C, b"RNFR old.ini\r\n"),
        (S, b"350 Ready\r\n"),
        (C, b"RNTO new.ini\r\n"),
        (S, b"250 Renamed\r\n"),
        (C, b"DELE log.txt\r\n"),
        (S, b"550 Permission denied\r\n"),
        (C, b"SITE PSWD " + SECRET + b"\r\n"),
        (S, b"200 Done\r\n"),
    )
    talk(capture, 50_200, SERVER, FTP, script)


def tftp(capture: Capture) -> None:
    """A switch's configuration is fetched, a firmware is written."""
    capture.udp(0, ENGINEERING, 50_210, SWITCH, TFTP, b"\x00\x01startup-config\x00octet\x00")
    capture.udp(MILLISECOND, SWITCH, 50_211, ENGINEERING, 50_210, b"\x00\x05\x00\x02Access violation\x00")
    capture.udp(seconds(1), ENGINEERING, 50_212, SWITCH, TFTP, b"\x00\x02firmware.bin\x00octet\x00tsize\x009\x00")


def telnet(capture: Capture) -> None:
    """A login that fails, and one with the user's own name."""
    script: Script = (
        (S, b"\xff\xfd\x18\xff\xfb\x01"),
        (C, b"\xff\xfb\x18\xff\xfd\x01\xff\xfa\x18\x00vt100\xff\xf0"),
        (S, b"\r\nMoxa NPort\r\nswitch-1 login: "),
        (C, b"eva\r\n"),
        (S, b"eva\r\nPassword: "),
        (C, SECRET + b"\r\n"),
        (S, b"\r\nLogin incorrect\r\nswitch-1 login: "),
        (C, b"admin\r\n"),
        (S, b"admin\r\nPassword: "),
        (C, b"admin\r\n"),
        (S, b"\r\nWelcome\r\nswitch-1> "),
        (C, b"enable " + SECRET + b"\r\n"),
    )
    talk(capture, 50_220, SWITCH, TELNET, script)


def bsd(capture: Capture) -> None:
    """A remote login and a remote command, trusted by name."""
    talk(capture, 1022, SERVER, RLOGIN, ((C, b"\x00"), (C, b"eva\x00root\x00xterm/38400\x00"), (S, b"\x00")))
    command = b"1020\x00eva\x00root\x00backup " + SECRET + b"\x00"
    talk(capture, 1023, SERVER, RSH, ((C, command), (S, b"\x00")), start=seconds(5))


def smtp(capture: Capture) -> None:
    """A historian hands in a mail."""
    login = base64.b64encode(b"\x00alarm\x00" + SECRET)
    script: Script = (
        (S, b"220 mail.plant.example ESMTP Postfix (Ubuntu)\r\n"),
        (C, b"EHLO historian\r\n"),
        (S, b"250-mail.plant.example\r\n250 AUTH PLAIN\r\n"),
        (C, b"AUTH PLAIN " + login + b"\r\n"),
        (S, b"235 Authenticated\r\n"),
        (C, b"MAIL FROM:<alarm@plant.example>\r\nRCPT TO:<duty@plant.example>\r\nDATA\r\n"),
        (S, b"250 OK\r\n250 OK\r\n354 Go on\r\n"),
        (C, b"Subject: " + SECRET + b"\r\n\r\n" + SECRET + b"\r\n.\r\n"),
        (S, b"250 Queued\r\n"),
        (C, b"QUIT\r\n"),
        (S, b"221 Bye\r\n"),
    )
    talk(capture, 50_230, SERVER, SMTP, script)


def pop3(capture: Capture) -> None:
    """Mail is fetched."""
    script: Script = (
        (S, b"+OK Dovecot ready.\r\n"),
        (C, b"USER eva\r\n"),
        (S, b"+OK\r\n"),
        (C, b"PASS " + SECRET + b"\r\n"),
        (S, b"+OK Logged in.\r\n"),
        (C, b"RETR 1\r\n"),
        (S, b"+OK\r\n" + SECRET + b"\r\n.\r\n"),
    )
    talk(capture, 50_240, SERVER, POP3, script)


def imap(capture: Capture) -> None:
    """Mail is read."""
    script: Script = (
        (S, b"* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n"),
        (C, b'1 ID ("name" "Mailer" "version" "3")\r\n'),
        (S, b"* ID NIL\r\n1 OK\r\n"),
        (C, b'2 LOGIN eva "' + SECRET + b'"\r\n'),
        (S, b"2 NO Authentication failed\r\n"),
    )
    talk(capture, 50_250, SERVER, IMAP, script)


def vnc(capture: Capture) -> None:
    """A panel's screen without a password, and one with a wrong one."""
    name = b"HMI line 3"
    pixels = b"\x20\x18\x00\x01\x00\xff\x00\xff\x00\xff\x10\x08\x00\x00\x00\x00"
    versions: Script = ((S, b"RFB 003.008\n"), (C, b"RFB 003.008\n"))
    opened: Script = (
        *versions,
        (S, b"\x01\x01"),
        (C, b"\x01"),
        (S, bytes(4)),
        (C, b"\x01"),
        (S, struct.pack(">HH", 800, 600) + pixels + struct.pack(">I", len(name)) + name),
        (S, b"\x00\x00\x00\x01" + SECRET),
    )
    talk(capture, 50_260, CAMERA, VNC, opened)
    response = (SECRET + b"........")[:16]
    reason = b"Authentication failed"
    refused: Script = (
        *versions,
        (S, b"\x02\x02\x10"),
        (C, b"\x02"),
        (S, bytes(range(16))),
        (C, response),
        (S, b"\x00\x00\x00\x01" + struct.pack(">I", len(reason)) + reason),
    )
    talk(capture, 50_261, SERVER, VNC, refused, start=seconds(5))


CAPTURES = (
    ("ftp", ftp, "FTP: logins with and without success, files written, renamed and deleted"),
    ("tftp", tftp, "TFTP: a file asked for and refused, a file written"),
    ("telnet", telnet, "Telnet: a login that fails and one that succeeds"),
    ("rlogin-rsh", bsd, "Remote login and remote shell of BSD"),
    ("smtp", smtp, "SMTP: a login and a mail"),
    ("pop3", pop3, "POP3: a login"),
    ("imap", imap, "IMAP: a program names itself, a login fails"),
    ("vnc", vnc, "VNC: a screen without a password, a login that fails"),
)
