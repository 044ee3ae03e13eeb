//! Exchanges and messages behind an MBAP header, in streams and datagrams.

use super::*;

#[test]
fn a_response_that_contradicts_its_request_is_a_mismatch() {
    let mut other_quantity = READ_THREE_REGISTERS.to_vec();
    other_quantity[11] = 4;
    let out = last_of(&mut session(), &[(&other_quantity, TO_SERVER), (THREE_REGISTERS, TO_CLIENT)]);
    assert_eq!(oddities(&out), [OddityCode::Mismatch]);
    let mut other_address = TWO_REGISTERS_WRITTEN.to_vec();
    other_address[9] = 9;
    let out = last_of(&mut session(), &[(WRITE_TWO_REGISTERS, TO_SERVER), (&other_address, TO_CLIENT)]);
    assert_eq!(oddities(&out), [OddityCode::Mismatch]);
    let out = last_of(&mut session(), &[(WRITE_TWO_REGISTERS, TO_SERVER), (TWO_REGISTERS_WRITTEN, TO_CLIENT)]);
    assert!(out.oddities.is_empty());
}

#[test]
fn one_transaction_identifier_for_all_does_not_mix_up_addresses() {
    let mut elsewhere = READ_THREE_REGISTERS.to_vec();
    elsewhere[9] = 0x70;
    let pipelined = [(READ_THREE_REGISTERS, TO_SERVER), (&elsewhere[..], TO_SERVER), (THREE_REGISTERS, TO_CLIENT)];
    let mut session = session();
    assert_eq!(last_of(&mut session, &pipelined).messages[0].objects[0].start, None);
    let again = [(READ_THREE_REGISTERS, TO_SERVER), (THREE_REGISTERS, TO_CLIENT)];
    assert_eq!(last_of(&mut session, &again).messages[0].objects[0].start, Some(107));
}

#[test]
fn requests_under_one_identifier_are_answered_in_order_or_as_they_fit() {
    let mut two_registers = READ_THREE_REGISTERS.to_vec();
    (two_registers[9], two_registers[11]) = (0x70, 2);
    let two_values: &[u8] = &[THREE_REGISTERS[0], THREE_REGISTERS[1], 0, 0, 0, 7, 17, 3, 4, 0, 5, 0, 6];
    /// Answers in the order in which they come, and the request and address that each is of.
    type Case<'a> = ([&'a [u8]; 2], [(usize, Option<u32>); 2]);
    let cases: [Case; 2] = [
        ([THREE_REGISTERS, two_values], [(0, Some(107)), (1, Some(112))]),
        ([two_values, THREE_REGISTERS], [(1, Some(112)), (0, Some(107))]),
    ];
    for (answers, expected) in cases {
        let mut session = session();
        let asked = [READ_THREE_REGISTERS, &two_registers[..]]
            .map(|request| request_key(last_of(&mut session, &[(request, TO_SERVER)]).messages[0].pairing));
        assert_ne!(asked[0], asked[1]);
        for (answer, (request, start)) in answers.into_iter().zip(expected) {
            let out = last_of(&mut session, &[(answer, TO_CLIENT)]);
            let found = (response_key(out.messages[0].pairing), out.messages[0].objects[0].start);
            assert_eq!(found, (asked[request], start));
        }
    }
}

#[test]
fn an_evident_mistake_about_the_sides_is_mended() {
    let mut session = MbapSession::new(Sides::new(TO_CLIENT));
    let polls = [(READ_THREE_REGISTERS, TO_SERVER), (THREE_REGISTERS, TO_CLIENT)].repeat(2);
    let out = last_of(&mut session, &polls);
    assert!(!out.messages[0].from_client);
}

#[test]
fn a_stream_is_framed_and_finds_its_way_back() {
    let mut session = session();
    assert_eq!(session.frame(TO_SERVER, &READ_THREE_REGISTERS[..2]), Framing::NeedMore);
    assert_eq!(session.frame(TO_SERVER, &READ_THREE_REGISTERS[..6]), Framing::Message(12));
    assert_eq!(session.frame(TO_SERVER, b"GET / HTTP/1.1\r\n"), Framing::NotMine);
    let dirty = [&[0x07, 0xD0, 0x00, 0x11, 0x01][..], READ_THREE_REGISTERS, WRITE_REGISTER_1].concat();
    assert_eq!(session.resync(TO_SERVER, &dirty), Some(5));
    assert_eq!(session.resync(TO_SERVER, b"no message of this protocol is in here"), None);
}

#[test]
fn a_header_within_which_another_message_starts_is_no_start() {
    // The second message has the place of the first one's unit and function.
    let octets = [0x01, 0x00, 0x00, 0x00, 0x00, 0x0C, 0x01, 0x08, 0x00, 0x00, 0x00, 0x06, 0x01, 0x01];
    let mut session = session();
    assert_eq!(session.frame(TO_SERVER, &octets), Framing::NotMine);
    assert_eq!(session.resync(TO_SERVER, &octets), Some(6));
    assert_eq!(session.frame(TO_SERVER, &octets[6..]), Framing::Message(12));
}

#[test]
fn a_datagram_may_hold_two_messages_and_a_rest() {
    let datagram = [READ_THREE_REGISTERS, WRITE_REGISTER_1, &[0xAA]].concat();
    let out = decoded(&datagram, TO_SERVER);
    assert_eq!(out.messages.len(), 2);
    assert_eq!(oddities(&out), [OddityCode::TrailingOctets]);
    let wrong_length = [&READ_THREE_REGISTERS[..4], &[0x00, 0x30], &READ_THREE_REGISTERS[6..]].concat();
    let out = decoded(&wrong_length, TO_SERVER);
    assert_eq!(objects(&out.messages[0]), [("holding-register", Some(107), 3, &[][..])]);
    assert_eq!(oddities(&out), [OddityCode::BadLength]);
}
