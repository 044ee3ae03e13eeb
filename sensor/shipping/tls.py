"""TLS as a receiver's settings say it: verified by default, 1.2 at least, a pin where one is given."""

from __future__ import annotations

import hashlib
import hmac
import re
import ssl
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from zonewatch.sensor.shipping.secret import Secret, SecretError, refuse_public

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def _digest(value: object) -> object:
    if isinstance(value, str):
        value = value.replace(":", "").lower()
        if not re.fullmatch(r"[0-9a-f]{64}", value):
            raise ValueError("a SHA-256 digest: 64 hexadecimal digits, with or without colons")
    return value


class Tls(BaseModel):
    """How the receiver proves who it is, and how the sensor does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ca: Path | None = None
    """File of certificates (PEM) that the receiver's must come from; the system's by default."""
    fingerprint: Annotated[str | None, BeforeValidator(_digest)] = None
    """SHA-256 of the receiver's certificate (DER). Without `ca` it alone decides."""
    certificate: Path | None = None
    """The sensor's own certificate and its chain (PEM)."""
    key: Path | None = None
    """The key of it (PEM). Refused when all may read it."""
    key_password: Secret | None = None
    """What the key is encrypted with."""
    name: str | None = None
    """Name that the receiver's certificate must bear; the host's by default."""
    minimum: Literal["1.2", "1.3"] = "1.2"
    """Lowest version of TLS."""
    verify: bool = True
    """False takes any certificate: anybody on the way can read and answer."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        return self

    def context(self) -> ssl.SSLContext:
        """What `ssl` needs of it. Files are read here, so that renewed ones count at the next connection."""
        made = ssl.create_default_context(cafile=str(self.ca) if self.ca is not None else None)
        made.minimum_version = _VERSIONS[self.minimum]
        if not self.verify or (self.fingerprint is not None and self.ca is None):
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        if self.certificate is not None and self.key is not None:
            try:
                refuse_public(self.key, self.key.stat().st_mode)
                password = self.key_password.read() if self.key_password is not None else ""
                made.load_cert_chain(self.certificate, self.key, password)
            except OSError as error:  # ssl.SSLError is one
                raise SecretError(f"{self.key}: {error.strerror or 'not a key that opens'}") from None
        return made

    def check_pin(self, certificate: bytes | None) -> None:
        """An error where a pin is given and the certificate (DER) is another."""
        if self.fingerprint is not None:
            found = hashlib.sha256(certificate or b"").hexdigest()
            if not hmac.compare_digest(found, self.fingerprint):
                raise ssl.SSLCertVerificationError(f"the certificate's SHA-256 is {found}, not the pinned one")
