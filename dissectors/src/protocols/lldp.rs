//! LLDP (IEEE 802.1AB): what a station says of itself to its neighbours, with what PROFINET (IEC 61158-6-10), 802.1,
//! 802.3 and LLDP-MED (ANSI/TIA-1057) add.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::model::{Attribute, Operation, Protocol};
use crate::net::link::Station;
use crate::protocols::{banner, solo};
use crate::session::{Chunk, Output, Probe, Recognition};
use crate::tables::{self, neighbours};

/// Types of TLVs (IEEE 802.1AB-2016, table 8-1).
mod kind {
    pub const END: u16 = 0;
    pub const CHASSIS: u16 = 1;
    pub const PORT: u16 = 2;
    pub const PORT_DESCRIPTION: u16 = 4;
    pub const SYSTEM_NAME: u16 = 5;
    pub const SYSTEM_DESCRIPTION: u16 = 6;
    pub const CAPABILITIES: u16 = 7;
    pub const MANAGEMENT: u16 = 8;
    pub const ORGANIZATION: u16 = 127;
}

/// Identifiers of the organizations whose TLVs are read.
const IEEE_802_1: [u8; 3] = [0x00, 0x80, 0xc2];
const LLDP_MED: [u8; 3] = [0x00, 0x12, 0xbb];
const PROFINET: [u8; 3] = [0x00, 0x0e, 0xcf];

/// Tells from what a frame carries whether it is LLDP: chassis, port and time to live come first (8.2).
pub fn probe_frame(probe: &Probe<'_>) -> Recognition {
    match probe.datagram() {
        [0x02, 2..=255, ..] => solo::recognised(Protocol::Lldp, read),
        _ => Recognition::No,
    }
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    let mut activity = Activity::new(chunk.direction, "announce", Operation::Report);
    let mut cursor = Cursor::new(chunk.bytes);
    let mut name = String::new();
    let mut addresses = Vec::new();
    // A TLV that is cut ends the announcement; what was read before it was said.
    while let Ok(header) = cursor.u16_be("TLV") {
        let (kind, length) = (header >> 9, usize::from(header & 0x01ff));
        let Ok(value) = cursor.take(length, "TLV value") else { break };
        match kind {
            kind::END => break,
            kind::CHASSIS => activity.put(Field::NeighbourChassis, identifier(value, chassis_is)),
            kind::PORT => activity.put(Field::NeighbourPort, identifier(value, port_is)),
            kind::PORT_DESCRIPTION => activity.put(Field::NeighbourDescription, printable(value)),
            kind::SYSTEM_NAME => {
                name = printable(value);
                activity.put(Field::NeighbourSystem, &*name);
                out.sender_is(Attribute::Hostname, &*name);
            }
            kind::SYSTEM_DESCRIPTION => {
                let text = printable(value);
                activity.put(Field::NeighbourPlatform, &*text);
                description(&text, out);
            }
            kind::CAPABILITIES => capabilities(value, &mut activity, out).unwrap_or_default(),
            kind::MANAGEMENT => addresses.extend(management(value).ok().flatten()),
            kind::ORGANIZATION => organization(value, &mut activity, out).unwrap_or_default(),
            _ => {}
        }
    }
    // A port without an address announces 0.0.0.0.
    for address in addresses.into_iter().filter(|address: &IpAddr| !address.is_unspecified()) {
        activity.put(Field::NeighbourAddress, address.to_string());
        out.sender_is(Attribute::Address, address.to_string());
        out.host_is(address, Attribute::Hostname, &*name);
    }
    out.activity(activity);
}

/// What an identifier is, by its subtype.
enum Is {
    Mac,
    Address,
    Text,
}

const fn chassis_is(subtype: u8) -> Is {
    match subtype {
        4 => Is::Mac,
        5 => Is::Address,
        _ => Is::Text,
    }
}

const fn port_is(subtype: u8) -> Is {
    match subtype {
        3 => Is::Mac,
        4 => Is::Address,
        _ => Is::Text,
    }
}

fn identifier(value: &[u8], is: fn(u8) -> Is) -> String {
    let Some((subtype, octets)) = value.split_first() else { return String::new() };
    match is(*subtype) {
        Is::Mac => octets.try_into().map_or(printable(octets), |mac| Station::Mac(mac).to_string()),
        Is::Address => address(octets).map(|address| address.to_string()).unwrap_or_default(),
        Is::Text => printable(octets),
    }
}

