"""The Arrow schemas of the tables that the engine makes: the contract between dissectors and all above them.

Words are dictionary-encoded. Times are UTC nanoseconds. Frames are 1-based within their capture file.
`source` is the capture point, `capture` the file; sender and receiver are `source_address` and
`destination_address`. Later versions add columns and tables; they rename and remove none.
"""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

WORD: Final = pa.dictionary(pa.int32(), pa.utf8())
TIME: Final = pa.timestamp("ns", tz="UTC")
FRAMES: Final = pa.list_(pa.field("item", pa.uint64(), nullable=False))
NUMBERS: Final = pa.list_(pa.field("item", pa.float64(), nullable=False))


def _required(name: str, kind: pa.DataType) -> pa.Field[Any]:
    return pa.field(name, kind, nullable=False)


PDUS: Final = pa.schema(
    [
        _required("source", WORD),
        _required("capture", WORD),
        _required("frame", pa.uint64()),
        _required("time", TIME),
        _required("protocol", WORD),
        _required("transport", WORD),  # tcp, udp; ethernet, arcnet, mstp where BACnet has no IP below it
        _required("source_address", WORD),
        _required("destination_address", WORD),
        _required("source_port", pa.uint16()),
        _required("destination_port", pa.uint16()),
        pa.field("vlan", pa.uint16()),  # innermost tag
        _required("kind", WORD),
        pa.field("source_unit", WORD),
        pa.field("destination_unit", WORD),
        pa.field("link_code", pa.uint8()),  # BVLC function; DNP3 link function with PRM as 0x40
        pa.field("message_type", pa.uint8()),  # BACnet APDU type
        pa.field("function", pa.uint16()),
        _required("function_name", WORD),  # empty where the protocol's table has no name
        _required("operation", WORD),
        pa.field("status_code", pa.uint16()),
        _required("status_name", WORD),
        pa.field("transaction", pa.uint32()),
        pa.field("indications", pa.uint16()),  # DNP3 IIN
        _required("length", pa.uint32()),
        _required("complete", pa.bool_()),
        _required("objects", pa.uint32()),  # how many; the first one follows
        pa.field("object_kind", WORD),
        pa.field("object_start", pa.uint32()),
        pa.field("object_count", pa.uint32()),
    ]
)

OBJECT: Final = pa.struct(
    [
        _required("kind", WORD),  # holding-register, analog-input, control-relay-output, analog-value, device …
        pa.field("type_number", pa.uint32()),
        pa.field("variation", pa.uint16()),
        pa.field("start", pa.uint32()),  # zero-based
        _required("count", pa.uint32()),
        pa.field("property", pa.uint32()),
        _required("property_name", WORD),
        pa.field("index", pa.uint32()),
        pa.field("priority", pa.uint8()),
        _required("values", NUMBERS),  # bounded; of the response where that carries them, else of the request
        _required("text", pa.utf8()),
        _required("before", NUMBERS),  # last values known before a state change, same order; empty if unknown
        pa.field("status", pa.uint16()),
    ]
)

EVENTS: Final = pa.schema(
    [
        _required("event", pa.uint64()),  # ordinal in the run
        _required("source", WORD),
        _required("capture", WORD),
        _required("time", TIME),  # of its first message
        _required("protocol", WORD),
        _required("transport", WORD),
        _required("client", WORD),
        _required("server", WORD),
        _required("client_port", pa.uint16()),
        _required("server_port", pa.uint16()),
        pa.field("client_unit", WORD),
        pa.field("server_unit", WORD),
        pa.field("vlan", pa.uint16()),
        _required("kind", WORD),
        pa.field("function", pa.uint16()),
        _required("function_name", WORD),
        _required("operation", WORD),
        _required("status", WORD),
        pa.field("status_code", pa.uint16()),
        _required("status_name", WORD),
        pa.field("latency", pa.int64()),  # nanoseconds, request to (last) response
        _required("request_frames", FRAMES),
        _required("response_frames", FRAMES),
        pa.field("response_capture", WORD),  # of those: the file of the first answer; later files are left out
        _required("reason", WORD),  # why it is kept whole: state_change, new, failed, one_of_all
        _required("objects", pa.list_(_required("item", OBJECT))),
    ]
)

