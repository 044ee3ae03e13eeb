//! PTP (IEEE 1588) over Ethernet and UDP: which clock leads a domain, how good it says it is, and who manages clocks.

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::model::{Attribute, Operation, Protocol};
use crate::net::link::{Mac, Station};
use crate::protocols::solo;
use crate::session::{Chunk, Output, Probe, Recognition};
use crate::tables::{self, ptp};

/// UDP ports of messages with and without exact times.
const PORTS: [u16; 2] = [319, 320];
/// Octets of the header (IEEE 1588-2019, 13.3).
const HEADER: usize = 34;
/// Octets of the header of version 1, up to the body (IEEE 1588-2002, D.1.2).
const OLD_HEADER: usize = 40;
const ANNOUNCE: u8 = 0x0b;
const DELAY_REQUEST: u8 = 0x01;
const MANAGEMENT: u8 = 0x0d;
/// Octets of a time; what is behind it in a body says more than the time.
const TIME: usize = 10;

/// Tells from a datagram whether it is PTP.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    if PORTS.iter().any(|port| probe.ports.contains(port)) { probe_frame(probe) } else { Recognition::No }
}

/// Tells from what a frame carries whether it is PTP.
pub fn probe_frame(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.datagram();
    let is_version_2 = matches!(bytes, [kind, version, ..] if version & 0x0f == 2 && is_known(kind & 0x0f));
    let is_version_1 = matches!(bytes, [0, 1, 0, 1, ..]) && bytes.len() >= OLD_HEADER;
    if is_version_1 || (is_version_2 && bytes.len() >= HEADER) {
        solo::recognised_but(Protocol::Ptp, read, same)
    } else {
        Recognition::No
    }
}

fn is_known(kind: u8) -> bool {
    tables::find(ptp::MESSAGES, u32::from(kind)).is_some()
}

/// Correction, number and times differ and say nothing of who the clocks are.
fn same(earlier: &[u8], datagram: &[u8]) -> bool {
    const SAYING: [std::ops::Range<usize>; 3] = [0..8, 16..30, 32..HEADER];
    let kind = earlier.first().copied().unwrap_or_default() & 0x0f;
    let is_time = kind != MANAGEMENT && earlier.get(1).is_some_and(|version| version & 0x0f == 2);
    earlier == datagram
        || (is_time
            && earlier.len() == datagram.len()
            && SAYING.into_iter().all(|range| earlier.get(range.clone()) == datagram.get(range))
            && earlier.get(HEADER + TIME..) == datagram.get(HEADER + TIME..))
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    let old = chunk.bytes.get(..2) == Some(&[0, 1]) && chunk.bytes.get(2..4) == Some(&[0, 1]);
    if old { version_1(chunk, out) } else { version_2(chunk, out) }.unwrap_or_default();
}

fn version_2(chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(chunk.bytes);
    let kind = cursor.u8("messageType")? & 0x0f;
    let version = cursor.u8("versionPTP")?;
    cursor.u16_be("messageLength")?;
    let domain = cursor.u8("domainNumber")?;
    cursor.take(15, "minorSdoId to messageTypeSpecific")?;
    let clock = cursor.u64_be("clockIdentity")?;
    let port = cursor.u16_be("portNumber")?;
    cursor.take(4, "sequenceId to logMessageInterval")?;
    let code = tables::find(ptp::MESSAGES, u32::from(kind));
    let mut activity = start(code, chunk);
    let minor = version >> 4;
    let version = version & 0x0f;
    activity.put(Field::PtpVersion, if minor == 0 { version.to_string() } else { format!("{version}.{minor}") });
    activity.put(Field::PtpDomain, domain.to_string());
    activity.put(Field::PtpPort, format!("{clock:016x}/{port}"));
    if kind == MANAGEMENT {
        cursor.take(12, "targetPortIdentity to boundaryHops")?;
        let action = u32::from(cursor.u8("actionField")? & 0x0f);
        if let Some(code) = tables::find(ptp::ACTIONS, action) {
            (activity.action, activity.operation) = (code.name, code.operation.unwrap_or(Operation::Unknown));
        }
    }
    if kind == ANNOUNCE {
        cursor.take(TIME + 3, "originTimestamp to reserved")?;
        let first = cursor.u8("grandmasterPriority1")?;
        let (class, accuracy) = (cursor.u8("clockClass")?, cursor.u8("clockAccuracy")?);
        cursor.u16_be("offsetScaledLogVariance")?;
        let second = cursor.u8("grandmasterPriority2")?;
        let grandmaster = cursor.u64_be("grandmasterIdentity")?;
        let steps = cursor.u16_be("stepsRemoved")?;
        let source = cursor.u8("timeSource")?;
        activity.put(Field::PtpGrandmaster, format!("{grandmaster:016x}"));
        activity.put(Field::PtpClass, class.to_string());
        activity.put(Field::PtpAccuracy, format!("{accuracy:02x}"));
        activity.put(Field::PtpPriority, format!("{first}, {second}"));
        activity.put(Field::PtpSteps, steps.to_string());
        activity.put(Field::PtpSource, tables::name(ptp::TIME_SOURCES, u32::from(source)));
        out.sender_is(Attribute::RoleHint, if grandmaster == clock { "ptp-grandmaster" } else { "ptp-boundary-clock" });
    }
    out.activity(activity);
    // Who asks for delays end to end follows another's time.
    if kind == DELAY_REQUEST {
        out.sender_is(Attribute::RoleHint, "ptp-follower");
    }
    if let Some(mac) = mac_of(clock) {
        out.sender_is(Attribute::Mac, Station::Mac(mac).to_string());
    }
    Ok(())
}

