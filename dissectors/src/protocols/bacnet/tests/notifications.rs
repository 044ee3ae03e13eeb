//! Changes of value and events, and who asked for them.

use super::*;

pub(super) const SUBSCRIBE_COV: &[u8] = &[
    0x00, 0x05, 0x0F, 0x05, // Confirmed-Request, invoke id 15, SubscribeCOV
    0x09, 0x12, // [0] subscriber process 18
    0x1C, 0x00, 0x00, 0x00, 0x0A, // [1] analog-input 10
    0x29, 0x01, // [2] confirmed
    0x39, 0x3C, // [3] lifetime 60 s
];

pub(super) const COV_NOTIFICATION: &[u8] = &[
    0x00, 0x05, 0x01, 0x01, // Confirmed-Request, invoke id 1, ConfirmedCOVNotification
    0x09, 0x12, // [0] subscriber process 18
    0x1C, 0x02, 0x00, 0x00, 0x04, // [1] device 4
    0x2C, 0x00, 0x00, 0x00, 0x0A, // [2] analog-input 10
    0x39, 0x00, // [3] time remaining 0
    0x4E, // [4] {
    0x09, 0x55, // [0] present-value
    0x2E, // [2] {
    0x44, 0x42, 0x82, 0x00, 0x00, // real 65.0
    0x2F, // }
    0x09, 0x6F, // [0] status-flags
    0x2E, // [2] {
    0x82, 0x04, 0x40, // bit string of 4: fault
    0x2F, // }
    0x4F, // }
];

pub(super) const COV_NOTIFICATION_ACK: &[u8] = &[
    0x20, 0x01, 0x01, // Simple-ACK, invoke id 1, ConfirmedCOVNotification
];

pub(super) const EVENT_NOTIFICATION: &[u8] = &[
    0x10, 0x03, // Unconfirmed-Request, UnconfirmedEventNotification
    0x09, 0x01, // [0] process 1
    0x1C, 0x02, 0x00, 0x00, 0x04, // [1] device 4
    0x2C, 0x00, 0x00, 0x00, 0x02, // [2] analog-input 2
    0x3E, 0x19, 0x10, 0x3F, // [3] { [1] sequence number 16 }
    0x49, 0x04, // [4] notification class 4
    0x59, 0x64, // [5] priority 100
    0x69, 0x05, // [6] out-of-range
    0x7C, 0x00, b'h', b'o', b't', // [7] message text "hot"
    0x89, 0x00, // [8] alarm
    0x99, 0x01, // [9] ack required
    0xA9, 0x00, // [10] from normal
    0xB9, 0x03, // [11] to high-limit
    0xCE, 0x5E, 0x0C, 0x42, 0xA0, 0x33, 0x33, 0x5F, 0xCF, // [12] { [5] { [0] exceeding value } }
];

#[test]
fn notifications_come_from_the_server() {
    let mut session = BacnetIp::default();
    let out = decode_with(&mut session, Direction::Forward, &unicast(COV_NOTIFICATION));
    let notification = &out.messages[0];
    assert_eq!((notification.kind, notification.operation), (Kind::Request, Operation::Report));
    assert!(!notification.from_client);
    assert_eq!(notification.values_of(&notification.objects[0]), [65.0]);
    assert_eq!(notification.text_of(&notification.objects[1]), "0100");
    assert_eq!(out.claims[0].1.value, "4");

    // The other side may use the same invoke id for a request of its own: that is another exchange.
    let Pairing::Opens(key) = notification.pairing else { panic!() };
    let read = unicast(&[0x02, 0x05, 0x01, 0x0C, 0x0C, 0, 0, 0, 1, 0x19, 0x55]);
    let out = decode_with(&mut session, Direction::Backward, &read);
    assert_ne!(out.messages[0].pairing, Pairing::Opens(key));

    let ack = message(&unicast(COV_NOTIFICATION_ACK));
    assert_eq!((ack.from_client, ack.pairing), (true, Pairing::Answers { key, last: true }));
}

#[test]
fn a_reject_of_a_notification_answers_the_notification() {
    let mut session = BacnetIp::default();
    let out = decode_with(&mut session, Direction::Forward, &unicast(COV_NOTIFICATION));
    let Pairing::Opens(key) = out.messages[0].pairing else { panic!() };
    let reject = unicast(&[0x60, 0x01, 0x09]);
    let out = decode_with(&mut session, Direction::Backward, &reject);
    assert_eq!(out.messages[0].pairing, Pairing::Answers { key, last: true });
    assert!(out.messages[0].from_client);
    // A second one answers a request of that invoke id, if anything.
    let out = decode_with(&mut session, Direction::Backward, &reject);
    assert!(!out.messages[0].from_client);
}

#[test]
fn an_unconfirmed_notification_is_unsolicited() {
    let event = message(&unicast(EVENT_NOTIFICATION));
    assert_eq!((event.kind, event.from_client, event.pairing), (Kind::Unsolicited, false, Pairing::Alone));
    assert_eq!(event.text_of(&event.objects[0]), "alarm out-of-range, from normal, to high-limit: hot");
    assert_eq!(event.values_of(&event.objects[0]), [4.0, 100.0]);
    // The parameters are a second object of the same identifier.
    assert_eq!((event.objects[1].kind, event.objects[1].start), ("analog-input", Some(2)));
    assert_eq!(event.text_of(&event.objects[1]), "out-of-range {exceeding-value 80.1}");
}

#[test]
fn subscriptions_say_how() {
    let subscribed = message(&unicast(SUBSCRIBE_COV));
    assert_eq!(subscribed.operation, Operation::Subscribe);
    assert_eq!(subscribed.text_of(&subscribed.objects[0]), "confirmed");
    assert_eq!(subscribed.values_of(&subscribed.objects[0]), [18.0, 60.0]);
    let cancelled = message(&unicast(&SUBSCRIBE_COV[..SUBSCRIBE_COV.len() - 4]));
    assert_eq!(cancelled.text_of(&cancelled.objects[0]), "cancel");
}
