//! Conversations of plants: Modbus/TCP, DNP3 over TCP, BACnet/IP. A round is one poll.

use super::talk::{Random, Talk};
use super::wire::Side::{Client, Server};

/// One Modbus response in so many brings registers that changed since the last; of these registers, too, one in so many
/// changed.
pub const CHANGED: u64 = 4;
/// One Modbus transaction of so many is a write.
const WRITE_EVERY: u64 = 1_201;
/// Between the polls of a connection, in microseconds: Modbus, DNP3, BACnet.
const PACES: [u64; 3] = [1_250_000, 2_000_000, 1_000_000];
/// Levels that a value goes through, up and down again.
const LEVELS: u64 = 64;

/// True where the conversation goes on; else it was closed.
fn goes_on(talk: &mut Talk) -> bool {
    let goes_on = talk.round < talk.life;
    if !goes_on {
        talk.close();
        talk.is_over = true;
    }
    goes_on
}

/// A value after so many changes.
fn level(base: u64, changes: u64) -> u64 {
    let place = changes % LEVELS;
    (base & 0x3fff) + place.min(LEVELS - place)
}

/// Modbus/TCP: a block of holding registers is read, rarely one is written.
pub fn modbus(talk: &mut Talk, _: &mut Random) {
    if talk.round == 0 {
        talk.open();
    } else if !goes_on(talk) {
        return;
    }
    let server = talk.index;
    let start = ((100 * (server % 7) + 32 * talk.moved) % 60_000) as u16;
    let quantity = 4 + server % 29;
    let header = |length: u64| {
        let [[a, b], [c, d]] = [(talk.round + 1) as u16, length as u16].map(u16::to_be_bytes);
        vec![a, b, 0, 0, c, d, 1]
    };
    let (mut request, mut response);
    if (talk.round * 525 + talk.index) % WRITE_EVERY == WRITE_EVERY - 1 {
        request = header(6);
        request.push(6);
        request.extend(start.to_be_bytes());
        request.extend((talk.round as u16).to_be_bytes());
        response = request.clone();
    } else {
        request = header(6);
        request.push(3);
        request.extend(start.to_be_bytes());
        request.extend((quantity as u16).to_be_bytes());
        response = header(3 + 2 * quantity);
        response.extend([3, 2 * quantity as u8]);
        let steps = (talk.round + server) / CHANGED;
        for place in 0..quantity {
            let value = level(server * 31 + place * 7, (steps + place) / CHANGED);
            response.extend((value as u16).to_be_bytes());
        }
    }
    talk.tcp(Client, &request);
    talk.wait(950);
    talk.tcp(Server, &response);
    talk.wait(PACES[0] - 950 - 24);
}

/// The CRC of DNP3's link layer (IEEE 1815-2012, 9.2.4.1), octet by octet.
const CRC: [u16; 256] = {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let (mut value, mut bit) = (octet as u16, 0);
        while bit < 8 {
            value = if value & 1 != 0 { value >> 1 ^ 0xa6bc } else { value >> 1 };
            bit += 1;
        }
        table[octet] = value;
        octet += 1;
    }
    table
};

fn crc(octets: &[u8]) -> [u8; 2] {
    let value = octets.iter().fold(0, |value: u16, octet| value >> 8 ^ CRC[usize::from(value as u8 ^ octet)]);
    (!value).to_le_bytes()
}

/// A fragment in link frames: unconfirmed user data.
fn dnp3_frames(control: u8, to: u16, from: u16, transport: u64, fragment: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let count = fragment.len().div_ceil(249);
    for (number, segment) in fragment.chunks(249).enumerate() {
        let (first, last) = (u8::from(number == 0), u8::from(number + 1 == count));
        let mut header = vec![0x05, 0x64, 6 + segment.len() as u8, control];
        header.extend(to.to_le_bytes());
        header.extend(from.to_le_bytes());
        out.extend(&header);
        out.extend(crc(&header));
        let mut data = vec![last << 7 | first << 6 | ((transport + number as u64) % 64) as u8];
        data.extend_from_slice(segment);
        for block in data.chunks(16) {
            out.extend_from_slice(block);
            out.extend(crc(block));
        }
    }
    out
}

