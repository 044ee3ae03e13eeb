//! What a capture let us see.

use crate::columns::{Column, Row};

/// What one capture file let us see and what not.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Capture point.
    pub source: u32,
    /// Capture file.
    pub capture: u32,
    /// Format in words.
    pub format: String,
    /// SHA-256 of the input, hexadecimal.
    pub sha256: String,
    /// `whole` or `partial`.
    pub status: u32,
    /// Why partial.
    pub problem: String,
    /// Packets.
    pub packets: u64,
    /// Octets on the wire.
    pub bytes: u64,
    /// Time of the first packet.
    pub first_time: Option<i64>,
    /// Time of the last packet.
    pub last_time: Option<i64>,
    /// Longest time without any packet, in nanoseconds.
    pub silence: u64,
    /// When that began.
    pub silence_start_time: Option<i64>,
    /// Packets whose time the file does not hold.
    pub untimed_packets: u64,
    /// Packets that the capturing machine dropped, where the file says so.
    pub reported_drops: Option<u64>,
    /// Packets cut by a snap length.
    pub cut_packets: u64,
    /// Octets missing there.
    pub cut_bytes: u64,
    /// Packets longer than Ethernet carries.
    pub long_packets: u64,
    /// Packets whose checksums were looked at: a sample.
    pub checksums_tried: u64,
    /// Those of them whose checksums are wrong.
    pub checksums_wrong: u64,
    /// Copies that a mirror made, counted in `packets` and told once.
    pub duplicates: u64,
    /// Octets of those.
    pub duplicate_bytes: u64,
    /// Packets that came again within milliseconds without a mirror's doing.
    pub repeats: u64,
    /// Packets with a link type or header that could not be read.
    pub undecoded_packets: u64,
    /// Those of them whose link type is not known.
    pub unknown_link_packets: u64,
    /// Holes in TCP streams.
    pub gaps: u64,
    /// Octets missing there.
    pub gap_bytes: u64,
    /// Flows of which only one direction was seen though the protocol has two.
    pub one_sided_flows: u64,
    /// Fragmented packets that never became whole.
    pub incomplete_fragments: u64,
    /// Steps of the packet clock.
    pub clock_jumps: u64,
    /// Flows.
    pub flows: u64,
    /// Flows given up to bound memory.
    pub flows_evicted: u64,
    /// Flows counted together, because there were too many.
    pub flows_folded: u64,
    /// Packets not kept until their protocol is recognised, to bound memory.
    pub recognitions_dropped: u64,
    /// Requests no longer waited for, because too many were open in one flow.
    pub exchanges_dropped: u64,
    /// Times that a conversation gave up its half-built messages and what waited for holes, to bound memory.
    pub messages_dropped: u64,
    /// Times that a unit was told together with others, because there were too many.
    pub units_folded: u64,
    /// Combinations beyond the cap of their edge.
    pub combinations_coalesced: u64,
    /// Events.
    pub events: u64,
    /// Events not kept whole because of the cap per combination.
    pub events_thinned: u64,
    /// Oddities.
    pub oddities: u64,
    /// Oddities not kept because of the cap.
    pub oddities_dropped: u64,
    /// Statements about devices not kept because of the cap.
    pub claims_dropped: u64,
    /// Activities counted without their fields, because too many of one pair differed.
    pub activities_coalesced: u64,
    /// Activities not kept because of the cap.
    pub activities_dropped: u64,
    /// Pairs of IP and MAC address not kept because of the cap.
    pub addresses_dropped: u64,
    /// What was not decoded of recognised protocols.
    pub undecoded: Vec<Undecoded>,
    /// Traffic that nobody recognised.
    pub unknown: Vec<Unknown>,
}

/// What was not decoded of one protocol.
#[derive(Clone, Debug, Default)]
pub struct Undecoded {
    /// Protocol.
    pub protocol: u32,
    /// Octets in its flows that belong to no message.
    pub bytes: u64,
    /// Messages decoded in part, because of an object whose size is not known.
    pub messages: u64,
}

impl Row for Undecoded {
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::name("protocol", |r: &Self| r.protocol),
            Column::u64("bytes", |r: &Self| r.bytes),
            Column::u64("messages", |r: &Self| r.messages),
        ]
    }
}