/// A family of addresses (IANA) and an address.
fn address(octets: &[u8]) -> Option<IpAddr> {
    match octets {
        [1, rest @ ..] => Some(Ipv4Addr::from(*rest.first_chunk::<4>()?).into()),
        [2, rest @ ..] => Some(Ipv6Addr::from(*rest.first_chunk::<16>()?).into()),
        _ => None,
    }
}

/// `length | family | address | interface | object` (8.5.9).
fn management(value: &[u8]) -> Result<Option<IpAddr>, Short> {
    let mut cursor = Cursor::new(value);
    let length = usize::from(cursor.u8("management address string length")?);
    Ok(address(cursor.take(length, "management address")?))
}

/// What the system can be and what of it is enabled (8.5.8).
fn capabilities(value: &[u8], activity: &mut Activity, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(value);
    cursor.u16_be("system capabilities")?;
    let enabled = cursor.u16_be("enabled capabilities")?;
    told_capabilities(neighbours::LLDP_CAPABILITIES, u32::from(enabled), activity, out);
    Ok(())
}

/// Capabilities by their bits, and the roles that they hint at.
pub(super) fn told_capabilities(table: &'static [tables::Code], bits: u32, activity: &mut Activity, out: &mut Output) {
    let codes: Vec<_> = table.iter().filter(|code| bits >> code.code & 1 == 1).collect();
    activity.put(Field::NeighbourCapabilities, codes.iter().map(|code| code.name).collect::<Vec<_>>().join(", "));
    codes.iter().for_each(|code| out.sender_is(Attribute::RoleHint, code.kind));
}

fn organization(value: &[u8], activity: &mut Activity, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(value);
    let organization = cursor.take(3, "OUI")?;
    let subtype = cursor.u8("subtype")?;
    let is = |oui: [u8; 3]| organization == oui;
    match subtype {
        1 if is(IEEE_802_1) => activity.put(Field::NeighbourVlan, cursor.u16_be("PVID")?.to_string()),
        // The MAC address of the whole device (IEC 61158-6-10, LLDP_PNIO_CHASSIS_MAC).
        5 if is(PROFINET) => {
            if let Some(mac) = cursor.take(6, "chassis MAC")?.first_chunk::<6>() {
                out.sender_is(Attribute::Mac, Station::Mac(*mac).to_string());
            }
        }
        5..=11 if is(LLDP_MED) => {
            let attribute = match subtype {
                5 => Attribute::Hardware,
                6 => Attribute::Firmware,
                7 => Attribute::Version,
                8 => Attribute::Serial,
                9 => Attribute::Vendor,
                10 => Attribute::Model,
                _ => Attribute::Name,
            };
            out.sender_is(attribute, printable(cursor.rest()));
        }
        _ => {}
    }
    Ok(())
}

/// A system's description. Automation devices have it in parts: maker, families, order number, `HW:`, `FW:`, and
/// behind `S ` the serial number. Computers with PROFINET's service have maker and model, version, serial number.
fn description(text: &str, out: &mut Output) {
    out.sender_is(Attribute::Description, text);
    let parts: Vec<_> = text.split(',').map(str::trim).collect();
    let [vendor, between @ ..] = &*parts else { return };
    let Some(hardware) = between.iter().position(|part| part.starts_with("HW:")) else {
        return match (text.split(',').count(), &*parts) {
            (3, [product, _, serial]) if !serial.contains(' ') => computer(product, serial, out),
            _ => banner::greeting(text.as_bytes(), out),
        };
    };
    out.sender_is(Attribute::Vendor, *vendor);
    // The order number is before the versions, and the product before that.
    if let [.., product, order] = &between[..hardware] {
        out.sender_is(Attribute::Product, *product);
        out.sender_is(Attribute::Model, *order);
    }
    for part in &between[hardware..] {
        let values = [("HW:", Attribute::Hardware), ("FW:", Attribute::Firmware), ("S ", Attribute::Serial)];
        for (prefix, attribute) in values {
            let value = part.strip_prefix(prefix).map(|value| value.trim().trim_start_matches("Version").trim());
            out.sender_is(attribute, value.unwrap_or_default());
        }
    }
}

