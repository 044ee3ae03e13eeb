//! PROFINET DCP (IEC 61158-6-10, 4.3): stations found by name, and given names and addresses. Process data in the same
//! flow are passed over.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Attribute, Operation, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, profinet};

/// FrameIDs of DCP: hello, get and set, identify and its answer.
const HELLO: u16 = 0xfefc;
const IDENTIFY_RESPONSE: u16 = 0xfeff;
/// ServiceID.
const GET: u8 = 3;
const SET: u8 = 4;
/// Requests that wait for their answer in one flow.
const MAX_OPEN: usize = 8;
/// Blocks read of one message.
const MAX_BLOCKS: usize = 32;

/// What a frame of PROFINET's EtherType carries is DCP, or process data that no session reads.
pub fn probe_frame(probe: &Probe<'_>) -> Recognition {
    match probe.datagram() {
        [_, _, ..] => Recognition::Yes(Box::<Dcp>::default()),
        _ => Recognition::No,
    }
}

/// Options and suboptions.
mod block {
    pub const IP: (u8, u8) = (1, 2);
    pub const IP_SUITE: (u8, u8) = (1, 3);
    pub const VENDOR: (u8, u8) = (2, 1);
    pub const NAME: (u8, u8) = (2, 2);
    pub const DEVICE: (u8, u8) = (2, 3);
    pub const ROLE: (u8, u8) = (2, 4);
    pub const ALIAS: (u8, u8) = (2, 6);
    pub const RESPONSE: (u8, u8) = (5, 4);
}

#[derive(Clone)]
struct Open {
    number: u32,
    client: Direction,
    frame: u64,
    activity: Activity,
}

holds!(Open { activity });

#[derive(Clone, Default)]
struct Dcp {
    open: VecDeque<Open>,
}

impl Dcp {
    /// `FrameID | ServiceID | ServiceType | Xid | delay | length | blocks`.
    fn message(&mut self, chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
        let mut cursor = Cursor::new(chunk.bytes);
        if !(HELLO..=IDENTIFY_RESPONSE).contains(&cursor.u16_be("FrameID")?) {
            return Ok(());
        }
        let (service, kind) = (cursor.u8("ServiceID")?, cursor.u8("ServiceType")?);
        let number = cursor.u32_be("Xid")?;
        cursor.u16_be("ResponseDelay")?;
        let length = usize::from(cursor.u16_be("DCPDataLength")?);
        let blocks = cursor.take(length.min(cursor.left()), "blocks")?;
        let is_response = kind & 0x01 != 0;
        let way = chunk.direction;
        let client = if is_response { way.opposite() } else { way };
        let code = tables::find(profinet::SERVICES, u32::from(service));
        let (action, operation) = code
            .map_or(("unknown", Operation::Unknown), |code| (code.name, code.operation.unwrap_or(Operation::Unknown)));
        let mut activity = Activity::new(client, action, operation);
        let place = self.open.iter().position(|open| is_response && open.number == number && open.client == client);
        if let Some(open) = place.and_then(|place| self.open.remove(place)) {
            activity = Activity { request_frame: Some(open.frame), ..open.activity };
        }
        let mut failure = None;
        match (service, is_response) {
            (GET, false) => asked(blocks, &mut activity),
            _ => {
                // Requests to identify have bare values, all others an octet pair of information before them.
                let has_information = is_response || matches!(service, SET | 6);
                failure = self::blocks(blocks, has_information, is_response || service == 6, &mut activity, out).ok();
            }
        }
        if is_response {
            let failure = failure.unwrap_or_default().unwrap_or_default();
            let unsupported = kind & 0x04 != 0;
            activity = match (unsupported, failure) {
                (true, _) => activity.ended(Status::Error, "unsupported"),
                (_, 0) => activity.ended(Status::Ok, ""),
                (_, error) => {
                    let name = tables::name(profinet::ERRORS, u32::from(error));
                    activity.ended(Status::Error, if name.is_empty() { error.to_string() } else { name.to_string() })
                }
            };
        } else if matches!(service, GET | SET) {
            if self.open.len() >= MAX_OPEN {
                self.give_up(out);
            }
            self.open.push_back(Open { number, client, frame: out.frame, activity });
            return Ok(());
        }
        out.activity(activity);
        Ok(())
    }

