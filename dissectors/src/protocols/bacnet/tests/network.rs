//! Messages of the network layer and of the link (BVLC).

use super::*;

pub(super) const WHO_IS_ROUTER: &[u8] = &[
    0x01, 0x80, // NPDU: message of the network layer
    0x00, // Who-Is-Router-To-Network
    0x00, 0x04, // DNET 4
];

pub(super) const INITIALIZE_ROUTING_TABLE: &[u8] = &[
    0x01, 0x80, // NPDU: message of the network layer
    0x06, // Initialize-Routing-Table
    0x01, // 1 port
    0x00, 0x0B, 0x02, 0x00, // DNET 11, port id 2, no port info
];

pub(super) const REJECT_MESSAGE: &[u8] = &[
    0x01, 0x80, // NPDU: message of the network layer
    0x03, // Reject-Message-To-Network
    0x01, // unreachable network
    0x00, 0x04, // DNET 4
];

pub(super) const I_AM_ROUTER: &[u8] = &[
    0x01, 0x80, // NPDU: message of the network layer
    0x01, // I-Am-Router-To-Network
    0x00, 0x04, 0x00, 0x05, // DNET 4 and 5
];

pub(super) const I_COULD_BE_ROUTER: &[u8] = &[
    0x01, 0x80, // NPDU: message of the network layer
    0x02, // I-Could-Be-Router-To-Network
    0x00, 0x04, 0x07, // DNET 4, performance index 7
];

pub(super) const ROUTER_BUSY: &[u8] = &[
    0x01, 0x80, // NPDU: message of the network layer
    0x04, // Router-Busy-To-Network
    0x00, 0x04, // DNET 4
];

pub(super) const ESTABLISH_CONNECTION: &[u8] = &[
    0x01, 0x80, // NPDU: message of the network layer
    0x08, // Establish-Connection-To-Network
    0x00, 0x04, 0x1E, // DNET 4, for 30 s
];

pub(super) const NETWORK_NUMBER_IS: &[u8] = &[
    0x01, 0x80, // NPDU: message of the network layer
    0x13, // Network-Number-Is
    0x00, 0x09, 0x01, // network 9, configured
];

pub(super) const REGISTER_FOREIGN_DEVICE: &[u8] = &[
    0x81, 0x05, 0x00, 0x06, // BVLC: Register-Foreign-Device, 6 octets
    0x00, 0x3C, // time-to-live 60 s
];

pub(super) const BVLC_RESULT: &[u8] = &[
    0x81, 0x00, 0x00, 0x06, // BVLC: BVLC-Result, 6 octets
    0x00, 0x30, // Register-Foreign-Device NAK
];

pub(super) const WRITE_BDT: &[u8] = &[
    0x81, 0x01, 0x00, 0x0E, // BVLC: Write-Broadcast-Distribution-Table, 14 octets
    0x0A, 0x01, 0x02, 0x03, 0xBA, 0xC0, // 10.1.2.3:47808
    0xFF, 0xFF, 0xFF, 0xFF, // broadcast distribution mask
];

pub(super) const READ_FDT_ACK: &[u8] = &[
    0x81, 0x07, 0x00, 0x0E, // BVLC: Read-Foreign-Device-Table-Ack, 14 octets
    0x0A, 0x01, 0x02, 0x04, 0xBA, 0xC0, // 10.1.2.4:47808
    0x00, 0x3C, 0x00, 0x20, // time-to-live 60 s, 32 s left
];

pub(super) const IPV6_WHO_IS: &[u8] = &[
    0x82, 0x02, 0x00, 0x0B, // BVLC of BACnet/IPv6: Original-Broadcast-NPDU, 11 octets
    0x00, 0x00, 0x07, // source virtual address 7
    0x01, 0x00, // NPDU
    0x10, 0x08, // Unconfirmed-Request, Who-Is
];

pub(super) const DELETE_FDT_ENTRY: &[u8] = &[
    0x81, 0x08, 0x00, 0x0A, // BVLC: Delete-Foreign-Device-Table-Entry, 10 octets
    0x0A, 0x01, 0x02, 0x04, 0xBA, 0xC0, // 10.1.2.4:47808
];

pub(super) const IPV6_ADDRESS_RESOLUTION_ACK: &[u8] = &[
    0x82, 0x05, 0x00, 0x0A, // BVLC of BACnet/IPv6: Address-Resolution-ACK, 10 octets
    0x00, 0x00, 0x07, // source virtual address 7
    0x00, 0x00, 0x08, // destination virtual address 8
];

