//! A known message wrapped in tags, labels and tunnels: the engine must give the message, whatever is around it.
//!
//! On the wire of the fuzzer: an octet for each wrapping, the innermost first, with one for its options.

use std::cell::RefCell;

use arrow_array::RecordBatch;
use zonewatch_dissectors::capture::Packet;
use zonewatch_dissectors::engine::Engine;
use zonewatch_dissectors::sinks::Detail;

use crate::input::Input;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const MPLS: u16 = 0x8847;
const PPPOE: u16 = 0x8864;
const BACKBONE: u16 = 0x88e7;
const BRIDGED: u16 = 0x6558;
const GRE: u8 = 47;

/// Packets around one that the engine opens.
const MAX_DEPTH: usize = 8;
const MAX_STEPS: usize = 12;
/// Kinds of wrapping.
const KINDS: u8 = 15;

/// Who-Is of every device (ASHRAE 135, 16.10) in BACnet/IP.
const WHO_IS: [u8; 8] = [0x81, 0x0a, 0, 8, 1, 0, 0x10, 8];

/// What differs by the wrapping.
const OF_THE_WRAPPING: [&str; 1] = ["vlan"];

/// Adds headers to a frame; the packets around the message are counted.
struct Wrapping {
    frame: Vec<u8>,
    depth: usize,
}

impl Wrapping {
    fn new() -> Self {
        let datagram = udp(47808, &WHO_IS);
        Wrapping { frame: frame(IPV4, &ipv4(17, &datagram)), depth: 0 }
    }

    fn ethertype(&self) -> u16 {
        u16::from_be_bytes([self.frame[12], self.frame[13]])
    }

    /// The IP packet, and the type of the frame that it is in, where there is no tag before it.
    fn packet(&self) -> Option<(u16, &[u8])> {
        matches!(self.ethertype(), IPV4 | IPV6).then(|| (self.ethertype(), &self.frame[14..]))
    }

    /// The frame with another header between its stations and what it carries.
    fn labelled(&self, ethertype: u16, rest: &[&[u8]]) -> Vec<u8> {
        [&self.frame[..12], &ethertype.to_be_bytes(), &rest.concat()].concat()
    }

    /// One more header; false where what is there cannot be carried so.
    fn wrap(&mut self, what: u8, options: u8) -> bool {
        let outer = |protocol: u8, rest: &[u8]| {
            if options & 0x80 == 0 { frame(IPV4, &ipv4(protocol, rest)) } else { frame(IPV6, &ipv6(protocol, rest)) }
        };
        let gre = |flags: u16, protocol: u16, header: &[u8], inner: &[u8]| {
            outer(GRE, &[&flags.to_be_bytes()[..], &protocol.to_be_bytes(), header, inner].concat())
        };
        let bits = usize::from(options & 7);
        let some = [options; 16];
        let inner = &self.frame[..];
        let wrapped = match (what % KINDS, self.packet()) {
            (0, _) => {
                let tag = [[0x81, 0], [0x88, 0xa8], [0x91, 0]][bits % 3];
                self.frame.splice(12..12, [tag[0], tag[1], 0, options]);
                return true;
            }
            (1, Some((IPV4, packet))) => {
                let length = (8 + packet.len()) as u16;
                if length >= 0x0600 {
                    return false;
                }
                self.frame = self.labelled(length, &[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], packet]);
                return true;
            }
            (2, Some((_, packet))) => self.labelled(MPLS, &[&labels(bits), packet]),
            (3, Some((ethertype, packet))) => {
                let protocol: [u8; 2] = if ethertype == IPV4 { [0, 0x21] } else { [0, 0x57] };
                let length = (2 + packet.len()) as u16;
                self.labelled(PPPOE, &[&[0x11, 0, 0, 1], &length.to_be_bytes(), &protocol, packet])
            }
            (4, Some((_, _))) => frame(MPLS, &[&labels(bits), inner].concat()),
            (5, Some((_, _))) => frame(MPLS, &[&labels(bits)[..], &[0, 0, 0, options], inner].concat()),
            (6, _) => frame(BACKBONE, &[&some[..4], inner].concat()),
            (7, Some((ethertype, packet))) => outer(if ethertype == IPV4 { 4 } else { 41 }, packet),
            (8, _) => outer(97, &[&[0x30, 0], inner].concat()),
            (9, _) => {
                // Checksum, key and sequence number (RFC 2784, RFC 2890).
                let flags = u16::from(options & 1) << 15 | u16::from(options & 6) << 11;
                gre(flags, BRIDGED, &some[..4 * flags.count_ones() as usize], inner)
            }
            (10, _) => gre(0, 0x88be, &[], inner),
            (11, _) => gre(0x1000, 0x88be, &[0, 0, 0, 1, 0x10, 7, 0, 1, 0, 0, 0, 0], inner),
            (12, _) => {
                let mut header = [0; 24];
                header[4..8].copy_from_slice(&[0x20, 7, 0, 1]);
                header[15] = options & 1;
                gre(0x1000, 0x22eb, &header[..if options & 1 == 0 { 16 } else { 24 }], inner)
            }
            (13, _) => outer(17, &udp(4789, &[&[8, 0, 0, 0, 0, 0, options, 0], inner].concat())),
            (14, _) => {
                let options = &[0; 28][..4 * bits];
                outer(17, &udp(6081, &[&[bits as u8, 0, 0x65, 0x58, 0, 0, 1, 0], options, inner].concat()))
            }
            _ => return false,
        };
        self.frame = wrapped;
        self.depth += 1;
        true
    }
}

