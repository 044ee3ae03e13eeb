"""`opcua_binary` (ICSNPP), and what the logs of its services add: channels, users, nodes.

Those name the message that they are of by a link. Where a log lists things, it has a link to the list, so that a node
that is read is two links away; what the logs between told is looked up (`Learnt`). Passwords are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.zeek.claims import claims
from zonewatch.dissectors.zeek.exchanges import Messages, exchanges
from zonewatch.dissectors.zeek.rows import mapped, pc
from zonewatch.dissectors.zeek.told import DIRECTED, ENDS, Found, Kind, Lines, ends, flows_of, key, sent
from zonewatch.dissectors.zeek.words import UNKNOWN, Function, entries

_MAIN: Final = "opcua_binary"
_STATUS: Final = "opcua_binary_status_code_detail"
_WRITTEN: Final = "opcua_binary_write"
_FUNCTIONS: Final = {
    str(code): Function(int(code), entry["name"], entry["operation"], entry.get("kind", ""))
    for code, entry in entries("opcua", "functions").items()
}
_PUBLISHES: Final = "826"
_PUBLISH: Final = next(found for found in _FUNCTIONS.values() if (found.name, found.kind) == ("publish", "response"))
_POLICIES: Final = frozenset(entry["name"] for entry in entries("opcua", "security_policies").values())
_MODES: Final = {code: entry["name"] for code, entry in entries("opcua", "security_modes").items()}
_TOKENS: Final = {code: entry["name"] for code, entry in entries("opcua", "identity_tokens").items()}
_STATUSES: Final = {int(code): entry["name"] for code, entry in entries("opcua", "status_codes").items()}
_ATTRIBUTES: Final = {
    entry["name"].replace("_", ""): int(code) for code, entry in entries("opcua", "attributes").items()
}
"""Attributes of nodes by their names, as logs spell them but for capitals."""
_BY_TYPE: Final = {
    "HEL": Function(None, "hello", "session", "request"),
    "ACK": Function(None, "hello", "session", "response"),
    "OPN": Function(None, "open_secure_channel", "session", "request"),
    "CLO": _FUNCTIONS["452"],
}
"""Messages whose type tells what they are; where a channel is encrypted, nothing else does."""
_BAD: Final = 0x8000_0000
_NONE: Final = pa.scalar(None, pa.utf8())
_NO_NUMBER: Final = pa.scalar(None, pa.int64())


def _messages(lines: Lines) -> Found:
    rows = lines.rows
    kind = pc.fill_null(rows.text("msg_type"), "")
    number = rows.whole("req_identifier", "identifier").cast(pa.utf8())
    answer = rows.whole("res_identifier").cast(pa.utf8())
    words = pc.coalesce(number, answer, kind)
    hello = pc.is_in(kind, value_set=pa.array(["HEL", "ACK"]))
    alone = pc.or_(hello, pc.is_null(rows.text("req_identifier", "res_identifier")))
    known = pc.or_(pc.is_valid(pc.coalesce(number, answer)), pc.is_in(kind, value_set=pa.array(list(_BY_TYPE))))
    code = _result(lines)
    failed = pc.is_valid(code)
    closes = mapped(words, lambda word: _look(word).name == "close_secure_channel", pa.bool_())
    publishes = mapped(words, lambda word: _look(word).name == "publish", pa.bool_())
    outcome = pc.if_else(failed, "error", pc.if_else(pc.is_null(answer), "no_response", "ok"))
    outcome = pc.if_else(pc.is_null(number), "response_only", outcome)
    outcome = pc.if_else(alone, pc.if_else(failed, "error", "ok"), outcome)
    table = exchanges(
        len(lines),
        **ends(lines),
        kind=pc.if_else(
            publishes, pc.if_else(failed, "error", "unsolicited"), pc.if_else(closes, "unconfirmed", "request")
        ),
        function=mapped(words, lambda word: _look(word).code, pa.int64()),
        function_name=mapped(words, lambda word: _look(word).name, pa.utf8()),
        operation=mapped(words, lambda word: _look(word).operation, pa.utf8()),
        status=pc.if_else(pc.or_(publishes, closes), "one_way", outcome),
        status_code=code,
        status_name=mapped(code.cast(pa.utf8()), lambda word: _STATUSES.get(int(word), ""), pa.utf8()),
        object_kind=pc.if_else(pc.equal(kind, "HEL"), "endpoint", _NONE),
        object_count=pc.if_else(pc.equal(kind, "HEL"), 1, 0),
        text=pc.if_else(pc.equal(kind, "HEL"), pc.fill_null(rows.words("endpoint_url"), ""), ""),
        ident=pc.fill_null(rows.text("req_opcua_link_id", "opcua_link_id", "opcua_id"), ""),
    )
    # What is asked for with it is told when it comes.
    awaits = pc.and_(publishes, pc.if_else(alone, pc.equal(words, _PUBLISHES), pc.is_null(answer)))
    known = pc.and_(known, pc.invert(pc.fill_null(awaits, False)))
    by_line = pc.and_(known, pc.invert(alone))
    policy = mapped(rows.text("sec_policy_uri"), _policy, pa.utf8())
    # A second row of the event; that of its own takes what the log of channels has.
    channel = _with(table, {"object_kind": "security-policy", "object_count": 1, "ident": "", "events": 0})
    channel = channel.set_column(channel.column_names.index("property_name"), "property_name", pc.fill_null(policy, ""))
    opens = pc.and_(known, pc.and_(pc.equal(kind, "OPN"), pc.is_valid(policy)))
    asks = mapped(words, lambda word: _look(word).kind != "response", pa.bool_())
    by_message = pc.and_(known, pc.and_(alone, pc.invert(pc.and_(opens, pc.is_null(number)))))
    single = pc.and_(opens, pc.and_(alone, pc.is_null(number)))
    one_way = pc.or_(publishes, closes)
    number_of = pc.if_else(hello, "hello", pc.fill_null(rows.text("request_id"), ""))
    messages = Messages(
        table.filter(by_message),
        key(rows.text("uid"), number_of).filter(by_message),
        pc.if_else(one_way, pa.scalar(None, pa.bool_()), asks).filter(by_message),
    )
    events = pa.concat_tables([table.filter(pc.or_(by_line, single)), channel.filter(opens)])
    return Found(messages=messages, events=events, flows=flows_of(lines))


def _look(word: str) -> Function:
    found = _FUNCTIONS.get(word) or _BY_TYPE.get(word) or UNKNOWN
    return _PUBLISH if found.name == "publish" else found


def _with(table: pa.Table, constants: Mapping[str, Any]) -> pa.Table:
    for name, value in constants.items():
        at = table.column_names.index(name)
        table = table.set_column(at, name, pa.repeat(pa.scalar(value, table.schema.field(name).type), table.num_rows))
    return table


def _result(lines: Lines) -> Any:
    """Status codes of answers that failed, of the service or of what it wrote; null for all others."""
    statuses, written = lines.learnt.of(_STATUS), lines.learnt.of(_WRITTEN)
    service = lines.rows.text("status_code_link_id", "res_hdr_service_result_id")
    answer = lines.rows.text("res_opcua_link_id", "opcua_link_id")
    fault = mapped(service, statuses.get, pa.int64()) if statuses else pa.nulls(len(lines), pa.int64())
    return pc.coalesce(fault, mapped(answer, written.get, pa.int64()) if written else fault)


def _policy(uri: str) -> str | None:
    name = uri.rpartition("#")[2]
    return name if name in _POLICIES else None


def _statuses(lines: Lines) -> Found:
    """Bad status codes by the link that others have to them."""
    rows = lines.rows
    code = rows.hexadecimal("status_code", most=2**32 - 1)
    bad = pc.fill_null(pc.greater_equal(code, _BAD), False)
    links, codes = rows.text("status_code_link_id").filter(bad), pc.shift_right(code.filter(bad), 16)
    return Found(learnt=dict(zip(links.to_pylist(), codes.to_pylist(), strict=True)))


def _written(lines: Lines) -> Found:
    """Answers to writes of which some node was refused, by their link, with the status."""
    links, status = lines.rows.text("opcua_link_id"), lines.rows.text("res_status_code_link_id")
    codes = mapped(status, lines.learnt.of(_STATUS).get, pa.int64())
    bad = pc.is_valid(codes)
    return Found(learnt=dict(zip(links.filter(bad).to_pylist(), codes.filter(bad).to_pylist(), strict=True)))


def _lists(link: str) -> Any:
    """Links to lists → the message that they are of."""

    def read(lines: Lines) -> Found:
        to, of = lines.rows.text(link), lines.rows.text("opcua_link_id", "opcua_id")
        there = pc.and_(pc.is_valid(to), pc.is_valid(of))
        return Found(learnt=dict(zip(to.filter(there).to_pylist(), of.filter(there).to_pylist(), strict=True)))

    return read


def _object(lines: Lines, ident: Any, where: Any, **columns: Any) -> pa.Table:
    """What a message is about; what has no link to one is left out."""
    linked = pc.and_(pc.not_equal(ident, ""), pc.fill_null(where, False))
    return exchanges(len(lines), **ends(lines), ident=ident, object_count=1, **columns).filter(linked)


def _link(lines: Lines) -> Any:
    return pc.fill_null(lines.rows.text("opcua_link_id", "opcua_id"), "")


def _channels(lines: Lines) -> pa.Table:
    mode = mapped(lines.rows.whole("message_security_mode").cast(pa.utf8()), _MODES.get, pa.utf8())
    renews = pc.equal(pc.fill_null(lines.rows.whole("sec_token_request_type"), 0), 1)
    return _object(
        lines, _link(lines), pc.is_valid(mode), object_kind="security-mode", property_name=pc.fill_null(mode, ""),
        text=pc.if_else(renews, "renew", "issue"),
    )  # fmt: skip


def _users(lines: Lines) -> pa.Table:
    """Tokens; and that a password came in clear, which no algorithm encrypted."""
    rows = lines.rows
    number = rows.whole("ext_obj_type_id_numeric").cast(pa.utf8())
    token = mapped(number, _TOKENS.get, pa.utf8())
    who = _object(
        lines, _link(lines), pc.is_valid(token), object_kind="user-token", property_name=pc.fill_null(token, ""),
        text=pc.fill_null(rows.words("ext_obj_user_name"), ""),
    )  # fmt: skip
    named = pc.equal(pc.fill_null(token, ""), "user_name")
    clear = pc.and_(named, pc.is_null(rows.text("ext_obj_encryption_algorithom", "ext_obj_encryption_algorithm")))
    password = _object(lines, _link(lines), clear, object_kind="password", property_name="clear")
    return pa.concat_tables([who, password]).sort_by("line")


def _nodes(prefix: str, attribute: str = "", list_of: str = "", link: str = "") -> Any:
    """Nodes of a log whose columns begin so. `list_of`: the log that has the link to this list, under `link`."""

    def read(lines: Lines) -> pa.Table:
        rows = lines.rows
        ident = _link(lines)
        if list_of:
            ident = pc.fill_null(mapped(rows.text(link), lines.learnt.of(list_of).get, pa.utf8()), "")
        space = rows.whole(f"{prefix}namespace_idx", most=65_535)
        begins = pc.if_else(
            pc.greater(pc.fill_null(space, 0), 0),
            pc.binary_join_element_wise("ns=", space.cast(pa.utf8()), ";", ""),
            "",
        )
        forms = {"i": "numeric", "s": "string", "g": "guid", "b": "opaque"}
        told = [
            pc.binary_join_element_wise(f"{letter}=", rows.words(f"{prefix}{name}"), "")
            for letter, name in forms.items()
        ]
        node = pc.coalesce(*told)
        return _object(
            lines, ident, pc.is_valid(node), object_kind="node",
            property=_attribute(rows, attribute) if attribute else _NO_NUMBER,
            property_name=pc.fill_null(pc.binary_join_element_wise(begins, node, ""), ""),
        )  # fmt: skip

    return read


def _attribute(rows: Any, name: str) -> Any:
    number = rows.whole(name)
    word = mapped(rows.text(f"{name}_str", name), lambda text: _ATTRIBUTES.get(text.lower()), pa.int64())
    return pc.coalesce(number, word)


def _sessions(lines: Lines) -> Found:
    """What a client says that it is."""
    client = sent(lines)["source"] if lines.rows.has("source_h") else lines.rows.text("id.orig_h")
    told = {"application_uri": "application", "product_uri": "software", "text": "name"}
    return Found(claims=_said(lines, client, told))


def _endpoints(lines: Lines) -> Found:
    told = {
        "application_uri": "application", "product_uri": "software", "text": "name", "endpoint_url": "url",
    }  # fmt: skip
    return Found(claims=_said(lines, lines.rows.text("id.resp_h"), told), flows=flows_of(lines))


def _said(lines: Lines, address: Any, told: Mapping[str, str]) -> tuple[pa.Table, ...]:
    return tuple(
        claims(lines, "opcua", address, attribute, lines.rows.words(name))
        for name, attribute in told.items()
        if lines.rows.has(name)
    )


def _logins(lines: Lines) -> Found:
    user = lines.rows.words("ext_obj_user_name")
    return Found(claims=(claims(lines, "opcua", lines.rows.text("id.orig_h"), "user", user),))


def _node_columns(prefix: str) -> tuple[str, ...]:
    return tuple(f"{prefix}{name}" for name in ("namespace_idx", "numeric", "string", "guid", "opaque"))


_LINKED: Final = (*DIRECTED, "opcua_link_id", "opcua_id")
_BROWSED, _MONITORED, _NODE = "browse_description_", "item_to_monitor_node_id_", "node_id_"
_LINKS: Final = {
    "opcua_binary_read": "nodes_to_read_link_id",
    "opcua_binary_browse": "browse_description_link_id",
    "opcua_binary_create_monitored_items": "create_item_link_id",
}
"""Logs with a link to a list of nodes."""
KINDS: Final = (
    Kind(
        _STATUS, (*ENDS, "status_code_link_id", "status_code"), _statuses, "opcua", is_referred_to=True,
        needs=(("ts",),),
    ),
    Kind(
        _WRITTEN, (*_LINKED, "res_status_code_link_id"), _written, "opcua", is_referred_to=True, needs=(("ts",),)
    ),
    *(
        Kind(name, (*_LINKED, link), _lists(link), "opcua", is_referred_to=True, needs=(("ts",),))
        for name, link in _LINKS.items()
    ),
    Kind(
        _MAIN,
        (
            *_LINKED, "msg_type", "endpoint_url", "sec_policy_uri", "request_id", "identifier", "req_opcua_link_id",
            "req_identifier", "res_opcua_link_id", "res_identifier", "status_code_link_id",
            "res_hdr_service_result_id",
        ),
        _messages,
        "opcua",
        beside={
            "opcua_binary_opensecure_channel": _channels,
            "opcua_binary_activate_session": _users,
            _WRITTEN: _nodes(_NODE, "attribute_id"),
            **{
                name: _nodes(prefix, attribute, of, _LINKS[of])
                for name, prefix, attribute, of in (
                    ("opcua_binary_read_nodes_to_read", _NODE, "attribute_id", "opcua_binary_read"),
                    ("opcua_binary_browse_description", _BROWSED, "", "opcua_binary_browse"),
                    (
                        "opcua_binary_create_monitored_items_create_item", _MONITORED, "item_to_monitor_attribute_id",
                        "opcua_binary_create_monitored_items",
                    ),
                )
            },
        },
        beside_columns=(
            *_LINKED, *_LINKS.values(), "message_security_mode", "sec_token_request_type", "ext_obj_type_id_numeric",
            "ext_obj_user_name", "ext_obj_encryption_algorithom", "ext_obj_encryption_algorithm", "attribute_id",
            "attribute_id_str", "item_to_monitor_attribute_id", *_node_columns(_NODE), *_node_columns(_BROWSED),
            *_node_columns(_MONITORED),
        ),
    ),
    Kind("opcua_binary_activate_session", (*_LINKED, "ext_obj_user_name"), _logins, "opcua"),
    Kind("opcua_binary_create_session", (*_LINKED, "application_uri", "product_uri", "text"), _sessions, "opcua"),
    *(
        Kind(name, (*DIRECTED, "application_uri", "product_uri", "text", "endpoint_url"), _endpoints, "opcua")
        for name in ("opcua_binary_get_endpoints_description", "opcua_binary_create_session_endpoints")
    ),
)  # fmt: skip
