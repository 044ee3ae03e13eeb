use super::*;
use crate::protocols::heard::{C, S, cut_everywhere, datagrams, stream, takes_any, truncated};

#[test]
fn a_telephone_registers() {
    let register = b"REGISTER sip:plant.example SIP/2.0\r\nCall-ID: 1@a\r\nCSeq: 2 REGISTER\r\n\
        From: \"Eva\" <sip:eva:s3cret@plant.example;x=s3cret>;tag=7\r\nTo: sip:eva@plant.example\r\n\
        User-Agent: Phone 1.2\r\n\
        Authorization: Digest username=\"eva\", realm=\"plant\", response=\"s3cret\"\r\n\r\n";
    let trying = b"SIP/2.0 100 Trying\r\nCall-ID: 1@a\r\nCSeq: 2 REGISTER\r\n\r\n";
    let refused =
        b"SIP/2.0 403 Forbidden\r\nCall-ID: 1@a\r\nCSeq: 2 REGISTER\r\nServer: PBX\r\nContent-Length: 0\r\n\r\n";
    let sent: [(Direction, &[u8]); 4] = [(C, register), (C, register), (S, trying), (S, refused)];
    let told = "register error 403 url.domain=plant.example sip.from=eva@plant.example sip.to=eva@plant.example \
        user_agent.original=Phone 1.2 http.authentication=digest user.name=eva http.realm=plant \
        credential.kind=digest http.server=PBX";
    for heard in [datagrams(probe_datagram, [5060, 5060], &sent), stream(probe_stream, [5060, 5060], &sent)] {
        assert_eq!(heard.lines(), [told]);
        assert_eq!(heard.claimed(C, Attribute::Software), ["Phone 1.2"]);
        assert_eq!(heard.claimed(S, Attribute::Software), ["PBX"]);
        assert!(!heard.tells("s3cret"));
    }
    truncated(probe_datagram, [5060, 5060], &sent[..1]);
    cut_everywhere(probe_stream, [5060, 5060], &[sent[0], sent[3]]);
}

#[test]
fn a_camera_is_watched() {
    let describe = b"DESCRIBE rtsp://eva:s3cret@192.168.20.40:554/live/1?key=s3cret RTSP/1.0\r\nCSeq: 1\r\n\
        User-Agent: LibVLC/3.0\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n\r\n";
    let answer = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: Rtsp/2.0\r\nContent-Length: 6\r\n\r\ns3cret";
    let media = b"$\x00\x00\x10DESCRIBE rtsp://";
    let play = b"PLAY rtsp://192.168.20.40/live RTSP/1.0\r\nCSeq: 2\r\n\r\n";
    let segments: &[(Direction, &[u8])] = &[(C, describe), (S, answer), (S, media), (C, play)];
    let told = [
        "describe ok 200 url.domain=192.168.20.40:554 url.path=/live/1 user_agent.original=LibVLC/3.0 \
         http.authentication=basic user.name=admin credential.kind=password credential.default=true http.server=Rtsp/2.0",
        "play no_response  url.domain=192.168.20.40 url.path=/live",
    ];
    let heard = stream(probe_stream, [50_000, 554], segments);
    assert_eq!((heard.lines(), heard.service), (told.map(String::from).to_vec(), "rtsp"));
    assert!(!heard.tells("s3cret"));
    cut_everywhere(probe_stream, [50_000, 554], segments);
}

#[test]
fn what_is_neither() {
    for bytes in [&b"OPTIONS * HTTP/1.1\r\n\r\n"[..], b"INVITATION\r\n", b"INVITE eva\r\n", b"invite sip:x SIP/2.0\r\n"]
    {
        assert_eq!(stream(probe_stream, [1, 5060], &[(C, bytes)]).service, "", "{bytes:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        takes_any(probe_stream, [1, 554], &[(C, b"PLAY rtsp://x RTSP/1.0\r\nCSeq: 1\r\n")], &bytes);
        takes_any(probe_datagram, [1, 5060], &[(C, b"OPTIONS sip:x SIP/2.0\r\n")], &bytes);
    }
}