AGGREGATES: Final = pa.schema(
    [
        _required("source", WORD),
        _required("capture", WORD),  # of the first event
        _required("bucket", TIME),  # start of the time bucket (15 minutes)
        _required("protocol", WORD),
        _required("transport", WORD),
        _required("client", WORD),
        _required("server", WORD),
        _required("server_port", pa.uint16()),
        pa.field("client_unit", WORD),
        pa.field("server_unit", WORD),
        pa.field("vlan", pa.uint16()),
        _required("kind", WORD),
        pa.field("function", pa.uint16()),
        _required("function_name", WORD),
        _required("operation", WORD),
        _required("status", WORD),
        pa.field("object_kind", WORD),  # null where the events name no object
        pa.field("object_start", pa.uint32()),
        _required("object_count", pa.uint32()),
        pa.field("property", pa.uint32()),
        _required("property_name", WORD),
        _required("coalesced", pa.bool_()),  # a range that stands for many combinations beyond the cap
        _required("count", pa.uint64()),  # times that this object was addressed
        _required("events", pa.uint64()),  # events counted here; each event is counted in just one row
        _required("first_time", TIME),
        _required("last_time", TIME),
        _required("first_frame", pa.uint64()),
        _required("last_frame", pa.uint64()),
        _required("last_capture", WORD),
        _required("sample_frames", FRAMES),  # at most 4
        pa.field("value_min", pa.float64()),
        pa.field("value_max", pa.float64()),
        pa.field("value_last", pa.float64()),
        _required("value_not_finite", pa.bool_()),  # infinite values or NaN were among them, left out of these three
        _required("changes", pa.uint64()),  # times that the values differed from those before
    ]
)

FLOWS: Final = pa.schema(
    [
        _required("source", WORD),
        _required("capture", WORD),
        _required("transport", WORD),  # tcp, udp, icmp, ip-<number>, ethernet, arcnet, mstp, serial, profibus
        _required("client", WORD),  # opened it (TCP: SYN; else the first seen, or the side with the high port)
        _required(
            "server", WORD
        ),  # IP address; on a link without IP a MAC, or arcnet:, mstp:, profibus:, rtu:, dnp3: and a station
        _required("client_port", pa.uint16()),
        # ICMP: type, and the type that answers it or else its code; on a link EtherType, or DSAP of LLC
        _required("server_port", pa.uint16()),
        pa.field("vlan", pa.uint16()),
        _required("client_mac", WORD),
        _required("server_mac", WORD),
        _required("community_id", pa.utf8()),  # version 1, seed 0; empty without an internet layer
        _required("service", WORD),  # empty: unknown
        _required("basis", WORD),  # content, port, or empty
        _required("odd_port", pa.bool_()),  # told by content, at a port that is not the service's own
        _required("state", WORD),
        _required("packets_out", pa.uint64()),  # client to server
        _required("packets_in", pa.uint64()),
        _required("bytes_out", pa.uint64()),  # on the wire, link layer included
        _required("bytes_in", pa.uint64()),
        _required("first_time", TIME),
        _required("last_time", TIME),
        _required("first_frame", pa.uint64()),
        _required("last_frame", pa.uint64()),
        _required("flows", pa.uint64()),  # 1; more where flows beyond the cap are counted together, client port 0
        # Of flows without a service, over their first packets with a payload: octets that a tenth, half and nine tenths
        # of them have at most; nanoseconds from one of the first sender to the next, where steady; bits an octet.
        pa.field("size_low", pa.uint16()),
        pa.field("size_middle", pa.uint16()),
        pa.field("size_high", pa.uint16()),
        pa.field("period", pa.uint64()),
        pa.field("entropy", pa.float64()),
    ]
)

ACTIVITY_FIELD: Final = pa.struct(
    [
        _required("name", WORD),  # one of vocabulary.FIELDS
        _required("value", pa.utf8()),
    ]
)

ACTIVITIES: Final = pa.schema(
    [
        _required("source", WORD),
        _required("capture", WORD),  # of the first time
        _required("protocol", WORD),  # one of vocabulary.SERVICES or LOGGED_SERVICES
        _required("transport", WORD),
        _required("client", WORD),
        _required("server", WORD),
        _required("client_port", pa.uint16()),  # the first time
        _required("server_port", pa.uint16()),
        pa.field("vlan", pa.uint16()),
        _required("action", WORD),  # the protocol's word
        _required("operation", WORD),
        _required("status", WORD),
        _required("code", pa.utf8()),  # the protocol's word or number for the outcome
        _required("fields", pa.list_(_required("item", ACTIVITY_FIELD))),  # a name may come several times
        _required("coalesced", pa.bool_()),  # stands for many of one client, server and protocol, beyond the cap
        _required("count", pa.uint64()),  # within a quarter of an hour
        _required("first_time", TIME),
        _required("last_time", TIME),
        pa.field("request_frame", pa.uint64()),  # the first time, where it is told at the answer
        _required("first_frame", pa.uint64()),
        _required("last_frame", pa.uint64()),
        _required("last_capture", WORD),
    ]
)

CLAIMS: Final = pa.schema(
    [
        _required("source", WORD),
        _required("capture", WORD),
        _required("frame", pa.uint64()),  # where it was first stated
        _required("time", TIME),
        _required("protocol", WORD),
        _required("address", WORD),
        pa.field("unit", WORD),
        _required("attribute", WORD),
        _required("value", pa.utf8()),
        _required("count", pa.uint64()),
    ]
)