pub(super) const IPV6_VIRTUAL_ADDRESS_RESOLUTION: &[u8] = &[
    0x82, 0x06, 0x00, 0x07, // BVLC of BACnet/IPv6: Virtual-Address-Resolution, 7 octets
    0x00, 0x00, 0x07, // source virtual address 7
];

pub(super) const IPV6_REGISTER_FOREIGN_DEVICE: &[u8] = &[
    0x82, 0x09, 0x00, 0x09, // BVLC of BACnet/IPv6: Register-Foreign-Device, 9 octets
    0x00, 0x00, 0x07, // source virtual address 7
    0x00, 0x3C, // time-to-live 60 s
];

pub(super) const IPV6_RESULT: &[u8] = &[
    0x82, 0x00, 0x00, 0x09, // BVLC of BACnet/IPv6: BVLC-Result, 9 octets
    0x00, 0x00, 0x08, // source virtual address 8
    0x00, 0x90, // Register-Foreign-Device NAK
];

/// NPDU, name, operation, networks and numbers.
type Case = (&'static [u8], &'static str, Operation, &'static [u32], &'static [f64]);

#[test]
fn every_network_message_has_its_networks() {
    let cases: &[Case] = &[
        (WHO_IS_ROUTER, "who_is_router_to_network", Operation::Discover, &[4], &[]),
        (I_AM_ROUTER, "i_am_router_to_network", Operation::Discover, &[4, 5], &[]),
        (I_COULD_BE_ROUTER, "i_could_be_router_to_network", Operation::Discover, &[4], &[7.0]),
        (REJECT_MESSAGE, "reject_message_to_network", Operation::Report, &[4], &[]),
        (ROUTER_BUSY, "router_busy_to_network", Operation::Report, &[4], &[]),
        (&[0x01, 0x80, 0x05], "router_available_to_network", Operation::Report, &[], &[]),
        (INITIALIZE_ROUTING_TABLE, "initialize_routing_table", Operation::Configure, &[11], &[2.0]),
        (&[0x01, 0x80, 0x07], "initialize_routing_table_ack", Operation::Configure, &[], &[]),
        (ESTABLISH_CONNECTION, "establish_connection_to_network", Operation::Configure, &[4], &[30.0]),
        (&[0x01, 0x80, 0x09, 0x00, 0x04], "disconnect_connection_to_network", Operation::Configure, &[4], &[]),
        (&[0x01, 0x80, 0x0B, 0xDE, 0xAD], "security_payload", Operation::Unknown, &[], &[]),
        (&[0x01, 0x80, 0x12], "what_is_network_number", Operation::Discover, &[], &[]),
        (NETWORK_NUMBER_IS, "network_number_is", Operation::Discover, &[9], &[1.0]),
    ];
    for (npdu, name, operation, networks, numbers) in cases {
        let message = message(&bvlc(ORIGINAL_BROADCAST_NPDU, &[npdu]));
        assert_eq!((message.name, message.operation, &message.values[..]), (*name, *operation, *numbers));
        assert_eq!(message.objects.iter().filter_map(|object| object.start).collect::<Vec<_>>(), *networks);
    }
    let info = [0x01, 0x80, 0x06, 0x01, 0x00, 0x0B, 0x02, 0x03, b'5', b'5', b'5'];
    let table = message(&bvlc(ORIGINAL_UNICAST_NPDU, &[&info]));
    assert_eq!(table.text_of(&table.objects[0]), "555");
}

#[test]
fn addresses_that_the_standard_forbids_are_told_and_the_rest_is_decoded() {
    for (npci, offset) in [
        (&[0x01, 0x20, 0x00, 0x00, 0x00, 0xFF][..], 6), // DNET 0
        (&[0x01, 0x08, 0xFF, 0xFF, 0x01, 0x05], 6),     // SNET 65535
        (&[0x01, 0x08, 0x00, 0x04, 0x00], 6),           // SLEN 0
        (&[0x01, 0x20, 0x00, 0x04, 0x00, 0x00], 9),     // hop count 0
        (&[0x01, 0x40], 5),                             // reserved bit
    ] {
        let out = decode(&bvlc(ORIGINAL_UNICAST_NPDU, &[npci, READ_PROPERTY]));
        let (_, oddity) = &out.oddities[0];
        assert_eq!((oddity.code, oddity.layer, oddity.offset), (OddityCode::InvalidValue, "npdu", offset));
        assert_eq!((out.oddities.len(), out.messages[0].name), (1, "read_property"));
    }
}

#[test]
fn messages_of_high_priority_say_so() {
    for (control, words) in
        [(0, ""), (1, "urgent message, "), (2, "critical-equipment message, "), (3, "life-safety message, ")]
    {
        assert_eq!(message(&bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x01, control], READ_PROPERTY])).text, words);
    }
}

