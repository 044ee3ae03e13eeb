"""A signed request, by the Standard Webhooks specification: HMAC-SHA256 over id, time stamp and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from typing import Final

from zonewatch.sensor.measures import SECOND
from zonewatch.sensor.shipping import settings
from zonewatch.sensor.shipping.formats import render
from zonewatch.sensor.shipping.receiver import Outcome, Row, TooMuch, Unreachable, filled, rendered
from zonewatch.sensor.shipping.receivers.http import Http
from zonewatch.sensor.shipping.secret import SecretError

_LEAST: Final = 24
_ANSWER: Final = 4096
_CONTENT: Final = frozenset((400, 409, 413, 415, 422))
"""What is refused for what it is; other statuses are about the address, the rights or the server's state."""


def key_of(secret: str) -> bytes:
    """The key: of `whsec_…` what the base64 says, else the text itself."""
    encoded = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(encoded, validate=True) if encoded != secret else secret.encode()
    except (binascii.Error, ValueError):
        raise SecretError("the secret of the webhook: whsec_ is followed by something that is not base64") from None
    if len(key) < _LEAST:
        raise SecretError(f"the secret of the webhook: shorter than {_LEAST} octets")
    return key


def signature(key: bytes, message_id: str, moment: int, body: bytes) -> str:
    """`v1,` and the base64 of the HMAC."""
    signed = f"{message_id}.{moment}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


class Webhook:
    """An address that takes signed requests."""

    def __init__(self, wanted: settings.Webhook, now: Callable[[], float] = time.time) -> None:
        self._wanted = wanted
        self._now = now
        self._key = key_of(wanted.secret.read())
        self._render = render(wanted.form)
        self._http = Http(wanted.tls, wanted.timeout, secured=wanted.url.startswith("https:"))

    def deliver(self, rows: Sequence[Row]) -> Sequence[Outcome]:
        """One request for the batch. Where its content is refused, fewer are tried, down to the one that is meant."""
        outcomes, made = rendered(rows, self._render)
        if not made:
            return filled(outcomes)
        body = b'{"alerts":[' + b",".join(octets for _, octets in made) + b"]}"
        named = "\n".join(rows[place].event_id for place, _ in made)
        message_id = "msg_" + hashlib.sha256(named.encode()).hexdigest()[:32]
        moment = int(self._now())
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(moment),
            "webhook-signature": signature(self._key, message_id, moment, body),
        }
        status, answered, said = self._http.ask("POST", self._wanted.url, headers, body, _ANSWER)
        if 200 <= status < 300:
            return filled(outcomes)
        told = f"{status} {said[:300].decode('utf-8', 'replace')}".strip()
        if status in _CONTENT:
            if len(made) > 1:
                raise TooMuch(told)
            return filled(outcomes, Outcome("refused", told))
        if 300 <= status < 400:
            told = f"{status}: a redirect, which is not followed"
        raise Unreachable(told, _wait(answered.get("retry-after")))

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()


def _wait(asked: str | None) -> int:
    return int(asked) * SECOND if asked is not None and asked.isascii() and asked.isdigit() and len(asked) < 7 else 0


def connect(wanted: settings.Webhook) -> Webhook:
    """The receiver."""
    return Webhook(wanted)
