//! Constructed property values: as their production names the fields, or as the octets they are.

use proptest::prelude::*;

use super::*;
use crate::tables;

/// A ReadProperty-ACK with this property of this object type.
fn ack(object_type: u16, property: u16, value: &[u8]) -> Vec<u8> {
    let id = (u32::from(object_type) << 22 | 1).to_be_bytes();
    let [high, low] = property.to_be_bytes();
    unicast(&[&[0x30, 0x01, 0x0C, 0x0C][..], &id, &[0x1A, high, low, 0x3E], value, &[0x3F]].concat())
}

/// Object type, property, its value on the wire, and what becomes of it.
type Case = (u16, u16, Vec<u8>, &'static [f64], &'static str);

#[test]
fn productions_name_the_fields() {
    const DATE: &[u8] = &[0xA4, 0x7E, 0x0B, 0x17, 0x01]; // 2026-11-23
    const TIME: &[u8] = &[0xB4, 0x08, 0x00, 0x00, 0x00]; // 08:00
    let cases: &[Case] = &[
        // weekly-schedule: [0] { time, real 21.5 }, [0] { }
        (
            17,
            123,
            [&[0x0E][..], TIME, &[0x44, 0x41, 0xAC, 0, 0, 0x0F, 0x0E, 0x0F]].concat(),
            &[21.5],
            "day {08:00:00.00, 21.5}, day {}",
        ),
        // exception-schedule: [0] { [0] date }, [2] { time, null }, [3] priority 10
        (
            17,
            38,
            [&[0x0E, 0x0C][..], &DATE[1..], &[0x0F, 0x2E], TIME, &[0x00, 0x2F, 0x39, 0x0A]].concat(),
            &[10.0],
            "entry {date 2026-11-23}, values {08:00:00.00, null}, priority 10",
        ),
        // datelist: [1] { date, date }, [2] any month, any week, Monday
        (
            6,
            23,
            [&[0x1E][..], DATE, DATE, &[0x1F, 0x2B, 0xFF, 0xFF, 0x01]].concat(),
            &[],
            "range {2026-11-23, 2026-11-23}, week-n-day ffff01",
        ),
        // recipient-list: valid days, from, to, [1] { network 0, MAC }, process 9, unconfirmed, transitions
        (
            15,
            102,
            [
                &[0x82, 0x01, 0xFE][..],
                TIME,
                TIME,
                &[0x1E, 0x21, 0x00, 0x62, 0x0A, 0x01, 0x1F, 0x21, 0x09, 0x10, 0x82, 0x05, 0xE0],
            ]
            .concat(),
            &[0.0, 9.0, 0.0],
            "1111111, 08:00:00.00, 08:00:00.00, address {0, 0a01}, 9, false, 111",
        ),
        // log-buffer: [0] { date, time }, [1] { [2] real 20 }, [2] status flags
        (
            20,
            131,
            [&[0x0E][..], DATE, TIME, &[0x0F, 0x1E, 0x2C, 0x41, 0xA0, 0, 0, 0x1F, 0x2A, 0x04, 0x80]].concat(),
            &[20.0],
            "timestamp {2026-11-23, 08:00:00.00}, datum {real 20}, status-flags 1000",
        ),
        // object-property-reference: [0] analog-value 5, [1] present-value, [3] device 7
        (
            9,
            78,
            vec![0x0C, 0x00, 0x80, 0x00, 0x05, 0x19, 0x55, 0x3C, 0x02, 0x00, 0x00, 0x07],
            &[],
            "analog-value 5, present-value, of device 7",
        ),
        // bbmd-broadcast-distribution-table: [0] { [0] { [1] 10.1.2.3 }, [1] 47808 }, [1] 255.255.255.255
        (
            56,
            414,
            vec![0x0E, 0x0E, 0x1C, 0x0A, 0x01, 0x02, 0x03, 0x0F, 0x1A, 0xBA, 0xC0, 0x0F, 0x1C, 0xFF, 0xFF, 0xFF, 0xFF],
            &[47808.0],
            "bbmd {host {ip 0a010203}, port 47808}, mask ffffffff",
        ),
        // tags: [0] "area", [0] "phase", unsigned 2
        (
            8,
            486,
            vec![0x0D, 0x05, 0x00, b'a', b'r', b'e', b'a', 0x0D, 0x06, 0x00, b'p', b'h', b'a', b's', b'e', 0x21, 2],
            &[2.0],
            "name area, name phase, 2",
        ),
        // shed-levels of a proprietary property: nothing is guessed
        (128, 600, vec![0x1E, 0x09, 0x05, 0x1F, 0x29, 0x01], &[], "[1] {[0] 05}, [2] 01"),
        // a real of three octets where the production has four: kept as it is
        (20, 131, vec![0x1E, 0x2B, 0x41, 0xA0, 0x00, 0x1F], &[], "datum {[2] 41a000}"),
    ];
    for (object_type, property, value, numbers, words) in cases {
        let message = message(&ack(*object_type, *property, value));
        let object = &message.objects[0];
        assert_eq!((message.values_of(object), message.text_of(object)), (*numbers, *words));
    }
}

#[test]
fn secrets_are_not_kept() {
    let factor = &[0x09, 0x0B, 0x19, 0x02, 0x2B, 0xCA, 0xFE, 0xBA][..];
    for (object_type, property) in [(32, 257), (37, 85), (33, 248), (38, 330)] {
        let out = decode(&ack(object_type, property, factor));
        assert_eq!((out.messages[0].text.as_str(), &out.messages[0].values[..]), ("(secret)", &[][..]));
        assert!(!format!("{:?}", out.messages).contains("cafe"));
    }
}

#[test]
fn texts_and_numbers_are_bounded() {
    let out = decode(&ack(128, 600, &[0x09, 0x05, 0x21, 0x07].repeat(2000)));
    assert!(out.messages[0].text.len() < 1100);
    assert_eq!(out.messages[0].values.len(), 256);
    // One long value cannot pass the bound by more than itself.
    let long = [&[0x0D, 0xFE, 0x40, 0x00][..], &[0xAB; 0x4000]].concat();
    assert!(decode(&ack(128, 600, &long)).messages[0].text.len() < 100);
}

proptest! {
    #[test]
    fn every_production_takes_any_tags(
        which in any::<prop::sample::Index>(),
        tags in prop::collection::vec((0..16u8, 0..8u8, prop::collection::vec(any::<u8>(), 0..5)), 0..40),
    ) {
        let produced: Vec<_> = tables::bacnet::PROPERTIES.iter().filter(|code| !code.kind.is_empty()).collect();
        let property = which.get(&produced).code as u16;
        // Mostly tags with their content; openings and closings as chance has them.
        let value: Vec<u8> = tags
            .into_iter()
            .flat_map(|(number, shape, content)| {
                let (low, content) = if shape >= 6 { (shape, vec![]) } else { (content.len() as u8, content) };
                std::iter::once(number << 4 | 0x08 | low).chain(content)
            })
            .collect();
        let out = decode(&ack(17, property, &value));
        prop_assert_eq!(out.messages.len(), 1);
        let message = &out.messages[0];
        prop_assert!(message.text.len() <= 2048 && message.values.len() <= 256);
        for object in &message.objects {
            prop_assert!(message.text.get(object.text.start as usize..object.text.end as usize).is_some());
        }
    }
}