fn frame(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1][..], &ethertype.to_be_bytes(), payload].concat()
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len()) as u16;
    [&[0x45, 0][..], &total.to_be_bytes(), &[0, 7, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2], payload]
        .concat()
}

fn ipv6(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u16;
    [&[0x60, 0, 0, 0][..], &length.to_be_bytes(), &[protocol, 64], &[0x20; 16], &[0x30; 16], payload].concat()
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    [&[0xba, 0xc0][..], &port.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload].concat()
}

fn labels(more: usize) -> Vec<u8> {
    let mut labels = [0, 0x10, 0, 64].repeat(more);
    labels.extend([0, 0x20, 1, 64]);
    labels
}

thread_local! {
    /// Made once, for that takes longer than all the rest.
    static ENGINE: RefCell<Engine> = RefCell::new(Engine::new(Detail::Pdus));
}

/// The messages found in a frame, and how many oddities.
fn found(frame: &[u8]) -> (RecordBatch, usize) {
    ENGINE.with_borrow_mut(|engine| found_by(engine, frame))
}

fn found_by(engine: &mut Engine, frame: &[u8]) -> (RecordBatch, usize) {
    engine.start_capture("source", "capture");
    let original_length = frame.len() as u32;
    let packet = Packet { time_ns: 0, link_type: 1, original_length, data: frame, interface: 0, fcs_octets: None };
    engine.packet(&packet, 1);
    engine.finish_source();
    engine.finish_capture();
    let (rows, _, dictionaries) = engine.tables();
    let pdus = rows.pdus.take(dictionaries).expect("rows fit their columns");
    let oddities = rows.oddities.take(dictionaries).expect("rows fit their columns");
    (pdus, oddities.num_rows())
}

/// Seeds for [`check`]: each wrapping alone, with some options, and a stack of many.
pub fn seeds() -> Vec<Vec<u8>> {
    let alone = (0..KINDS).flat_map(|what| [0, 3, 0x87].map(|options| vec![what, options]));
    alone.chain([[13, 0, 14, 2, 0, 9].to_vec(), [7; 2 * MAX_STEPS].to_vec()]).collect()
}

/// Wraps the message as the octets say.
pub fn check(data: &[u8]) {
    let mut wrapping = Wrapping::new();
    let (bare, _) = found(&wrapping.frame);
    assert_eq!(bare.num_rows(), 1);
    let mut input = Input(data);
    for _ in 0..MAX_STEPS {
        if input.is_empty() {
            break;
        }
        let (what, options) = (input.u8(), input.u8());
        wrapping.wrap(what, options);
    }
    let (pdus, oddities) = found(&wrapping.frame);
    if wrapping.depth > MAX_DEPTH {
        assert_eq!((pdus.num_rows(), oddities), (0, 1), "too deep");
        return;
    }
    assert_eq!(oddities, 0);
    for (field, column) in bare.schema().fields().iter().zip(bare.columns()) {
        if !OF_THE_WRAPPING.contains(&field.name().as_str()) {
            assert_eq!(Some(column), pdus.column_by_name(field.name()), "{}", field.name());
        }
    }
}