ADDRESSES: Final = pa.schema(
    [
        _required("source", WORD),
        _required("capture", WORD),
        _required("address", WORD),  # IP address that this MAC was seen to send from, or announced by ARP
        _required("mac", WORD),
        pa.field("vlan", pa.uint16()),
        _required("via", WORD),  # ip, arp
        _required("packets", pa.uint64()),
        _required("first_time", TIME),
        _required("last_time", TIME),
        _required("first_frame", pa.uint64()),
        _required("last_frame", pa.uint64()),
    ]
)

ODDITIES: Final = pa.schema(
    [
        _required("source", WORD),
        _required("capture", WORD),
        _required("frame", pa.uint64()),
        _required("time", TIME),
        _required("protocol", WORD),  # empty below the protocols
        _required("source_address", WORD),
        _required("destination_address", WORD),
        _required("layer", WORD),
        _required("offset", pa.uint32()),
        _required("code", WORD),
        _required("expected", pa.utf8()),
    ]
)

UNDECODED: Final = pa.struct(
    [
        _required("protocol", WORD),
        _required("bytes", pa.uint64()),  # in its flows, and of no message
        _required("messages", pa.uint64()),  # decoded in part: an object's size is not known
    ]
)

UNKNOWN: Final = pa.struct(
    [
        _required("transport", WORD),  # as in the flows; empty for the rest
        pa.field("port", pa.uint16()),  # of the server; EtherType on Ethernet
        _required("flows", pa.uint64()),
        _required("packets", pa.uint64()),
        _required("bytes", pa.uint64()),
    ]
)

COVERAGE: Final = pa.schema(
    [
        _required("source", WORD),
        _required("capture", WORD),
        _required("format", pa.utf8()),
        _required("sha256", pa.utf8()),  # of the input as stored; empty where not asked for
        _required("status", WORD),  # whole, partial, unreadable
        _required("problem", pa.utf8()),  # why partial
        _required("packets", pa.uint64()),
        _required("bytes", pa.uint64()),  # on the wire
        pa.field("first_time", TIME),
        pa.field("last_time", TIME),
        _required("silence", pa.uint64()),  # longest time without any packet, nanoseconds
        pa.field("silence_start_time", TIME),
        _required("untimed_packets", pa.uint64()),  # the file holds no time for them
        pa.field("reported_drops", pa.uint64()),  # of the capturing machine; null where the file says nothing
        _required("cut_packets", pa.uint64()),  # snap length
        _required("cut_bytes", pa.uint64()),
        _required("long_packets", pa.uint64()),  # longer than Ethernet carries: joined by offloading, or jumbo frames
        _required("checksums_tried", pa.uint64()),  # packets of a sample
        _required("checksums_wrong", pa.uint64()),  # of these
        _required("duplicates", pa.uint64()),  # copies made by a mirror: counted in `packets`, told once
        _required("duplicate_bytes", pa.uint64()),
        _required("repeats", pa.uint64()),  # came again within milliseconds, and no mirror explains it
        _required("undecoded_packets", pa.uint64()),  # link type or header that could not be read
        _required("unknown_link_packets", pa.uint64()),  # of these: a link type that is not known
        _required("gaps", pa.uint64()),  # holes in TCP streams
        _required("gap_bytes", pa.uint64()),
        _required("one_sided_flows", pa.uint64()),
        _required("incomplete_fragments", pa.uint64()),
        _required("clock_jumps", pa.uint64()),  # packet time stepped back by over a second or on by over an hour
        _required("flows", pa.uint64()),
        _required("flows_evicted", pa.uint64()),
        _required("flows_folded", pa.uint64()),  # counted together: too many to tell each
        _required("recognitions_dropped", pa.uint64()),  # packets not kept for recognition, to bound memory
        _required("exchanges_dropped", pa.uint64()),  # requests no longer waited for: too many open in one flow
        _required("messages_dropped", pa.uint64()),  # times that half-built messages were given up to bound memory
        _required("units_folded", pa.uint64()),  # times that a unit was told together with others
        _required("combinations_coalesced", pa.uint64()),
        _required("events", pa.uint64()),
        _required("events_thinned", pa.uint64()),  # would have been kept whole, but the cap per combination was reached
        _required("oddities", pa.uint64()),
        _required("oddities_dropped", pa.uint64()),
        _required("claims_dropped", pa.uint64()),
        _required("activities_coalesced", pa.uint64()),  # counted without their fields: too many of one pair differ
        _required("activities_dropped", pa.uint64()),
        _required("addresses_dropped", pa.uint64()),
        _required("undecoded", pa.list_(_required("item", UNDECODED))),
        _required("unknown", pa.list_(_required("item", UNKNOWN))),  # most octets first; then the rest, without a port
    ]
)

TABLES: Final[dict[str, pa.Schema]] = {
    "pdus": PDUS,
    "events": EVENTS,
    "aggregates": AGGREGATES,
    "flows": FLOWS,
    "activities": ACTIVITIES,
    "claims": CLAIMS,
    "addresses": ADDRESSES,
    "oddities": ODDITIES,
    "coverage": COVERAGE,
}