#[test]
fn messages_of_the_network_layer() {
    let who = message(&bvlc(ORIGINAL_BROADCAST_NPDU, &[WHO_IS_ROUTER]));
    assert_eq!((who.kind, who.function, who.message_type), (Kind::Network, Some(0), None));
    assert_eq!(who.objects, [point("network", 4)]);
    let table = message(&bvlc(ORIGINAL_UNICAST_NPDU, &[INITIALIZE_ROUTING_TABLE]));
    assert_eq!((table.operation, table.values_of(&table.objects[0])), (Operation::Configure, &[2.0][..]));
    let reject = message(&bvlc(ORIGINAL_UNICAST_NPDU, &[REJECT_MESSAGE]));
    assert_eq!((reject.status, reject.status_name), (Some(1), "unreachable_network"));
    let proprietary = message(&bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x01, 0x80, 0x81, 0x00, 0x07, 0xAA]]));
    assert_eq!((proprietary.function, proprietary.objects[0].type_number), (Some(0x81), Some(7)));
}

#[test]
fn link_messages() {
    let register = message(REGISTER_FOREIGN_DEVICE);
    assert_eq!((register.kind, register.operation), (Kind::Link, Operation::Configure));
    let Pairing::Opens(key) = register.pairing else { panic!() };
    let result = message(BVLC_RESULT);
    assert_eq!((result.pairing, result.from_client), (Pairing::Answers { key, last: true }, false));
    assert_eq!((result.status, result.status_name), (Some(0x30), "register_foreign_device_nak"));
    assert_eq!(message(WRITE_BDT).text, "10.1.2.3:47808 mask 255.255.255.255");
    let table = message(READ_FDT_ACK);
    assert_eq!((table.text.as_str(), &table.values[..]), ("10.1.2.4:47808", &[60.0, 32.0][..]));
    assert_eq!(message(DELETE_FDT_ENTRY).text, "10.1.2.4:47808");
    // BACnet/IPv6 (Annex U).
    assert_eq!(message(IPV6_REGISTER_FOREIGN_DEVICE).values, [60.0]);
    assert_eq!(message(IPV6_RESULT).status_name, "register_foreign_device_nak");
    for (datagram, objects) in
        [(IPV6_ADDRESS_RESOLUTION_ACK, &[][..]), (IPV6_VIRTUAL_ADDRESS_RESOLUTION, &[point("virtual-address", 7)])]
    {
        let resolution = message(datagram);
        assert_eq!((resolution.operation, &resolution.objects[..]), (Operation::Discover, objects));
    }
    let ipv6 = message(IPV6_WHO_IS);
    assert_eq!((ipv6.name, ipv6.link_code), ("who_is", Some(2)));
}

#[test]
fn a_wrong_length_still_yields_its_npdu() {
    for length in [0, 13, 19, 600_u16] {
        let mut datagram = unicast(WRITE_PROPERTY);
        datagram[2..4].copy_from_slice(&length.to_be_bytes());
        let out = decode(&datagram);
        assert_eq!((out.messages[0].name, &out.messages[0].values[..]), ("write_property", &[1.0][..]));
        let (index, oddity) = &out.oddities[0];
        assert_eq!((*index, oddity.code, oddity.layer, oddity.offset), (1, OddityCode::BadLength, "bvlc", 2));
        assert!(is_yes(probe(&datagram, ON_PORT, false)));
        assert!(!is_yes(probe(&datagram, OFF_PORT, false)));
    }
}

#[test]
fn an_npdu_of_another_data_link_needs_no_bvlc() {
    let npdu = [&[0x01, 0x00], I_AM].concat();
    let mut out = Output::default();
    let chunk = Chunk { bytes: &npdu, wire_length: npdu.len(), direction: Direction::Forward };
    BacnetNpdu::default().decode(chunk, &mut out);
    assert_eq!((out.messages[0].name, out.messages[0].link_code), ("i_am", None));
    assert_eq!(out.messages[0].pairing, Pairing::Alone);
    assert_eq!(out.claims.len(), 3);
}

#[test]
fn an_unreadable_npdu_is_a_link_message() {
    let out = decode(&bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x02, 0x00], READ_PROPERTY]));
    assert_eq!((out.messages[0].kind, out.messages[0].function), (Kind::Link, Some(10)));
    assert_eq!((out.oddities[0].1.code, out.oddities[0].1.offset), (OddityCode::InvalidValue, 4));
    let other = decode(&[0x16, 0x03, 0x01]);
    assert!(other.messages.is_empty());
    assert_eq!(other.oddities[0].1.code, OddityCode::NotTheProtocol);
}
