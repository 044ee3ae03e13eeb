//! ARP (RFC 826, RFC 5227): who asks for which address, who answers, and who announces what of its own accord. Whether
//! an address has two owners, or changes from one to the other, shows in these and in the table of addresses.

use crate::activity::{Activity, Field};
use crate::exchange::Status;
use crate::model::{Operation, Protocol};
use crate::net::ip::{self, Arp, Ip};
use crate::net::link::Station;
use crate::protocols::solo;
use crate::session::{Chunk, Output, Probe, Recognition};

const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/// Tells from what a frame carries whether it is ARP of IPv4.
pub fn probe_frame(probe: &Probe<'_>) -> Recognition {
    match ip::arp(probe.datagram()) {
        Some(_) => solo::recognised_but(Protocol::Arp, read, |earlier, datagram| ip::arp(earlier) == ip::arp(datagram)),
        None => Recognition::No,
    }
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    let Some(arp) = ip::arp(chunk.bytes) else { return };
    let Arp { sender_mac, sender, target, .. } = arp;
    let nobody = Ip::v4([0; 4]);
    let (action, operation) = match arp.operation {
        // Whether anybody has an address, before it is taken (RFC 5227, 2.1.1).
        REQUEST if sender == nobody => ("probe", Operation::Discover),
        // What is asked for, or told, is the sender's own (RFC 5227, 2.3).
        REQUEST | REPLY if sender == target => ("gratuitous", Operation::Report),
        REQUEST => ("request", Operation::Discover),
        REPLY => ("reply", Operation::Report),
        _ => ("unknown", Operation::Unknown),
    };
    let client = if arp.operation == REPLY && sender != target { chunk.direction.opposite() } else { chunk.direction };
    let mut activity = Activity::new(client, action, operation);
    if action == "reply" {
        activity.status = Status::Ok;
    }
    if sender != nobody {
        activity.put(Field::ArpSenderIp, sender.to_string());
    }
    activity.put(Field::ArpSenderMac, Station::Mac(sender_mac).to_string());
    activity.put(Field::ArpTargetIp, target.to_string());
    out.activity(activity);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{cut_everywhere, hear, told};

    #[test]
    fn each_kind() {
        let packet = |operation: u8, sender: [u8; 4], target: [u8; 4]| {
            let head = [0, 1, 8, 0, 6, 4, 0, operation, 0, 0x0e, 0x8c, 1, 2, 3];
            [&head[..], &sender, &[0; 6], &target].concat()
        };
        let (own, other) = ([10, 20, 1, 7], [10, 20, 1, 1]);
        let of = "arp.sender.ip=10.20.1.7 arp.sender.mac=00:0e:8c:01:02:03";
        let of_802 = [&[0, 6], &packet(1, own, other)[2..]].concat();
        let cases = [
            (packet(1, own, other), format!("request {of} arp.target.ip=10.20.1.1")),
            (of_802, format!("request {of} arp.target.ip=10.20.1.1")),
            (packet(2, own, other), format!("reply {of} arp.target.ip=10.20.1.1")),
            (packet(1, own, own), format!("gratuitous {of} arp.target.ip=10.20.1.7")),
            (packet(2, own, own), format!("gratuitous {of} arp.target.ip=10.20.1.7")),
            (packet(1, [0; 4], own), "probe arp.sender.mac=00:0e:8c:01:02:03 arp.target.ip=10.20.1.7".to_string()),
            (packet(9, own, other), format!("unknown {of} arp.target.ip=10.20.1.1")),
        ];
        for (bytes, expected) in cases {
            assert_eq!(told(&hear(read, &bytes)), [expected]);
            cut_everywhere(read, &bytes);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            hear(read, &bytes);
        }
    }
}
