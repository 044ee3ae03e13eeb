//! What DP services say: parameters, configuration, diagnosis, control, addresses, records.

use super::Draft;
use super::telegram::Frame;
use crate::model::{Attribute, Object, Operation};
use crate::tables::{Code, profibus as codes};

const CHECK_CONFIGURATION: u16 = 62;
const SET_PARAMETERS: u16 = 61;
const SLAVE_DIAGNOSIS: u16 = 60;
const GET_CONFIGURATION: u16 = 59;
const GLOBAL_CONTROL: u16 = 58;
const READ_OUTPUTS: u16 = 57;
const READ_INPUTS: u16 = 56;
const SET_SLAVE_ADDRESS: u16 = 55;
const READ_RECORD: u16 = 94;
const WRITE_RECORD: u16 = 95;
const FDL_STATUS: u16 = 265;

/// Points that only masters of class 2 ask: connections and the resource manager.
const OF_CLASS_2: std::ops::RangeInclusive<u8> = 0..=49;
/// Octets of Set_Prm and of a diagnosis without what follows them.
const PARAMETERS: usize = 7;
const DIAGNOSIS: usize = 6;
/// Bits of Set_Prm.
const WATCHDOG: u8 = 0x08;
const UNLOCK: u8 = 0x40;
/// In the first octet of DP-V1's parameters: the watchdog counts milliseconds, not tens of them.
const WATCHDOG_MS: u8 = 0x04;
/// Bit of Global_Control.
const CLEAR: u8 = 0x02;
/// No master has parameterised the slave.
const NO_MASTER: u8 = 255;

/// Reads the data of a request.
pub(super) fn request(function: u16, frame: &Frame<'_>, draft: &mut Draft) {
    let data = frame.data;
    let is_class_2 = frame.to_point.is_some_and(|point| OF_CLASS_2.contains(&point))
        || (frame.to_point.is_some() && (SET_SLAVE_ADDRESS..=READ_OUTPUTS).contains(&function));
    if is_class_2 {
        draft.claim(true, Attribute::RoleHint, "profibus-master-class-2");
    }
    match function {
        super::DATA_EXCHANGE => octets("output", data.len(), draft),
        SET_PARAMETERS => parameters(frame, draft),
        CHECK_CONFIGURATION => configuration(frame, draft),
        GLOBAL_CONTROL => control(frame, draft),
        SET_SLAVE_ADDRESS => address(frame, draft),
        READ_RECORD | WRITE_RECORD => record(frame, draft),
        _ => {}
    }
}

/// Reads the data of an answer.
pub(super) fn answer(function: u16, frame: &Frame<'_>, draft: &mut Draft) {
    match function {
        super::DATA_EXCHANGE | READ_INPUTS => octets("input", frame.data.len(), draft),
        READ_OUTPUTS => octets("output", frame.data.len(), draft),
        GET_CONFIGURATION => configuration(frame, draft),
        SLAVE_DIAGNOSIS => diagnosis(frame, draft),
        READ_RECORD | WRITE_RECORD if draft.message.status.is_none() => record(frame, draft),
        FDL_STATUS => {
            if let Some(station) = crate::tables::find(codes::STATIONS, frame.station().into()) {
                draft.object(Object { kind: "station", count: 1, ..Object::default() }, [], station.name);
                draft.claim(true, Attribute::RoleHint, station.kind);
            }
        }
        _ => {}
    }
}

/// Cyclic data. What its octets mean is in the device's description (GSD), not in the telegrams: they are counted.
fn octets(kind: &'static str, count: usize, draft: &mut Draft) {
    if count > 0 {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        draft.object(Object { kind, start: Some(0), count, ..Object::default() }, [], "");
    }
}

