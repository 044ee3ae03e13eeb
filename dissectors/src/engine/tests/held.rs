//! What sessions of services hold is told by them, so that all of them together have a bound.

use std::collections::BTreeMap;

use super::*;
use crate::flows::Content;
use crate::model::Protocol;

/// Services that hold something while a conversation goes on: what is asked, what is known, what is half there.
const HOLDING: &[Protocol] = &[
    Protocol::Dns,
    Protocol::NetbiosNs,
    Protocol::Tls,
    Protocol::Dtls,
    Protocol::Quic,
    Protocol::Ssh,
    Protocol::Rdp,
    Protocol::Isakmp,
    Protocol::L2tp,
    Protocol::Socks,
    Protocol::Http,
    Protocol::Winrm,
    Protocol::Ftp,
    Protocol::Telnet,
    Protocol::Smtp,
    Protocol::Pop3,
    Protocol::Imap,
    Protocol::Vnc,
    Protocol::Smb,
    Protocol::DceRpc,
    Protocol::Kerberos,
    Protocol::Ldap,
    Protocol::Cldap,
    Protocol::Snmp,
    Protocol::Ntp,
    Protocol::Mqtt,
    Protocol::Mssql,
    Protocol::Mysql,
    Protocol::Postgresql,
    Protocol::Radius,
    Protocol::Sip,
    Protocol::Rtsp,
    Protocol::ProfinetDcp,
];

/// The most that a session of each protocol says it holds, after any packet of a capture.
fn held(packets: &[Owned], most: &mut BTreeMap<Protocol, usize>) {
    let mut engine = Engine::new(Detail::Aggregates);
    engine.start_capture("point", "capture");
    for (frame, packet) in (1..).zip(packets) {
        engine.packet(&packet.packet(), frame);
        for slot in engine.flows.all() {
            let talk = match engine.flows.get(slot).map(|flow| &flow.content) {
                Some(Content::Stream(stream)) => &stream.talk,
                Some(Content::Datagrams(talk)) => &**talk,
                _ => continue,
            };
            let held = most.entry(talk.session.protocol()).or_default();
            *held = (*held).max(talk.session.held());
        }
    }
}

#[test]
fn sessions_of_services_tell_what_they_hold() {
    let mut most = BTreeMap::new();
    for capture in
        captures().iter().filter(|capture| capture.parent().is_some_and(|folder| folder.ends_with("services")))
    {
        held(&packets(capture), &mut most);
    }
    let silent: Vec<_> = HOLDING.iter().filter(|protocol| most.get(protocol).copied().unwrap_or(0) == 0).collect();
    assert_eq!(silent, Vec::<&Protocol>::new(), "{most:?}");
}
