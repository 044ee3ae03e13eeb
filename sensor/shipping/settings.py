"""What a site says of its receivers: the part `receivers:` of the settings."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from zonewatch.sensor.measures import Duration, Size, parse_duration, parse_size
from zonewatch.sensor.shipping.formats import Form, JsonForm
from zonewatch.sensor.shipping.secret import Secret
from zonewatch.sensor.shipping.tls import Tls

Facility = Literal[
    "user",
    "daemon",
    "auth",
    "security",
    "local0",
    "local1",
    "local2",
    "local3",
    "local4",
    "local5",
    "local6",
    "local7",
]


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _plain(value: object) -> object:
    """An address without user or password: those are secrets, and addresses are shown."""
    if isinstance(value, str):
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{parts.scheme}://{parts.hostname}: http:// or https:// and a host")
        if parts.username is not None or parts.password is not None:
            raise ValueError(f"{parts.hostname}: no user or password in an address")
        _ = parts.port  # ValueError where it is none
    return value


Url = Annotated[str, BeforeValidator(_plain)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class _Receiver(_Model):
    rows: int = Field(500, ge=1, le=10_000)
    """Most alerts of one batch."""
    octets: Size = parse_size("4 MiB")
    """Most octets of one batch, as they lie in the outbox."""
    held: int = Field(1000, ge=1, le=100_000)
    """So many alerts may wait each by itself before no further ones are taken from the outbox."""
    refused: int = Field(10_000, ge=1, le=1_000_000)
    """So many alerts that it refused are kept for `--retry`; beyond that the oldest go, which is counted and told."""
    first_wait: Duration = parse_duration("1 s")
    """Wait after the first attempt in vain; then twice as long each time, less a random part."""
    longest_wait: Duration = parse_duration("5 min")
    """Bound of the wait."""
    timeout: Duration = parse_duration("30 s")
    """How long a connection or an answer may take."""
    begin: Literal["oldest", "now"] = "oldest"
    """A receiver that is new: from the oldest alert of the outbox on, or from now on."""


class _Http(_Receiver):
    tls: Tls = Tls()
    """How both sides prove who they are."""
    allow_plaintext: bool = False
    """Allow http:// to other machines: everybody on the way can read, and change, what is sent."""

    def _guard(self, *urls: str) -> None:
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not self.allow_plaintext:
                raise ValueError(f"{url}: http:// to another machine; use https://, or say allow_plaintext: true")


class _Search(_Http):
    hosts: tuple[Url, ...] = Field(min_length=1)
    """Addresses of its nodes; one that does not answer is left for another."""
    user: str | None = None
    """User, where it asks for one."""
    password: Secret | None = None
    """The user's password."""
    stream: str = Field("logs-zonewatch.alerts-default", pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")
    """The data stream."""
    install: bool = True
    """Install the templates where they are missing or older. False: somebody with more rights did."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        self._guard(*self.hosts)
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together")
        return self


class Elasticsearch(_Search):
    """Elasticsearch 8 or 9."""

    to: Literal["elasticsearch"]
    """What it is."""
    api_key: Secret | None = None
    """API key, as Kibana shows it (base64 of id and key)."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.api_key is not None and self.user is not None:
            raise ValueError("either api_key or user")
        return self


class OpenSearch(_Search):
    """OpenSearch 2 or 3."""

    to: Literal["opensearch"]
    """What it is."""


class Syslog(_Receiver):
    """A syslog server."""

    to: Literal["syslog"]
    """What it is."""
    host: str
    """Name or address of the server."""
    port: int = Field(6514, ge=1, le=65_535)
    """Its port."""
    transport: Literal["tls", "tcp", "udp"] = "tls"
    """TLS (RFC 5425), or plain TCP or UDP, which are for this machine alone unless `allow_plaintext` is set."""
    form: Form = "cef"
    """Form of the body: cef, leef, ecs (JSON) or ocsf (JSON)."""
    facility: Facility = "local4"
    """Syslog's facility."""
    name: str = Field("", max_length=255)
    """Name of the sensor in each message; the machine's by default."""
    longest: Size = parse_size("8 KiB")
    """Longest message that the server takes. A longer alert is sent without its long parts and tagged `shortened`."""
    confirm: Literal["close_notify", "close", "none"] = "close"
    """`close`: a batch counts as delivered when the server closes the connection after us, having read all of it.
    `close_notify`: when it does so by TLS, which nobody on the way can forge; rsyslog's gtls driver does not.
    `none`: when it is written, for servers that do not close; what was on the way when one broke is lost."""
    tls: Tls = Tls()
    """How both sides prove who they are."""
    allow_plaintext: bool = False
    """Allow plain TCP or UDP to other machines."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.transport != "tls" and not is_loopback(self.host) and not self.allow_plaintext:
            raise ValueError(f"{self.host}: {self.transport} to another machine; use tls, or say allow_plaintext: true")
        return self


class Kafka(_Receiver):
    """A topic of Kafka."""

    to: Literal["kafka"]
    """What it is."""
    brokers: tuple[str, ...] = Field(min_length=1)
    """host:port of brokers to begin with."""
    topic: str = Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")
    """The topic. The key is the alert's subject, so that its alerts stay in order."""
    form: JsonForm = "ecs"
    """Form of the value."""
    security: Literal["tls", "plaintext"] = "tls"
    """TLS, or plaintext, which is for this machine alone unless `allow_plaintext` is set."""
    tls: Tls = Tls()
    """How both sides prove who they are. A fingerprint is not possible here."""
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How the user proves who it is."""
    user: str | None = None
    """User, where the brokers ask for one."""
    password: Secret | None = None
    """The user's password."""
    allow_plaintext: bool = False
    """Allow plaintext to other machines."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for broker in self.brokers:
            found = re.fullmatch(r"\[?([^\[\]]+?)\]?:(\d{1,5})", broker)
            if found is None:
                raise ValueError(f"{broker}: host:port")
            if self.security == "plaintext" and not is_loopback(found[1]) and not self.allow_plaintext:
                raise ValueError(f"{broker}: plaintext to another machine; use tls, or say allow_plaintext: true")
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together")
        if self.tls.fingerprint is not None:
            raise ValueError("tls.fingerprint is not possible with Kafka; name the authority with tls.ca")
        return self


class Webhook(_Http):
    """An address that takes signed requests."""

    to: Literal["webhook"]
    """What it is."""
    url: Url
    """Where to. Redirects are refused."""
    secret: Secret
    """What both sides know; the signature is made with it. `whsec_` and base64, or any text of 24 octets or more."""
    form: JsonForm = "ecs"
    """Form of each alert."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        self._guard(self.url)
        return self


class File(_Receiver):
    """A file with a line of JSON for each alert."""

    to: Literal["file"]
    """What it is."""
    path: Path
    """The file. Full ones become PATH.1, PATH.2 …"""
    form: JsonForm = "ecs"
    """Form of each line."""
    size: Size = parse_size("64 MiB")
    """A file of this size is full."""
    keep: int = Field(10, ge=1, le=10_000)
    """So many full files are kept."""


Receiver = Annotated[
    Elasticsearch | OpenSearch | Syslog | Kafka | Webhook | File,
    Field(discriminator="to"),
]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


class ShippingSettings(_Model):
    """Where alerts are delivered to."""

    folder: Path
    """The store's folder: `store.db` is read there, `delivery.db` written."""
    receivers: dict[Name, Receiver] = {}
    """The receivers by a name of their own: what is delivered is kept under it."""