/// Names of the bits that are set.
fn words(table: &'static [Code], page: u32, octet: u8) -> impl Iterator<Item = &'static str> {
    let bits = table.iter().filter(move |code| code.code & !0xff == page && code.code & u32::from(octet) & 0xff != 0);
    bits.map(|code| code.name)
}

/// An ident number as people write it.
fn ident(high: u8, low: u8) -> String {
    format!("PROFIBUS ident 0x{high:02x}{low:02x}")
}

/// Set_Prm: `status | watchdog factors (2) | min TSDR | ident number (2) | groups | parameters of DP-V1 and the user`.
fn parameters(frame: &Frame<'_>, draft: &mut Draft) {
    let &[status, first, second, tsdr, high, low, groups, ref user @ ..] = frame.data else {
        return draft.lacks(frame, &format!("{PARAMETERS} octets of parameters"));
    };
    let unit = if user.first().is_some_and(|octet| octet & WATCHDOG_MS != 0) { 1 } else { 10 };
    let watchdog = u32::from(first) * u32::from(second) * unit;
    let mut said: Vec<String> = words(codes::PARAMETERS, 0, status).map(String::from).collect();
    if status & WATCHDOG != 0 {
        said.push(format!("watchdog {watchdog} ms"));
    }
    said.push(format!("min TSDR {tsdr}"));
    said.push(ident(high, low));
    if groups != 0 {
        said.push(format!("groups 0x{groups:02x}"));
    }
    if !user.is_empty() {
        said.push(format!("{} octets of the user", user.len()));
    }
    let number = f64::from(u16::from_be_bytes([high, low]));
    let values = [f64::from(status), f64::from(watchdog), f64::from(tsdr), number, f64::from(groups)];
    draft.object(Object { kind: "slave-parameters", count: 1, ..Object::default() }, values, &said.join(", "));
    draft.claim(true, Attribute::RoleHint, "profibus-master-class-1");
    draft.claim(false, Attribute::RoleHint, "profibus-slave");
    if status & UNLOCK == 0 && (high, low) != (0, 0) {
        draft.claim(false, Attribute::Model, ident(high, low));
    }
}

/// Chk_Cfg and the answer of Get_Cfg: an identifier a module, in its compact form or with octets behind it.
fn configuration(frame: &Frame<'_>, draft: &mut Draft) {
    let mut rest = frame.data;
    let mut slot = 0;
    while let Some((&identifier, behind)) = rest.split_first() {
        let amount = |octet: u8, is_long: bool| {
            let (count, is_word) = if is_long {
                (u32::from(octet & 0x3f) + 1, octet & 0x40 != 0)
            } else {
                (u32::from(octet & 0x0f) + 1, octet & 0x40 != 0)
            };
            (count, if is_word { 2 } else { 1 })
        };
        let (mut said, mut size, mut used) = (Vec::new(), 0, 0);
        let mut put = |way: &str, (count, octets): (u32, u32)| {
            said.push(format!("{count} {} {way}", if octets == 2 { "words" } else { "octets" }));
            size += count * octets;
        };
        if identifier & 0x30 != 0 {
            let amount = amount(identifier, false);
            if identifier & 0x10 != 0 {
                put("in", amount);
            }
            if identifier & 0x20 != 0 {
                put("out", amount);
            }
        } else {
            // The special form: outputs before inputs, then octets of the maker.
            let ways: &[&str] = match identifier >> 6 {
                0 => &[],
                1 => &["in"],
                2 => &["out"],
                _ => &["out", "in"],
            };
            for way in ways {
                let Some(length) = behind.get(used) else { return draft.lacks(frame, "whole module identifiers") };
                put(way, amount(*length, true));
                used += 1;
            }
            used += match identifier & 0x0f {
                15 => 0,
                own => usize::from(own),
            };
        }
        let text = if said.is_empty() { "empty".to_string() } else { said.join(", ") };
        draft.object(Object { kind: "module", start: Some(slot), count: size, ..Object::default() }, [], &text);
        slot += 1;
        let Some(next) = behind.get(used..) else { return draft.lacks(frame, "whole module identifiers") };
        rest = next;
    }
}

/// A diagnosis: `three octets of states | master's address | ident number (2) | blocks of the device`.
fn diagnosis(frame: &Frame<'_>, draft: &mut Draft) {
    let &[first, second, third, master, high, low, ref blocks @ ..] = frame.data else {
        return draft.lacks(frame, &format!("{DIAGNOSIS} octets of diagnosis"));
    };
    let mut said: Vec<String> = [(0, first), (256, second), (512, third)]
        .into_iter()
        .flat_map(|(page, octet)| words(codes::DIAGNOSIS, page, octet))
        .map(String::from)
        .collect();
    said.push(if master == NO_MASTER { "no master".to_string() } else { format!("master {master}") });
    said.push(ident(high, low));
    let mut rest = blocks;
    while let Some(&header) = rest.first() {
        let (what, length) = match header >> 6 {
            0 => ("device", usize::from(header & 0x3f)),
            1 => ("modules", usize::from(header & 0x3f)),
            2 => ("channel", 3),
            _ => ("revision", 1),
        };
        let Some(next) = rest.get(length.max(1)..) else {
            draft.lacks(frame, "whole blocks of extended diagnosis");
            break;
        };
        said.push(format!("{what} diagnosis of {length} octets"));
        rest = next;
    }
    let number = f64::from(u16::from_be_bytes([high, low]));
    let values = [f64::from(first), f64::from(second), f64::from(third), f64::from(master), number];
    draft.object(Object { kind: "diagnosis", count: 1, ..Object::default() }, values, &said.join(", "));
    draft.claim(true, Attribute::RoleHint, "profibus-slave");
    if (high, low) != (0, 0) {
        draft.claim(true, Attribute::Model, ident(high, low));
    }
}

/// Global_Control: `command | groups`.
fn control(frame: &Frame<'_>, draft: &mut Draft) {
    let &[command, groups, ..] = frame.data else { return draft.lacks(frame, "a command and groups") };
    if command & CLEAR != 0 {
        draft.message.operation = Operation::Stop;
    }
    let said: Vec<&str> = words(codes::CONTROL, 0, command).collect();
    let text = if said.is_empty() { "operate".to_string() } else { said.join(", ") };
    let object = Object { kind: "group", count: 1, ..Object::default() };
    draft.object(object, [f64::from(command), f64::from(groups)], &text);
    draft.claim(true, Attribute::RoleHint, "profibus-master-class-1");
}

/// Set_Slave_Add: `new address | ident number (2) | no further change | remanent data`.
fn address(frame: &Frame<'_>, draft: &mut Draft) {
    let &[new, high, low, fixed, ..] = frame.data else {
        return draft.lacks(frame, "a new address, an ident number, and whether it may change again");
    };
    let again = if fixed == 0 { "" } else { ", for good" };
    let object = Object { kind: "station", start: Some(new.into()), count: 1, ..Object::default() };
    draft.object(object, [f64::from(new)], &format!("address {new}, {}{again}", ident(high, low)));
}

/// Records of DP-V1: `function | slot | index | length | data`.
fn record(frame: &Frame<'_>, draft: &mut Draft) {
    let &[_, slot, index, length, ..] = frame.data else { return draft.lacks(frame, "slot, index and length") };
    let (start, count) = (Some(index.into()), length.into());
    let object = Object { kind: "data-record", start, count, index: Some(slot.into()), ..Object::default() };
    draft.object(object, [], "");
}