    fn give_up(&mut self, out: &mut Output) {
        if let Some(open) = self.open.pop_front() {
            out.activity(Activity { request_frame: Some(open.frame), ..open.activity.ended(Status::NoResponse, "") });
        }
    }
}

/// Pairs of option and suboption that are to be read.
fn asked(octets: &[u8], activity: &mut Activity) {
    let words = octets.chunks_exact(2).take(MAX_BLOCKS).filter_map(|pair| Some(word(*pair.first()?, *pair.get(1)?)));
    activity.put(Field::ProfinetBlock, words.collect::<Vec<_>>().join(", "));
}

fn word(option: u8, suboption: u8) -> String {
    let name = tables::name(profinet::BLOCKS, u32::from(option) << 8 | u32::from(suboption));
    if name.is_empty() { format!("{option}.{suboption}") } else { name.to_string() }
}

/// `option | suboption | length | [information] | value`, padded to whole words of 16 bits. Gives the error of a
/// response to a setting.
fn blocks(
    octets: &[u8],
    has_information: bool,
    is_said: bool,
    activity: &mut Activity,
    out: &mut Output,
) -> Result<Option<u8>, Short> {
    let mut cursor = Cursor::new(octets);
    let (mut words, mut failure) = (Vec::new(), None);
    // A block that is cut ends the message; those before it were said.
    while let (Ok(option), Ok(suboption), Ok(length)) =
        (cursor.u8("Option"), cursor.u8("Suboption"), cursor.u16_be("DCPBlockLength"))
    {
        let length = usize::from(length);
        let Ok(value) = cursor.take(length, "block") else { break };
        let _ = cursor.take(length % 2, "padding");
        match (option, suboption) {
            block::RESPONSE => failure = value.get(2).copied().filter(|error| *error != 0).or(failure),
            of => {
                let value = if has_information { value.get(2..) } else { Some(value) };
                self::value(of, value.unwrap_or_default(), is_said, activity, out).unwrap_or_default();
                if words.len() < MAX_BLOCKS {
                    words.push(word(option, suboption));
                }
            }
        }
    }
    if activity.fields.iter().all(|(field, _)| *field != Field::ProfinetBlock) {
        activity.put(Field::ProfinetBlock, words.join(", "));
    }
    Ok(failure)
}

/// One value; what a station says of itself is a claim.
fn value(of: (u8, u8), octets: &[u8], is_said: bool, activity: &mut Activity, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(octets);
    let mut say = |attribute, value: String| {
        if is_said {
            out.sender_is(attribute, value);
        }
    };
    match of {
        block::NAME | block::ALIAS => {
            let name = printable(octets);
            activity.put(Field::StationName, &*name);
            say(Attribute::Name, name);
        }
        block::VENDOR => {
            let text = printable(octets);
            activity.put(Field::ProfinetVendor, &*text);
            say(Attribute::Product, text);
        }
        block::DEVICE => {
            let (vendor, device) = (cursor.u16_be("VendorID")?, cursor.u16_be("DeviceID")?);
            activity.put(Field::ProfinetDevice, format!("{vendor:04x}:{device:04x}"));
            say(Attribute::VendorId, vendor.to_string());
            say(Attribute::Instance, format!("{device:04x}"));
        }
        block::ROLE => {
            let bits = cursor.u8("DeviceRole")?;
            let roles = profinet::ROLES.iter().filter(|role| bits >> role.code & 1 == 1);
            roles.for_each(|role| say(Attribute::RoleHint, role.name.to_string()));
        }
        block::IP | block::IP_SUITE => {
            let address = Ipv4Addr::from(cursor.u32_be("IPAddress")?);
            activity.put(Field::ProfinetAddress, address.to_string());
            if !address.is_unspecified() {
                say(Attribute::Address, address.to_string());
            }
        }
        _ => {}
    }
    Ok(())
}

impl Session for Dcp {
    fn protocol(&self) -> Protocol {
        Protocol::ProfinetDcp
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        self.message(chunk, out).unwrap_or_default();
    }