/// DNP3: events of three classes are polled and confirmed, and at every fifteenth poll all that stands.
pub fn dnp3(talk: &mut Talk, random: &mut Random) {
    if talk.round == 0 {
        talk.open();
    } else if !goes_on(talk) {
        return;
    }
    let (master, outstation) = (1, 10 + ((talk.index + talk.moved) % 60_000) as u16);
    let sequence = 0xc0 | (talk.round % 16) as u8;
    let is_integrity = talk.round % 15 == 0;
    let mut request = vec![sequence, 1];
    let classes: &[u8] = if is_integrity { &[2, 3, 4, 1] } else { &[2, 3, 4] };
    request.extend(classes.iter().flat_map(|class| [60, *class, 6]));
    let events = if random.once_in(2) { random.within(1..6) } else { 0 };
    let confirms = u8::from(events > 0);
    let mut response = vec![sequence | confirms << 5, 129, 0, 0];
    if events > 0 {
        // Group 32, variation 3: analog input event, 32 bits, with flag and time.
        response.extend([32, 3, 0x17, events as u8]);
        for _ in 0..events {
            response.extend([random.within(0..40) as u8, 1]);
            response.extend((random.within(0..5_000) as u32).to_le_bytes());
            response.extend((1_750_000_000_000 + talk.clock / 1_000).to_le_bytes()[..6].iter());
        }
    }
    if is_integrity {
        // Group 30, variation 1: analog input, 32 bits, with flag. Group 1, variation 2: binary input with flags.
        response.extend([30, 1, 0, 0, 39]);
        for place in 0..40 {
            response.push(1);
            response.extend((level(talk.index * 17 + place, talk.round + place) as u32).to_le_bytes());
        }
        response.extend([1, 2, 0, 0, 31]);
        response.extend([0x81; 32]);
    }
    talk.tcp(Client, &dnp3_frames(0xc4, outstation, master, 2 * talk.round, &request));
    talk.wait(4_000);
    talk.tcp(Server, &dnp3_frames(0x44, master, outstation, 3 * talk.round, &response));
    if events > 0 {
        talk.wait(300);
        talk.tcp(Client, &dnp3_frames(0xc4, outstation, master, 2 * talk.round + 1, &[sequence, 0]));
    }
    talk.wait(PACES[1]);
}

fn object(kind: u32, instance: u64) -> [u8; 4] {
    (kind << 22 | instance as u32 & 0x3f_ffff).to_be_bytes()
}

/// BACnet/IP: present values are read, eight at once at every third poll; rarely devices are looked for or report.
pub fn bacnet(talk: &mut Talk, random: &mut Random) {
    const ANALOG_INPUT: u32 = 0;
    const DEVICE: u32 = 8;
    if talk.round >= talk.life {
        return talk.is_over = true;
    }
    let bvlc = |function: u8, apdu: &[u8], expects_reply: bool| {
        let mut out = vec![0x81, function];
        out.extend((6 + apdu.len() as u16).to_be_bytes());
        out.extend([1, 4 * u8::from(expects_reply)]);
        out.extend_from_slice(apdu);
        out
    };
    let device = 1_000 + talk.index + 100 * talk.moved;
    let invoke = talk.round as u8;
    let objects = if talk.round % 3 == 2 { 8 } else { 1 };
    let first = (talk.round + 50 * talk.moved) % 4_000_000 / 3 * 3;
    let (mut request, mut answer);
    if objects == 1 {
        // ReadProperty (ASHRAE 135, 15.5) of the present value, 85.
        request = vec![0x00, 5, invoke, 12];
        answer = vec![0x30, invoke, 12];
        for apdu in [&mut request, &mut answer] {
            apdu.push(0x0c);
            apdu.extend(object(ANALOG_INPUT, (first + 1) % 40 + 40 * talk.moved));
            apdu.extend([0x19, 85]);
        }
        answer.extend([0x3e, 0x44]);
        answer.extend((level(talk.index, talk.round / 4) as f32 / 8.0).to_be_bytes());
        answer.push(0x3f);
    } else {
        // ReadPropertyMultiple (15.7).
        request = vec![0x00, 5, invoke, 14];
        answer = vec![0x30, invoke, 14];
        for place in 0..objects {
            let object = object(ANALOG_INPUT, place + 8 * talk.moved);
            request.push(0x0c);
            request.extend(object);
            request.extend([0x1e, 0x09, 85, 0x1f]);
            answer.push(0x0c);
            answer.extend(object);
            answer.extend([0x1e, 0x29, 85, 0x4e, 0x44]);
            answer.extend((level(talk.index + place, talk.round / 6 + place) as f32 / 8.0).to_be_bytes());
            answer.extend([0x4f, 0x1f]);
        }
    }
    if random.once_in(200) {
        // Who-Is, and the I-Am that follows.
        talk.broadcast(&bvlc(0x0b, &[0x10, 8], false));
        let mut apdu = vec![0x10, 0, 0xc4];
        apdu.extend(object(DEVICE, device));
        apdu.extend([0x22, 0x05, 0xc4, 0x91, 0x03, 0x21, 0x24]);
        talk.wait(2_000);
        talk.udp(Server, &bvlc(0x0a, &apdu, false));
    }
    talk.udp(Client, &bvlc(0x0a, &request, true));
    talk.wait(3_000);
    talk.udp(Server, &bvlc(0x0a, &answer, false));
    if random.once_in(6) {
        // UnconfirmedCOVNotification (13.7): process, device, object, time left, present value.
        let mut apdu = vec![0x10, 2, 0x09, 1, 0x1c];
        apdu.extend(object(DEVICE, device));
        apdu.push(0x2c);
        apdu.extend(object(ANALOG_INPUT, random.within(0..40)));
        apdu.extend([0x39, 0, 0x4e, 0x09, 85, 0x2e, 0x44]);
        apdu.extend((random.within(0..400) as f32 / 8.0).to_be_bytes());
        apdu.extend([0x2f, 0x4f]);
        talk.wait(100_000);
        talk.udp(Server, &bvlc(0x0a, &apdu, false));
    }
    talk.wait(PACES[2]);
}
