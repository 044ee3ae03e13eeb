use super::*;
use crate::protocols::heard::{C, Heard, S, cut_everywhere, stream, takes_any};

const PORTS: [u16; 2] = [50_000, 80];

fn hear(segments: &[(Direction, &[u8])]) -> Heard {
    stream(probe_stream, PORTS, segments)
}

#[test]
fn a_transaction_is_an_activity() {
    let get = b"GET /awp/state.htm?token=s3cret&page=2&s3cret HTTP/1.1\r\nHost: plc.example\r\n\
        User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:115.0) Gecko/20100101 Firefox/115.0\r\n\
        Cookie: id=s3cret\r\n\r\n";
    let ok = b"HTTP/1.1 200 OK\r\nServer: Microsoft-IIS/7.5\r\nContent-Type: text/html; charset=utf-8\r\n\
        Set-Cookie: siemens_ad_session=s3cret\r\nContent-Length: 37\r\n\r\n<html><title>SIMATIC 1200</title>1234";
    let heard = hear(&[(C, get), (S, ok)]);
    let agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:115.0) Gecko/20100101 Firefox/115.0";
    let told = format!(
        "get ok 200 http.request.method=GET url.domain=plc.example url.path=/awp/state.htm url.parameters=token,page \
         user_agent.original={agent} http.response.status_code=200 http.server=Microsoft-IIS/7.5 \
         http.response.mime_type=text/html"
    );
    assert_eq!(heard.lines(), [told]);
    assert_eq!(heard.activities[0].request_frame, Some(1));
    assert_eq!(heard.claimed(C, Attribute::Software), ["Firefox/115.0"]);
    assert_eq!(heard.claimed(C, Attribute::OperatingSystem), ["Windows 10, 11 or Server 2016 and later"]);
    assert_eq!(heard.claimed(S, Attribute::OperatingSystem), ["Windows 7 or Server 2008 R2"]);
    assert_eq!(heard.claimed(S, Attribute::Vendor), ["Siemens", "Siemens"]);
    assert_eq!(heard.claimed(S, Attribute::RoleHint), ["plc", "plc"]);
    assert!(!heard.tells("s3cret"));
    cut_everywhere(probe_stream, PORTS, &[(C, get), (S, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"), (C, get)]);
}

#[test]
fn user_agents_name_systems_with_their_versions() {
    for (agent, software, system) in [
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_5) Chrome/39.0.2171.95", "Chrome/39.0.2171.95", "macOS 10.9.5"),
        ("Mozilla/5.0 (Linux; Android 4.4.2; X) Chrome/30.0", "Chrome/30.0", "Android 4.4.2"),
        ("Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", "MSIE 6.0", "Windows XP"),
        ("Mozilla/5.0 (Mac OS X)", "Mozilla/5.0", "macOS"),
    ] {
        let get = format!("GET / HTTP/1.1\r\nHost: plc\r\nUser-Agent: {agent}\r\n\r\n");
        let heard = hear(&[(C, get.as_bytes()), (S, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]);
        assert_eq!(heard.claimed(C, Attribute::Software), [software]);
        assert_eq!(heard.claimed(C, Attribute::OperatingSystem), [system]);
    }
}

#[test]
fn bodies_are_passed_over() {
    let get = b"GET /a HTTP/1.1\r\n\r\n";
    let next = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    let cases: [(&str, &[u8], &[u8]); 8] = [
        ("length", get, b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\nHTTP/1.1 500 no\r\n\r\n"),
        (
            "chunks",
            get,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13;x=y\r\nHTTP/1.1 500 no\r\n\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ),
        (
            "trailer",
            get,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nDigest: 1\r\n\r\n",
        ),
        ("chunks before length", get, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("head", b"HEAD /a HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"),
        ("no content", get, b"HTTP/1.1 204 No Content\r\nContent-Length: 10000\r\n\r\n"),
        ("not modified", get, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10000\r\n\r\n"),
        ("continue", get, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ];
    for (what, request, response) in cases {
        let segments = [(C, request), (S, response), (C, get), (S, &next[..])];
        let statuses = hear(&segments);
        assert_eq!(statuses.activities.len(), 2, "{what}: {statuses:?}");
        assert_eq!(statuses.activities[1].code, "404", "{what}");
        cut_everywhere(probe_stream, PORTS, &segments);
    }
}

#[test]
fn requests_may_run_ahead_of_their_answers() {
    let gets = b"GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nGET\r\nGET /c HTTP/1.1\r\n\r\n";
    let answers = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 403 Forbidden\r\nContent-Length: 1\r\n\r\nb";
    let heard = hear(&[(C, gets), (S, answers)]);
    let codes: Vec<_> = heard.activities.iter().map(|activity| (activity.action, &*activity.code)).collect();
    assert_eq!(codes, [("get", "200"), ("post", "403"), ("get", "")]);
    assert_eq!(heard.values(Field::UrlPath), ["/a", "/b", "/c"]);
    assert_eq!(heard.activities[2].status, Status::NoResponse);
}

#[test]
fn an_answer_may_last_until_the_end() {
    let heard = hear(&[
        (C, b"GET / HTTP/1.0\r\n\r\n"),
        (S, b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<TITLE>Moxa NPort</TITLE>"),
        (S, b"HTTP/1.0 500 No\r\n\r\n"),
    ]);
    assert_eq!(heard.activities.len(), 1);
    assert_eq!(heard.claimed(S, Attribute::Vendor), ["Moxa"]);
}

#[test]
fn who_authenticates_and_how() {
    let cases: [(&str, &str, &str); 9] = [
        // admin:admin
        ("Authorization: Basic YWRtaW46YWRtaW4=\r\n\r\n", "", "basic admin password true"),
        // eva:s3cret!
        ("Authorization: Basic ZXZhOnMzY3JldCE=\r\n\r\n", "", "basic eva password false"),
        (
            "Authorization: Digest username=\"eva\", realm=\"plant\", response=\"s3cret\"\r\n\r\n",
            "",
            "digest eva plant digest",
        ),
        ("Authorization: Bearer s3cret\r\n\r\n", "", "bearer token"),
        // NTLMSSP, type 1
        ("Authorization: NTLM TlRMTVNTUAABAAAAB4IIogAAAAA=\r\n\r\n", "", "ntlm ntlm"),
        ("Authorization: Negotiate YII=\r\n\r\n", "", "negotiate kerberos"),
        ("Content-Type: application/x-www-form-urlencoded\r\n", "Login=eva&Password=s3cret", "form eva password false"),
        ("Content-Type: application/json\r\n", "{\"user\": \"eva\", \"password\":\"eva\"}", "form eva password true"),
        (
            "Content-Type: application/soap+xml\r\n",
            "<s:Envelope><w:Username>eva</w:Username><w:Password Type='x#PasswordText'>s3cret</w:Password>",
            "eva password false",
        ),
    ];
    for (fields, body, told) in cases {
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n\r\n", body.len()) };
        let request = format!("POST /x HTTP/1.1\r\n{fields}{length}{body}");
        let heard = hear(&[(C, request.as_bytes())]);
        let values: Vec<_> = heard.activities[0].fields.iter().skip(2).map(|(_, value)| &**value).collect();
        assert_eq!(values.join(" "), told, "{fields}");
        assert!(!heard.tells("s3cret"));
        cut_everywhere(probe_stream, PORTS, &[(C, request.as_bytes())]);
    }
}

#[test]
fn proxies_tunnels_and_upgrades() {
    let heard = hear(&[
        (C, b"GET http://eva:s3cret@plc.example/a;id=s3cret?k=s3cret HTTP/1.1\r\nHost: other\r\n\r\n"),
        (S, b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"MOXA\"\r\nContent-Length: 0\r\n\r\n"),
        (C, b"CONNECT plc.example:443 HTTP/1.1\r\n\r\n"),
        (S, b"HTTP/1.1 200 Connection established\r\n\r\n"),
        (C, b"GET /inside HTTP/1.1\r\n\r\n"),
    ]);
    assert_eq!((heard.service, heard.is_done), ("http-proxy", true));
    assert_eq!(heard.values(Field::UrlDomain), ["plc.example", "plc.example:443"]);
    assert_eq!(heard.values(Field::UrlPath), ["/a"]);
    assert_eq!(heard.values(Field::HttpRealm), ["MOXA"]);
    assert!(!heard.tells("s3cret"));

    let upgrade = b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    let heard =
        hear(&[(C, upgrade), (S, b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), (S, b"HTTP/1.1 200 OK\r\n\r\n")]);
    assert_eq!((heard.activities.len(), heard.is_done), (1, true));

    let heard = hear(&[(C, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]);
    assert_eq!((heard.lines(), heard.is_done), (vec!["http2 one_way ".to_string()], true));
}

#[test]
fn services_over_http() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 120\r\n\r\n\
        <s:Envelope><tds:GetDeviceInformationResponse><tds:Manufacturer>ACME</tds:Manufacturer><tds:Model>C7</tds:Model>\
        <tds:Serial";
    let heard = hear(&[
        (C, b"POST /onvif/device_service HTTP/1.1\r\nSOAPAction: \"http://www.onvif.org/ver10/device/wsdl/GetDeviceInformation\"\r\n\r\n"),
        (S, answer),
    ]);
    assert_eq!((heard.service, heard.values(Field::SoapAction)), ("onvif", vec!["GetDeviceInformation"]));
    assert_eq!((heard.claimed(S, Attribute::Vendor), heard.claimed(S, Attribute::Model)), (vec!["ACME"], vec!["C7"]));
    let heard = hear(&[(C, b"POST /wsman HTTP/1.1\r\nUser-Agent: Microsoft WinRM Client\r\n\r\n")]);
    assert_eq!((heard.service, heard.claimed(C, Attribute::Software)), ("winrm", vec!["Microsoft WinRM Client"]));
}

#[test]
fn scanners_are_known_by_their_name() {
    let heard = hear(&[(
        C,
        b"GET / HTTP/1.1\r\nUser-Agent: Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org)\r\n\r\n",
    )]);
    assert_eq!(heard.claimed(C, Attribute::RoleHint), ["scanner"]);
    let heard = hear(&[(C, b"GET / HTTP/1.1\r\nUser-Agent: python-requests/2.31.0\r\n\r\n")]);
    assert_eq!(heard.claimed(C, Attribute::Software), ["python-requests/2.31.0"]);
}

#[test]
fn an_address_gives_a_device_away_only_where_it_is_there() {
    for (status, roles) in [("200 OK", vec!["plc"]), ("404 Not Found", vec![])] {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        let heard = hear(&[(C, b"GET /Portal/Portal.mwsl?intro=1 HTTP/1.1\r\n\r\n"), (S, answer.as_bytes())]);
        assert_eq!(heard.claimed(S, Attribute::RoleHint), roles);
    }
}

#[test]
fn what_is_http_and_what_is_not() {
    let cases: [(&[u8], bool); 9] = [
        (b"GET / HTTP/1.1\r\n\r\n", true),
        (b"BREW /pot HTTP/1.0\r\n\r\n", true),
        (b"HTTP/1.1 200 OK\r\n\r\n", true),
        (b"OPTIONS sip:plc SIP/2.0\r\n\r\n", false),
        (b"OPTIONS rtsp://cam RTSP/1.0\r\n\r\n", false),
        (b"GET /\r\n", false),
        (b"USER eva\r\n", false),
        (b"HTTP/2 200\r\n\r\n", false),
        (b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x01", false),
    ];
    for (bytes, is_http) in cases {
        assert_eq!(matches!(probe_stream(&probe(bytes)), Recognition::Yes(_)), is_http, "{bytes:?}");
    }
}

fn probe(bytes: &[u8]) -> Probe<'_> {
    Probe { forward: bytes, backward: &[], first: C, opener: Some(C), ports: PORTS, cut: false }
}

#[test]
fn a_stream_is_picked_up_in_its_middle() {
    let heard = hear(&[
        (S, b"rest of a page</html>"),
        (C, b"GET /b HTTP/1.1\r\n\r\n"),
        (S, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ]);
    assert_eq!(heard.values(Field::UrlPath), ["/b"]);
    assert_eq!(heard.activities[0].code, "200");
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        takes_any(probe_stream, PORTS, &[(C, b"GET / HTTP/1.1\r\n\r\n")], &bytes);
        takes_any(probe_stream, PORTS, &[(S, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")], &bytes);
    }
}