/// What a computer's description says. The name of a maker ends with the form of its company.
fn computer(product: &str, serial: &str, out: &mut Output) {
    const FORMS: [&str; 8] = ["inc.", "inc", "ltd.", "co.", "corp.", "corporation", "gmbh", "ag"];
    let words: Vec<_> = product.split_whitespace().collect();
    let is_form = |word: &&str| FORMS.contains(&&*word.to_ascii_lowercase());
    let maker = words.iter().position(is_form).map_or(1, |place| place + 1).min(words.len());
    let (maker, model) = words.split_at(maker);
    out.sender_is(Attribute::Vendor, maker.join(" "));
    out.sender_is(Attribute::Model, model.join(" "));
    out.sender_is(Attribute::Serial, serial);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

    fn tlv(kind: u16, value: &[u8]) -> Vec<u8> {
        [&(kind << 9 | value.len() as u16).to_be_bytes(), value].concat()
    }

    fn announcement(tlvs: &[(u16, &[u8])]) -> Vec<u8> {
        let fixed: [(u16, &[u8]); 3] = [(1, b"\x04\x00\x0e\x8c\x20\x20\x02"), (2, b"\x07port-001"), (3, &[0, 20])];
        fixed.iter().chain(tlvs).chain(&[(0, &[][..])]).flat_map(|(kind, value)| tlv(*kind, value)).collect()
    }

    #[test]
    fn what_is_announced() {
        let siemens: &[u8] =
            b"Siemens, SIMATIC NET, SCALANCE X208, 6GK5 208-0BA10-2AA3, HW: Version 4, FW: Version V04.05, S VPA1234567";
        let known = "announce neighbour.chassis=00:0e:8c:20:20:02 neighbour.port=port-001";
        type Case<'a> = (&'a [(u16, &'a [u8])], &'a str, &'a [&'a str]);
        let cases: &[Case<'_>] = &[
            (&[], "", &[]),
            (
                &[(5, b"sw-1"), (7, &[0, 0x14, 0, 0x04]), (8, &[5, 1, 10, 20, 1, 2, 2, 0, 0, 0, 1, 0])],
                " neighbour.system=sw-1 neighbour.capabilities=bridge neighbour.management_address=10.20.1.2",
                &["hostname=sw-1", "role_hint=switch", "address=10.20.1.2", "10.20.1.2 hostname=sw-1"],
            ),
            (
                &[(6, siemens)],
                " neighbour.platform=Siemens, SIMATIC NET, SCALANCE X208, 6GK5 208-0BA10-2AA3, HW: Version 4, \
                 FW: Version V04.05, S VPA1234567",
                &[
                    "description=Siemens, SIMATIC NET, SCALANCE X208, 6GK5 208-0BA10-2AA3, HW: Version 4, \
                     FW: Version V04.05, S VPA1234567",
                    "vendor=Siemens",
                    "product=SCALANCE X208",
                    "model=6GK5 208-0BA10-2AA3",
                    "hardware=4",
                    "firmware=V04.05",
                    "serial=VPA1234567",
                ],
            ),
            (
                &[(6, b"Example Inc. Tower 7,1.0,SN4711"), (8, &[5, 1, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0])],
                " neighbour.platform=Example Inc. Tower 7,1.0,SN4711",
                &[
                    "description=Example Inc. Tower 7,1.0,SN4711",
                    "vendor=Example Inc.",
                    "model=Tower 7",
                    "serial=SN4711",
                ],
            ),
            (
                &[(6, b"Linux box 5.10")],
                " neighbour.platform=Linux box 5.10",
                &["description=Linux box 5.10", "operating_system=Linux"],
            ),
            (
                &[
                    (127, b"\x00\x80\xc2\x01\x00\x14"),
                    (127, b"\x00\x12\xbb\x08PH-77"),
                    (127, b"\x00\x12\xbb\x0aIP 4"),
                    (127, b"\x00\x0e\xcf\x05\x00\x0e\x8c\x01\x02\x03"),
                    (127, b"\x00\x0e\xcf\x63"),
                    (99, b"?"),
                ],
                " neighbour.vlan=20",
                &["serial=PH-77", "model=IP 4", "mac=00:0e:8c:01:02:03"],
            ),
        ];
        for (tlvs, more, claims) in cases {
            let bytes = announcement(tlvs);
            let out = hear(read, &bytes);
            assert_eq!(told(&out), [format!("{known}{more}")]);
            assert_eq!(claimed(&out), *claims);
            cut_everywhere(read, &bytes);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            hear(read, &bytes);
        }
    }
}
