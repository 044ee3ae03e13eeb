"""A topic of Kafka: idempotent producer, acknowledged by all replicas, and a report for each message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from zonewatch.sensor.measures import SECOND
from zonewatch.sensor.shipping import settings
from zonewatch.sensor.shipping.formats import render
from zonewatch.sensor.shipping.receiver import DELIVERED, Outcome, Row, Unreachable, filled, rendered

_FOR_GOOD: Final = frozenset((KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_RECORD))
"""What a message is refused with for what it is."""


class Kafka:
    """The topic. The key is the subject, so that its alerts lie in one partition in their order."""

    def __init__(self, wanted: settings.Kafka) -> None:
        self._wanted = wanted
        self._render = render(wanted.form)
        self._said = ""
        self._producer = Producer({**configuration(wanted), "error_cb": self._hear})

    def _hear(self, error: KafkaError) -> None:
        self._said = error.str()

    def deliver(self, rows: Sequence[Row]) -> Sequence[Outcome]:
        """Hands over every row and waits for the reports."""
        outcomes, made = rendered(rows, self._render)
        reports: dict[int, KafkaError | None] = {}
        try:
            for place, octets in made:
                self._producer.produce(
                    self._wanted.topic,
                    octets,
                    key=rows[place].subject.encode(),
                    headers={"event.id": rows[place].event_id.encode()},
                    on_delivery=_report(reports, place),
                )
        except KafkaException as error:
            reports[place] = error.args[0]
        except BufferError:
            pass  # those that found no room have no report, and are sent again
        missing = self._producer.flush(self._wanted.timeout / SECOND + 1)
        for place, report in reports.items():
            if report is None:
                outcomes[place] = DELIVERED
            elif report.code() in _FOR_GOOD:
                outcomes[place] = Outcome("refused", report.str())
        known = [outcome for outcome in outcomes if outcome is not None]
        errors = [report.str() for report in reports.values() if report is not None]
        if not known or (missing and not any(outcome.kind == "delivered" for outcome in known)):
            raise Unreachable(self._said or next(iter(errors), "no answer in time"))
        return filled(outcomes, Outcome("later", next(iter(errors), self._said or "no answer in time")))

    def close(self) -> None:
        """Forgets what was not reported: it will be sent again by whoever comes next."""
        self._producer.purge()
        self._producer.flush(1)


def _report(reports: dict[int, KafkaError | None], place: int) -> Callable[[KafkaError | None, Any], None]:
    def report(error: KafkaError | None, _: Any) -> None:
        reports[place] = error

    return report


def configuration(wanted: settings.Kafka) -> dict[str, Any]:
    """The producer's settings."""
    millis = max(wanted.timeout // (SECOND // 1000), 1000)
    security = {"tls": "ssl", "plaintext": "plaintext"}[wanted.security]
    found: dict[str, Any] = {
        "bootstrap.servers": ",".join(wanted.brokers),
        "client.id": "zonewatch",
        "enable.idempotence": True,
        "acks": "all",
        "delivery.timeout.ms": millis,
        "request.timeout.ms": min(millis, 30_000),
        "socket.timeout.ms": min(millis, 60_000),
        "linger.ms": 5,
        "compression.type": "zstd",
        "security.protocol": security if wanted.user is None else f"sasl_{security}",
        "log_level": 0,
    }
    if wanted.user is not None and wanted.password is not None:
        found |= {
            "sasl.mechanism": wanted.mechanism,
            "sasl.username": wanted.user,
            "sasl.password": wanted.password.read(),
        }
    if wanted.security == "tls":
        tls = wanted.tls
        tls.context()  # says what is wrong with its files
        found |= {
            "enable.ssl.certificate.verification": tls.verify,
            "ssl.endpoint.identification.algorithm": "https" if tls.verify else "none",
        }
        paths = {"ssl.ca.location": tls.ca, "ssl.certificate.location": tls.certificate, "ssl.key.location": tls.key}
        found |= {name: str(path) for name, path in paths.items() if path is not None}
        if tls.key_password is not None:
            found["ssl.key.password"] = tls.key_password.read()
    return found


def connect(wanted: settings.Kafka) -> Kafka:
    """The receiver."""
    return Kafka(wanted)
