use super::*;
use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

/// A message for IPv4: operation, addresses in the order of the header, options.
fn message(op: u8, addresses: [[u8; 4]; 4], options: &[u8]) -> Vec<u8> {
    let head = [op, 1, 6, 0, 0x12, 0x34, 0x56, 0x78, 0, 0, 0x80, 0];
    let mac = b"\x00\x0e\x8c\x20\x20\x0a\0\0\0\0\0\0\0\0\0\0";
    [&head[..], &addresses.concat(), mac, &[0; 192], &COOKIE.to_be_bytes(), options, &[255]].concat()
}

const NONE: [u8; 4] = [0; 4];
const DISCOVER: &[u8] =
    b"\x35\x01\x01\x0c\x06pump-7\x3c\x08MSFT 5.0\x37\x04\x01\x03\x06\x0f\x3d\x07\x01\x00\x0e\x8c\x20\x20\x0a";
const ACK: &[u8] = b"\x35\x01\x05\x36\x04\x0a\x14\x01\x05\x33\x04\x00\x01\x51\x80\x03\x04\x0a\x14\x01\x01\
    \x06\x08\x0a\x14\x01\x05\x0a\x14\x01\x06\x0f\x0dplant.example\x52\x06\x01\x04ge-1";

#[test]
fn messages_and_what_they_say() {
    let discover = message(1, [NONE; 4], DISCOVER);
    let ack = message(2, [NONE, [10, 20, 1, 77], [10, 20, 1, 5], [10, 20, 1, 2]], ACK);
    let bootp = [&message(1, [NONE; 4], &[])[..236], &[0; 64]].concat();
    let named = message(1, [[10, 20, 1, 78], NONE, NONE, NONE], b"\x35\x01\x03\x51\x0d\x05\0\0\x03hmi\x05plant");
    let cases: [(&[u8], &str, &[&str]); 4] = [
        (
            &discover,
            "discover dhcp.message_type=1 dhcp.client.mac=00:0e:8c:20:20:0a dhcp.hostname=pump-7 \
             dhcp.vendor_class=MSFT 5.0 dhcp.client_id=00:0e:8c:20:20:0a dhcp.parameter_list=1,3,6,15",
            &["00:0e:8c:20:20:0a hostname=pump-7", "00:0e:8c:20:20:0a operating_system=Windows"],
        ),
        (
            &ack,
            "ack dhcp.message_type=5 dhcp.client.mac=00:0e:8c:20:20:0a dhcp.assigned_ip=10.20.1.77 \
             dhcp.server=10.20.1.5 dhcp.relay_agent=10.20.1.2 dhcp.router=10.20.1.1 \
             dhcp.dns=10.20.1.5, 10.20.1.6 dhcp.domain=plant.example dhcp.lease_time=86400 \
             dhcp.boot_server=10.20.1.5 dhcp.agent_circuit_id=ge-1",
            &[
                "10.20.1.77 mac=00:0e:8c:20:20:0a",
                "10.20.1.77 domain=plant.example",
                "10.20.1.5 role_hint=dhcp-server",
                "10.20.1.1 role_hint=router",
                "10.20.1.5 role_hint=dns-server",
                "10.20.1.6 role_hint=dns-server",
                "10.20.1.2 role_hint=dhcp-relay",
            ],
        ),
        (&bootp, "bootrequest dhcp.client.mac=00:0e:8c:20:20:0a", &[]),
        (
            &named,
            "request dhcp.message_type=3 dhcp.client.mac=00:0e:8c:20:20:0a dhcp.fqdn=hmi.plant \
             dhcp.assigned_ip=10.20.1.78",
            &[
                "00:0e:8c:20:20:0a hostname=hmi.plant",
                "10.20.1.78 hostname=hmi.plant",
                "10.20.1.78 mac=00:0e:8c:20:20:0a",
            ],
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
fn options_in_the_place_of_the_file_name() {
    let mut message = message(1, [NONE; 4], b"\x35\x01\x01\x34\x01\x01");
    message[108..116].copy_from_slice(b"\x0c\x05pump7\xff");
    assert!(told(&hear(read, &message))[0].contains("dhcp.hostname=pump7"));
}

/// Of a relay: link address, peer address, then the message of a client.
fn relayed(inner: &[u8]) -> Vec<u8> {
    let peer = b"\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x09";
    let length = (inner.len() as u16).to_be_bytes();
    [&[12, 0][..], b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", peer, &[0, 9], &length, inner].concat()
}

const SOLICIT: &[u8] = b"\x01\x00\x00\x07\
    \x00\x01\x00\x0e\x00\x01\x00\x01\x2a\x00\x00\x00\x00\x0e\x8c\x20\x20\x0a\
    \x00\x10\x00\x0e\x00\x00\x01\x37\x00\x08MSFT 5.0\
    \x00\x27\x00\x0c\x00\x03hmi\x05plant\x00";
const REPLY: &[u8] = b"\x07\x00\x00\x07\
    \x00\x02\x00\x0a\x00\x03\x00\x01\x00\x0e\x8c\x20\x20\x05\
    \x00\x01\x00\x0a\x00\x03\x00\x01\x00\x0e\x8c\x20\x20\x0a\
    \x00\x03\x00\x28\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x05\x00\x18\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x4d\x00\x00\x0e\x10\x00\x00\x1c\x20";

#[test]
fn messages_of_version_6() {
    let relay = relayed(SOLICIT);
    let solicit = "solicit dhcp.message_type=1 dhcp.client.mac=00:0e:8c:20:20:0a \
        dhcp.client_id=000100012a000000000e8c20200a dhcp.fqdn=hmi.plant dhcp.vendor_class=MSFT 5.0 dhcp.enterprise=311";
    let by_relay = format!("{solicit} dhcp.relay_agent=2001:db8::1");
    let said = ["hostname=hmi.plant", "operating_system=Windows"];
    let both =
        |sender: &str| said.map(|said| [format!("00:0e:8c:20:20:0a {said}"), format!("{sender}{said}")]).concat();
    let (own, of_peer) = (both(""), both("fe80::9 "));
    let cases: [(&[u8], &str, Vec<&str>); 3] = [
        (SOLICIT, solicit, own.iter().map(|claim| &**claim).collect()),
        (&relay, &by_relay, of_peer.iter().map(|claim| &**claim).collect()),
        (
            REPLY,
            "reply dhcp.message_type=7 dhcp.client.mac=00:0e:8c:20:20:0a dhcp.client_id=00030001000e8c20200a \
             dhcp.assigned_ip=2001:db8::4d dhcp.server=00030001000e8c202005",
            vec!["role_hint=dhcp-server", "2001:db8::4d mac=00:0e:8c:20:20:0a"],
        ),
    ];
    for (bytes, expected, claims) in cases {
        let out = hear(v6::read, bytes);
        assert_eq!(told(&out), [expected]);
        assert_eq!(claimed(&out), claims);
        cut_everywhere(v6::read, bytes);
    }
}

#[test]
fn relays_around_relays_end() {
    let deep = (0..40).fold(SOLICIT.to_vec(), |inner, _| relayed(&inner));
    assert_eq!(hear(v6::read, &deep).activities.len(), 1);
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        hear(read, &bytes);
        hear(v6::read, &bytes);
        hear(read, &message(1, [NONE; 4], &bytes));
    }
}