/// Traffic to one port that nobody recognised.
#[derive(Clone, Debug, Default)]
pub struct Unknown {
    /// As in the flows; of the rest, which has no port, the empty word.
    pub transport: u32,
    /// Port of the server, EtherType on Ethernet.
    pub port: Option<u16>,
    /// Flows.
    pub flows: u64,
    /// Packets.
    pub packets: u64,
    /// Octets on the wire.
    pub bytes: u64,
}

impl Row for Unknown {
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::name("transport", |r: &Self| r.transport),
            Column::maybe_u16("port", |r: &Self| r.port),
            Column::u64("flows", |r: &Self| r.flows),
            Column::u64("packets", |r: &Self| r.packets),
            Column::u64("bytes", |r: &Self| r.bytes),
        ]
    }
}

impl Row for Coverage {
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::name("source", |r: &Self| r.source),
            Column::name("capture", |r: &Self| r.capture),
            Column::text("format", |r: &Self| &r.format),
            Column::text("sha256", |r: &Self| &r.sha256),
            Column::name("status", |r: &Self| r.status),
            Column::text("problem", |r: &Self| &r.problem),
            Column::u64("packets", |r: &Self| r.packets),
            Column::u64("bytes", |r: &Self| r.bytes),
            Column::maybe_time("first_time", |r: &Self| r.first_time),
            Column::maybe_time("last_time", |r: &Self| r.last_time),
            Column::u64("silence", |r: &Self| r.silence),
            Column::maybe_time("silence_start_time", |r: &Self| r.silence_start_time),
            Column::u64("untimed_packets", |r: &Self| r.untimed_packets),
            Column::maybe_u64("reported_drops", |r: &Self| r.reported_drops),
            Column::u64("cut_packets", |r: &Self| r.cut_packets),
            Column::u64("cut_bytes", |r: &Self| r.cut_bytes),
            Column::u64("long_packets", |r: &Self| r.long_packets),
            Column::u64("checksums_tried", |r: &Self| r.checksums_tried),
            Column::u64("checksums_wrong", |r: &Self| r.checksums_wrong),
            Column::u64("duplicates", |r: &Self| r.duplicates),
            Column::u64("duplicate_bytes", |r: &Self| r.duplicate_bytes),
            Column::u64("repeats", |r: &Self| r.repeats),
            Column::u64("undecoded_packets", |r: &Self| r.undecoded_packets),
            Column::u64("unknown_link_packets", |r: &Self| r.unknown_link_packets),
            Column::u64("gaps", |r: &Self| r.gaps),
            Column::u64("gap_bytes", |r: &Self| r.gap_bytes),
            Column::u64("one_sided_flows", |r: &Self| r.one_sided_flows),
            Column::u64("incomplete_fragments", |r: &Self| r.incomplete_fragments),
            Column::u64("clock_jumps", |r: &Self| r.clock_jumps),
            Column::u64("flows", |r: &Self| r.flows),
            Column::u64("flows_evicted", |r: &Self| r.flows_evicted),
            Column::u64("flows_folded", |r: &Self| r.flows_folded),
            Column::u64("recognitions_dropped", |r: &Self| r.recognitions_dropped),
            Column::u64("exchanges_dropped", |r: &Self| r.exchanges_dropped),
            Column::u64("messages_dropped", |r: &Self| r.messages_dropped),
            Column::u64("units_folded", |r: &Self| r.units_folded),
            Column::u64("combinations_coalesced", |r: &Self| r.combinations_coalesced),
            Column::u64("events", |r: &Self| r.events),
            Column::u64("events_thinned", |r: &Self| r.events_thinned),
            Column::u64("oddities", |r: &Self| r.oddities),
            Column::u64("oddities_dropped", |r: &Self| r.oddities_dropped),
            Column::u64("claims_dropped", |r: &Self| r.claims_dropped),
            Column::u64("activities_coalesced", |r: &Self| r.activities_coalesced),
            Column::u64("activities_dropped", |r: &Self| r.activities_dropped),
            Column::u64("addresses_dropped", |r: &Self| r.addresses_dropped),
            Column::nested("undecoded", |r: &Self| &r.undecoded),
            Column::nested("unknown", |r: &Self| &r.unknown),
        ]
    }
}