    fn service(&self) -> &'static str {
        "profinet"
    }

    fn close(&mut self, out: &mut Output) {
        while !self.open.is_empty() {
            self.give_up(out);
        }
    }

    fn held(&self) -> usize {
        self.open.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, told};

    fn hear(frames: &[(Direction, &[u8])]) -> Output {
        let (mut dcp, mut out) = (Dcp::default(), Output::default());
        for (frame, (direction, bytes)) in (1..).zip(frames) {
            out.frame = frame;
            dcp.decode(Chunk { bytes, wire_length: bytes.len(), direction: *direction }, &mut out);
        }
        dcp.close(&mut out);
        out
    }

    /// FrameID, service and type, number 7, blocks.
    fn message(id: u16, service: u8, kind: u8, blocks: &[u8]) -> Vec<u8> {
        let length = (blocks.len() as u16).to_be_bytes();
        [&id.to_be_bytes()[..], &[service, kind, 0, 0, 0, 7, 0, 0], &length, blocks, &[0; 20]].concat()
    }

    const SAID: &[u8] = b"\x02\x01\x00\x08\x00\x00S7-300\
        \x02\x02\x00\x08\x00\x00pump-7\
        \x02\x03\x00\x06\x00\x00\x00\x2a\x01\x01\
        \x02\x04\x00\x04\x00\x00\x02\x00\
        \x01\x02\x00\x0e\x00\x01\x0a\x14\x01\x07\xff\xff\xff\x00\x0a\x14\x01\x01";

    #[test]
    fn stations_are_found_and_configured() {
        use Direction::{Backward, Forward};
        let all = message(0xfefe, 5, 0, &[0xff, 0xff, 0, 0]);
        let station = message(0xfeff, 5, 1, SAID);
        let set = message(0xfefd, 4, 0, b"\x02\x02\x00\x08\x00\x01pump-8\x05\x02\x00\x02\x00\x00");
        let done = message(0xfefd, 4, 1, &[5, 4, 0, 3, 2, 2, 0, 0]);
        let refused = message(0xfefd, 4, 1, &[5, 4, 0, 3, 2, 2, 6, 0]);
        let get = message(0xfefd, 3, 0, &[2, 2, 1, 2]);
        let got = message(0xfefd, 3, 1, b"\x02\x02\x00\x08\x00\x00pump-7");
        let hello = message(0xfefc, 6, 0, b"\x02\x02\x00\x08\x00\x00pump-7");
        let data = [0x80, 0, 1, 2, 3, 4];
        let blocks = "profinet.block=name, stop";
        type Case<'a> = (&'a [(Direction, &'a [u8])], &'a [&'a str], Status, &'a [&'a str]);
        let set_told = format!("set profinet.station_name=pump-8 {blocks}");
        let cases: &[Case<'_>] = &[
            (&[(Forward, &all)], &["identify profinet.block=all"], Status::OneWay, &[]),
            (
                &[(Backward, &station)],
                &["identify profinet.vendor=S7-300 profinet.station_name=pump-7 profinet.device_id=002a:0101 \
                   profinet.ip_address=10.20.1.7 profinet.block=vendor, name, device-id, role, ip"],
                Status::Ok,
                &[
                    "product=S7-300",
                    "name=pump-7",
                    "vendor_id=42",
                    "instance=0101",
                    "role_hint=io-controller",
                    "address=10.20.1.7",
                ],
            ),
            (&[(Forward, &set), (Forward, &data), (Backward, &done)], &[&set_told], Status::Ok, &[]),
            (&[(Forward, &set), (Backward, &refused)], &[&set_told], Status::Error, &[]),
            (&[(Forward, &set)], &[&set_told], Status::NoResponse, &[]),
            (
                &[(Forward, &get), (Backward, &got)],
                &["get profinet.block=name, ip profinet.station_name=pump-7"],
                Status::Ok,
                &["name=pump-7"],
            ),
            (
                &[(Forward, &hello)],
                &["hello profinet.station_name=pump-7 profinet.block=name"],
                Status::OneWay,
                &["name=pump-7"],
            ),
        ];
        for (frames, expected, status, claims) in cases {
            let out = hear(frames);
            assert_eq!(told(&out), *expected);
            assert_eq!(out.activities[0].status, *status, "{expected:?}");
            assert_eq!(claimed(&out), *claims);
            for (_, bytes) in *frames {
                (0..bytes.len()).for_each(|length| drop(hear(&[(Forward, &bytes[..length])])));
            }
        }
        assert!(hear(&[(Forward, &data)]).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..120), kind in 0..2_u8) {
            for service in 3..=6 {
                hear(&[(Direction::Forward, &message(0xfefd, service, kind, &bytes))]);
            }
            hear(&[(Direction::Forward, &bytes)]);
        }
    }
}
