"""Checks of what is let pass for a while, of remote access, and of the record that the standard asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zonewatch.rules.policy.document import Place
from zonewatch.rules.policy.lint.flows import covers
from zonewatch.rules.policy.lint.kinds import Check, Subject, Told
from zonewatch.rules.policy.model import PolicyException, Traffic
from zonewatch.rules.policy.records import Requirement
from zonewatch.rules.policy.words import ANY, REMOTE_SERVICES, canonical_service
from zonewatch.rules.policy.zones import aliases

SETTLED: Final = frozenset(("in_place", "compensated", "not_applicable"))


def _exceptions(subject: Subject) -> Iterator[tuple[Place, PolicyException]]:
    for path, conduit in subject.conduits():
        yield from (((*path, "exceptions", j), item) for j, item in enumerate(conduit.exceptions))


def incomplete_exception(subject: Subject) -> Iterator[Told]:
    """An exception without approver, ticket or end."""
    for path, item in _exceptions(subject):
        missing = [key for key in ("approved_by", "ticket", "to") if not getattr(item, key)]
        if missing:
            yield Told(path, f"exception {item.id!r} has no {', '.join(missing)}")


def ended_exception(subject: Subject) -> Iterator[Told]:
    """An exception that is over."""
    for path, item in _exceptions(subject):
        if item.to is not None and item.to.date() < subject.today:
            yield Told((*path, "to"), f"exception {item.id!r} ended at {item.to:%Y-%m-%d %H:%M} UTC: remove it")


def wide_exception(subject: Subject) -> Iterator[Told]:
    """An exception for anybody, or for anything."""
    for path, item in _exceptions(subject):
        match = item.match
        if not match.all_clients:
            yield Told((*path, "match"), f"exception {item.id!r} names no client")
        elif match.protocol == ANY and not match.operations:
            yield Told((*path, "match"), f"exception {item.id!r} names neither protocol nor operations")


def window_record(subject: Subject) -> Iterator[Told]:
    """A maintenance window without a ticket."""
    for i, window in enumerate(subject.policy.maintenance_windows):
        if not window.ticket:
            yield Told(("maintenance_windows", i), f"maintenance window {window.id!r} has no ticket")


def window_over(subject: Subject) -> Iterator[Told]:
    """A maintenance window of the past."""
    for i, window in enumerate(subject.policy.maintenance_windows):
        if window.to.date() < subject.today:
            message = f"maintenance window {window.id!r} ended at {window.to:%Y-%m-%d %H:%M} UTC"
            yield Told(("maintenance_windows", i, "to"), message)


def access_unsafe(subject: Subject) -> Iterator[Told]:
    """Remote access without a second factor, a longest session, or an approval."""
    for i, access in enumerate(subject.policy.remote_access):
        missing = [
            told
            for told, there in (
                ("multi-factor authentication", access.mfa),
                ("a longest session (max_minutes)", access.max_minutes),
                ("an approval", access.approval),
            )
            if not there
        ]
        if missing:
            yield Told(("remote_access", i), f"remote access {access.id!r} has no {', '.join(missing)}")


def access_direct(subject: Subject) -> Iterator[Told]:
    """Remote access without a jump host."""
    for i, access in enumerate(subject.policy.remote_access):
        if access.jump_host is None:
            yield Told(("remote_access", i), f"remote access {access.id!r} names no jump host")


def access_without_flow(subject: Subject) -> Iterator[Told]:
    """Declared remote access that no flow allows."""
    names = aliases(subject.policy)
    for i, access in enumerate(subject.policy.remote_access):
        flows = [
            flow
            for _, conduit, flow in subject.flows()
            if (conduit.from_, conduit.to) == (access.entry_zone, access.target_zone)
        ]
        clients = (access.jump_host,) if access.jump_host else ()
        for j, protocol in enumerate(access.protocols):
            asked = Traffic(protocol=protocol, clients=clients)
            if not any(covers(_of_anything(flow), asked, names) for flow in flows):
                message = (
                    f"no flow lets {access.jump_host or access.entry_zone} use {protocol} in {access.target_zone!r}"
                )
                yield Told(("remote_access", i, "protocols", j), f"{message} (remote access {access.id!r})")


def _of_anything(flow: Traffic) -> Traffic:
    """The flow but for what it narrows at the server."""
    return Traffic(protocol=flow.protocol, clients=flow.clients)


def flow_past_access(subject: Subject) -> Iterator[Told]:
    """A flow of a remote service from an entry zone that its declared remote access forbids to others."""
    for path, conduit, flow in subject.flows():
        service = canonical_service(flow.protocol)
        if service not in REMOTE_SERVICES:
            continue
        declared = [
            access
            for access in subject.policy.remote_access
            if (access.entry_zone, access.target_zone) == (conduit.from_, conduit.to)
        ]
        hosts = {access.jump_host for access in declared}
        if declared and None not in hosts and not set(flow.clients) <= hosts:
            message = f"flow {flow.id!r} lets others than {', '.join(sorted(map(str, hosts)))} open {flow.protocol}"
            yield Told(path, f"{message}: it is a violation by remote access {declared[0].id!r}")


def unsigned(subject: Subject) -> Iterator[Told]:
    """A system whose owner did not approve the policy, or no longer."""
    system = subject.policy.suc
    approval = system.approval
    if approval is None or not approval.approved_by:
        yield Told(("suc",), f"nobody approved the policy of {system.id!r}")
    elif approval.valid_until is not None and approval.valid_until < subject.today:
        message = f"the approval of {system.id!r} ended on {approval.valid_until.isoformat()}"
        yield Told(("suc", "approval", "valid_until"), message)


def without_accountable(subject: Subject) -> Iterator[Told]:
    """A system that nobody answers for."""
    if not str(subject.policy.suc.owner or ""):
        yield Told(("suc",), f"system {subject.policy.suc.id!r} has no owner")


def overdue(subject: Subject) -> Iterator[Told]:
    """A requirement whose day has passed, or that is compensated by nothing."""
    for path, item in _requirements(subject):
        if item.due is not None and item.due < subject.today and item.status not in SETTLED:
            yield Told((*path, "due"), f"requirement {item.id!r} was due on {item.due.isoformat()} ({item.status})")
        if item.status == "compensated" and not item.compensating:
            yield Told(path, f"requirement {item.id!r} is compensated, but no measure is named")


def _requirements(subject: Subject) -> Iterator[tuple[Place, Requirement]]:
    for key, parts in (("zones", subject.policy.zones), ("conduits", subject.policy.conduits)):
        for i, part in enumerate(parts):
            yield from (((key, i, "requirements", j), item) for j, item in enumerate(part.requirements))


CHECKS: Final = (
    Check("ZP401", "error", "An exception lacks approver, ticket or end", "ZCR 6.4 l", incomplete_exception),
    Check("ZP402", "warning", "An exception has ended", "ZCR 6.4 l", ended_exception),
    Check("ZP403", "warning", "An exception is for anybody or anything", "ZCR 6.4 h", wide_exception),
    Check("ZP404", "warning", "A maintenance window has no ticket", "ZCR 3.4", window_record),
    Check("ZP405", "note", "A maintenance window is over", "ZCR 3.4", window_over),
    Check("ZP501", "warning", "Remote access lacks a safeguard", "ZCR 3.6, SR 1.13", access_unsafe),
    Check("ZP502", "error", "Remote access has no jump host", "ZCR 3.6", access_direct),
    Check("ZP503", "warning", "No flow allows the declared remote access", "ZCR 6.4 f", access_without_flow),
    Check("ZP504", "warning", "A flow goes past the declared remote access", "ZCR 3.6", flow_past_access),
    Check("ZP601", "note", "The owner's approval is missing or has ended", "ZCR 7.1", unsigned),
    Check("ZP602", "warning", "The system has no owner", "ZCR 6.2", without_accountable),
    Check("ZP603", "warning", "A requirement is overdue", "ZCR 6.4 l", overdue),
)