/// The MAC address that a clock's identity is made of (IEEE 1588-2008, 7.5.2.2.2).
fn mac_of(clock: u64) -> Option<Mac> {
    match clock.to_be_bytes() {
        [a, b, c, 0xff, 0xfe, d, e, f] => Some([a, b, c, d, e, f]),
        _ => None,
    }
}

/// `version | network version | subdomain | type | technology | UUID | port | number | control | flags | body`.
fn version_1(chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(chunk.bytes);
    cursor.take(4, "versions")?;
    let subdomain = printable(cursor.take(16, "subdomain")?);
    cursor.take(2, "messageType and technology")?;
    let source: Mac = cursor.take(6, "sourceUuid")?.try_into().unwrap_or_default();
    let port = cursor.u16_be("sourcePortId")?;
    cursor.u16_be("sequenceId")?;
    let control = cursor.u8("control")?;
    let mut activity = start(tables::find(ptp::CONTROLS, u32::from(control)), chunk)
        .with(Field::PtpVersion, "1")
        .with(Field::PtpDomain, subdomain)
        .with(Field::PtpPort, format!("{}/{port}", Station::Mac(source)));
    // The body of a Sync names the grandmaster (IEEE 1588-2002, D.1.3).
    if control == 0 && chunk.bytes.len() >= OLD_HEADER {
        cursor.take(OLD_HEADER - cursor.offset() + 14, "originTimestamp to technology")?;
        let grandmaster: Mac = cursor.take(6, "grandmasterClockUuid")?.try_into().unwrap_or_default();
        activity.put(Field::PtpGrandmaster, Station::Mac(grandmaster).to_string());
        if grandmaster == source {
            out.sender_is(Attribute::RoleHint, "ptp-grandmaster");
        }
    }
    out.activity(activity);
    Ok(())
}

fn start(code: Option<&tables::Code>, chunk: Chunk<'_>) -> Activity {
    let (action, operation) =
        code.map_or(("unknown", Operation::Unknown), |code| (code.name, code.operation.unwrap_or(Operation::Unknown)));
    Activity::new(chunk.direction, action, operation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

    const CLOCK: [u8; 8] = [0, 0x0e, 0x8c, 0xff, 0xfe, 1, 2, 3];

    /// A message of version 2 in domain 3: type, number, body.
    fn message(kind: u8, number: u8, body: &[u8]) -> Vec<u8> {
        let length = (HEADER + body.len()) as u8;
        [&[kind, 2, 0, length, 3, 0, 0, 0][..], &[number; 8], &[0; 4], &CLOCK, &[0, 1, 0, number, 5, 1], body].concat()
    }

    fn announce(number: u8, class: u8) -> Vec<u8> {
        let quality = [0, 37, 0, 128, class, 0x21, 0x4e, 0x5d, 128];
        message(ANNOUNCE, number, &[&[number; 10][..], &quality, &CLOCK, &[0, 0, 0x20]].concat())
    }

    #[test]
    fn clocks_and_who_manages_them() {
        let of = "ptp.version=2 ptp.domain=3 ptp.port_identity=000e8cfffe010203/1";
        let mac = "mac=00:0e:8c:01:02:03";
        let announced = format!(
            "announce {of} ptp.grandmaster=000e8cfffe010203 ptp.clock_class=6 ptp.clock_accuracy=21 \
             ptp.priority=128, 128 ptp.steps_removed=0 ptp.time_source=gnss"
        );
        let set = [&[0xff; 10][..], &[1, 1, 1, 0]].concat();
        let old =
            [&[0, 1, 0, 1][..], b"_DFLT\0\0\0\0\0\0\0\0\0\0\0", &[1, 1], &[0, 0x0e, 0x8c, 1, 2, 3], &[0, 1, 0, 9, 0]];
        let old = [&old.concat()[..], &[0; 7], &[0; 14], &[0, 0x0e, 0x8c, 1, 2, 3], &[0; 60]].concat();
        let cases: [(&[u8], &str, &[&str]); 5] = [
            (&announce(7, 6), &announced, &["role_hint=ptp-grandmaster", mac]),
            (&message(0, 7, &[0; 10]), &format!("sync {of}"), &[mac]),
            (&message(1, 7, &[0; 10]), &format!("delay_request {of}"), &["role_hint=ptp-follower", mac]),
            (&message(MANAGEMENT, 7, &set), &format!("management_set {of}"), &[mac]),
            (
                &old,
                "sync ptp.version=1 ptp.domain=_DFLT ptp.port_identity=00:0e:8c:01:02:03/1 \
                 ptp.grandmaster=00:0e:8c:01:02:03",
                &["role_hint=ptp-grandmaster"],
            ),
        ];
        for (bytes, expected, claims) in cases {
            let out = hear(read, bytes);
            assert_eq!(told(&out), [expected]);
            assert_eq!(claimed(&out), claims);
            cut_everywhere(read, bytes);
        }
    }

    #[test]
    fn what_differs_in_numbers_and_times_alone_says_the_same() {
        assert!(same(&announce(1, 6), &announce(2, 6)));
        assert!(!same(&announce(1, 6), &announce(2, 7)));
        assert!(same(&message(0, 1, &[1; 10]), &message(0, 2, &[2; 10])));
        assert!(!same(&message(0, 1, &[1; 10]), &message(8, 1, &[1; 10])));
        assert!(!same(&message(MANAGEMENT, 1, &[1; 14]), &message(MANAGEMENT, 2, &[1; 14])));
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..160)) {
            hear(read, &bytes);
            same(&bytes, &bytes);
        }
    }
}
