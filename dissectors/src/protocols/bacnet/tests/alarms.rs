//! Alarms: what is asked, acknowledged, silenced.

use super::*;

pub(super) const ACKNOWLEDGE_ALARM: &[u8] = &[
    0x00, 0x02, 0x07, 0x00, // Confirmed-Request, invoke id 7, AcknowledgeAlarm
    0x09, 0x01, // [0] acknowledging process 1
    0x1C, 0x00, 0x00, 0x00, 0x02, // [1] analog-input 2
    0x29, 0x03, // [2] high-limit
    0x3E, 0x19, 0x10, 0x3F, // [3] { [1] sequence number 16 }
    0x4C, 0x00, b'M', b'D', b'L', // [4] source "MDL"
    0x5E, 0x2E, // [5] { [2] {
    0xA4, 0x7E, 0x0B, 0x17, 0x01, // date 2026-11-23
    0xB4, 0x0D, 0x03, 0x29, 0x09, // time 13:03:41.09
    0x2F, 0x5F, // } }
];

pub(super) const GET_ALARM_SUMMARY: &[u8] = &[
    0x00, 0x02, 0x01, 0x03, // Confirmed-Request, invoke id 1, GetAlarmSummary
];

pub(super) const GET_ALARM_SUMMARY_ACK: &[u8] = &[
    0x30, 0x01, 0x03, // Complex-ACK, invoke id 1, GetAlarmSummary
    0xC4, 0x00, 0x00, 0x00, 0x02, // analog-input 2
    0x91, 0x03, // high-limit
    0x82, 0x05, 0x60, // acknowledged transitions 011
];

pub(super) const GET_ENROLLMENT_SUMMARY: &[u8] = &[
    0x00, 0x02, 0x01, 0x04, // Confirmed-Request, invoke id 1, GetEnrollmentSummary
    0x09, 0x02, // [0] not acknowledged
    0x1E, // [1] {
    0x0E, 0x0C, 0x02, 0x00, 0x00, 0x11, 0x0F, // [0] { [0] device 17 }
    0x19, 0x09, // [1] process 9
    0x1F, // }
    0x29, 0x03, // [2] event state: active
    0x39, 0x05, // [3] out-of-range
    0x4E, 0x09, 0x06, 0x19, 0x0A, 0x4F, // [4] { [0] lowest priority 6, [1] highest priority 10 }
    0x59, 0x04, // [5] notification class 4
];

pub(super) const GET_ENROLLMENT_SUMMARY_ACK: &[u8] = &[
    0x30, 0x01, 0x04, // Complex-ACK, invoke id 1, GetEnrollmentSummary
    0xC4, 0x00, 0x00, 0x00, 0x02, // analog-input 2
    0x91, 0x05, // out-of-range
    0x91, 0x03, // high-limit
    0x21, 0x06, // priority 6
    0x21, 0x04, // notification class 4
    0xC4, 0x02, 0x40, 0x00, 0x06, // event-enrollment 6
    0x91, 0x04, // floating-limit
    0x91, 0x00, // normal
    0x21, 0x03, // priority 3, and no class
];

pub(super) const GET_EVENT_INFORMATION: &[u8] = &[
    0x00, 0x02, 0x01, 0x1D, // Confirmed-Request, invoke id 1, GetEventInformation
    0x0C, 0x00, 0x00, 0x00, 0x02, // [0] after analog-input 2
];

pub(super) const GET_EVENT_INFORMATION_ACK: &[u8] = &[
    0x30, 0x01, 0x1D, // Complex-ACK, invoke id 1, GetEventInformation
    0x0E, // [0] {
    0x0C, 0x00, 0x00, 0x00, 0x02, // [0] analog-input 2
    0x19, 0x03, // [1] high-limit
    0x2A, 0x05, 0x60, // [2] acknowledged transitions 011
    0x3E, // [3] {
    0x0C, 0x0F, 0x23, 0x00, 0x14, // [0] time 15:35:00.20
    0x0C, 0xFF, 0xFF, 0xFF, 0xFF, // [0] never
    0x19, 0x02, // [1] sequence number 2
    0x3F, // }
    0x49, 0x00, // [4] alarm
    0x5A, 0x05, 0xE0, // [5] enabled events 111
    0x6E, 0x21, 0x0F, 0x21, 0x0F, 0x21, 0x14, 0x6F, // [6] { priorities 15, 15, 20 }
    0x0F, // }
    0x19, 0x00, // [1] no more
];

pub(super) const LIFE_SAFETY_OPERATION: &[u8] = &[
    0x00, 0x02, 0x0F, 0x1B, // Confirmed-Request, invoke id 15, LifeSafetyOperation
    0x09, 0x12, // [0] requesting process 18
    0x1C, 0x00, b'M', b'D', b'L', // [1] source "MDL"
    0x29, 0x04, // [2] reset
    0x3C, 0x05, 0x40, 0x00, 0x01, // [3] life-safety-point 1
];

#[test]
fn an_acknowledgement_names_the_state_and_who() {
    let acknowledged = message(&unicast(ACKNOWLEDGE_ALARM));
    assert_eq!((acknowledged.operation, acknowledged.text.as_str()), (Operation::Operate, "high-limit, by MDL"));
    assert_eq!(acknowledged.values_of(&acknowledged.objects[0]), [3.0]);
}

#[test]
fn summaries_list_every_object() {
    let asked = message(&unicast(GET_ALARM_SUMMARY));
    assert_eq!((asked.operation, asked.objects.len()), (Operation::Read, 0));
    let alarms = message(&unicast(GET_ALARM_SUMMARY_ACK));
    let object = &alarms.objects[0];
    assert_eq!((object.kind, alarms.values_of(object), alarms.text_of(object)), ("analog-input", &[3.0][..], "011"));

    let asked = message(&unicast(GET_ENROLLMENT_SUMMARY));
    assert_eq!((asked.objects[0].kind, &asked.values[..]), ("event-enrollment", &[2.0][..]));
    let enrolled = message(&unicast(GET_ENROLLMENT_SUMMARY_ACK));
    let rows: Vec<_> = enrolled
        .objects
        .iter()
        .map(|object| (object.kind, enrolled.values_of(object), enrolled.text_of(object)))
        .collect();
    assert_eq!(
        rows,
        [
            ("analog-input", &[3.0, 6.0, 4.0][..], "out-of-range"),
            ("event-enrollment", &[0.0, 3.0][..], "floating-limit"),
        ]
    );

    let asked = message(&unicast(GET_EVENT_INFORMATION));
    assert_eq!(asked.objects, [point("analog-input", 2)]);
    let events = message(&unicast(GET_EVENT_INFORMATION_ACK));
    assert_eq!((events.objects.len(), &events.values[..], events.text.as_str()), (1, &[3.0][..], "011"));
}

#[test]
fn life_safety_operations_say_which() {
    let reset = message(&unicast(LIFE_SAFETY_OPERATION));
    assert_eq!((reset.operation, reset.text.as_str()), (Operation::Operate, "reset"));
    assert_eq!((reset.objects[0].kind, reset.objects[0].start), ("life-safety-point", Some(1)));
    // Without an object it is about all of them.
    let all = message(&unicast(&LIFE_SAFETY_OPERATION[..LIFE_SAFETY_OPERATION.len() - 5]));
    assert_eq!((all.objects[0].kind, all.objects[0].start), ("life-safety-object", None));
}
