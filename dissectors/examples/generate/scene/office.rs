//! Conversations that no dissector decodes: TLS, DNS, files over SMB, and neighbours looking for one another.

use super::talk::{Random, Talk};
use super::wire::Side::{self, Client, Server};

const NAMES: [&str; 8] = ["update", "mail", "portal", "cdn", "telemetry", "login", "files", "api"];

/// A host name; new ones come with [`Talk::moved`].
fn name(talk: &Talk, random: &mut Random) -> String {
    let first = NAMES[random.within(0..8) as usize];
    let number = (talk.index + random.within(0..4)) % 12 + 12 * talk.moved;
    format!("{first}{number}.example.net")
}

fn be16(length: usize) -> [u8; 2] {
    (length as u16).to_be_bytes()
}

fn le16(length: usize) -> [u8; 2] {
    (length as u16).to_le_bytes()
}

/// A TLS record (RFC 8446, 5.1).
fn record(kind: u8, version: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, 3, version];
    out.extend(be16(content.len()));
    out.extend_from_slice(content);
    out
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, 0];
    out.extend(be16(body.len()));
    out.extend_from_slice(body);
    out
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut out = kind.to_be_bytes().to_vec();
    out.extend(be16(body.len()));
    out.extend_from_slice(body);
    out
}

/// ClientHello with a server's name (RFC 6066, 3), and padded as browsers do (RFC 7685).
fn client_hello(host: &str, is_13: bool, random: &mut Random) -> Vec<u8> {
    let mut server_name = be16(host.len() + 3).to_vec();
    server_name.push(0);
    server_name.extend(be16(host.len()));
    server_name.extend(host.as_bytes());
    let mut extensions = extension(0, &server_name);
    extensions.extend(extension(10, &[0, 4, 0, 0x1d, 0, 0x17]));
    extensions.extend(extension(13, &[0, 6, 4, 3, 8, 4, 4, 1]));
    extensions.extend(extension(16, b"\x00\x0c\x02h2\x08http/1.1"));
    if is_13 {
        extensions.extend(extension(43, &[4, 3, 4, 3, 3]));
        let mut share = vec![0, 36, 0, 0x1d, 0, 32];
        random.fill(&mut share, 32);
        extensions.extend(extension(51, &share));
    }
    extensions.extend(extension(21, &vec![0; 380_usize.saturating_sub(extensions.len())]));
    let mut body = vec![3, 3];
    random.fill(&mut body, 32);
    body.push(32);
    random.fill(&mut body, 32);
    body.extend([0, 8, 0x13, 1, 0x13, 2, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0]);
    body.extend(be16(extensions.len()));
    body.extend(extensions);
    record(0x16, 1, &handshake(1, &body))
}

fn server_hello(is_13: bool, random: &mut Random) -> Vec<u8> {
    let mut body = vec![3, 3];
    random.fill(&mut body, 32);
    body.push(32);
    random.fill(&mut body, 32);
    body.extend(if is_13 { [0x13, 1, 0] } else { [0xc0, 0x2f, 0] });
    let mut extensions = Vec::new();
    if is_13 {
        extensions.extend(extension(43, &[3, 4]));
        let mut share = vec![0, 0x1d, 0, 32];
        random.fill(&mut share, 32);
        extensions.extend(extension(51, &share));
    } else {
        extensions.extend(extension(0xff01, &[0]));
    }
    body.extend(be16(extensions.len()));
    body.extend(extensions);
    record(0x16, 3, &handshake(2, &body))
}

/// A value in DER (X.690, 10).
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag, 0x82];
    out.extend(be16(content.len()));
    out.extend_from_slice(content);
    out
}

/// A certificate (RFC 5280, 4.1) of 3 KB, most of it one extension.
fn certificate(host: &str, random: &mut Random) -> Vec<u8> {
    const RSA: [u8; 13] = [0x30, 11, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
    let mut bits = vec![0];
    random.fill(&mut bits, 256);
    let mut value = Vec::new();
    random.fill(&mut value, 2_300);
    let name = der(0x30, &der(0x31, &der(0x30, &[&[6, 3, 0x55, 4, 3], &der(0x0c, host.as_bytes())[..]].concat())));
    let moment = |text: &[u8]| der(0x17, text);
    let key = der(0x30, &[&RSA[..], &der(3, &bits)].concat());
    let more = der(0x30, &[&[6, 3, 0x2a, 3, 4], &der(4, &value)[..]].concat());
    let signed = [
        vec![0xa0, 3, 2, 1, 2, 2, 1, 7],
        RSA.to_vec(),
        name.clone(),
        der(0x30, &[moment(b"250101000000Z"), moment(b"270101000000Z")].concat()),
        name,
        key,
        der(0xa3, &der(0x30, &more)),
    ];
    der(0x30, &[der(0x30, &signed.concat()), RSA.to_vec(), der(3, &bits)].concat())
}

/// So many octets of application data, in records of 16 KB.
fn application(octets: u64, random: &mut Random) -> Vec<u8> {
    let (mut out, mut left) = (Vec::new(), octets as usize);
    while left > 0 {
        let part = left.min(16_384);
        // The content's type and the tag of the cipher are 17 octets.
        out.extend([0x17, 3, 3]);
        out.extend(be16(part + 17));
        random.fill(&mut out, part + 17);
        left -= part;
    }
    out
}

/// TLS 1.3, or 1.2 with its certificate in clear: a connection with some requests, each answered by 1 to 48 KB.
pub fn tls(talk: &mut Talk, random: &mut Random) {
    let is_13 = (talk.index + talk.generation) % 3 > 0;
    if talk.round == 0 {
        let host = name(talk, random);
        talk.open();
        talk.tcp(Client, &client_hello(&host, is_13, random));
        talk.wait(8_000);
        let mut flight = server_hello(is_13, random);
        if is_13 {
            flight.extend(record(0x14, 3, &[1]));
            flight.extend(application(3_200, random));
        } else {
            let certificate = certificate(&host, random);
            let mut certificates = vec![0];
            certificates.extend(be16(certificate.len() + 3));
            certificates.push(0);
            certificates.extend(be16(certificate.len()));
            certificates.extend(certificate);
            flight.extend(record(0x16, 3, &handshake(11, &certificates)));
            flight.extend(record(0x16, 3, &handshake(14, &[])));
        }
        talk.tcp(Server, &flight);
        talk.wait(2_000);
        let mut finished = record(0x14, 3, &[1]);
        finished.extend(application(36, random));
        talk.tcp(Client, &finished);
        return talk.wait(4_000);
    }
    if random.once_in(8) {
        let mut alert = vec![0x15, 3, 3, 0, 19];
        random.fill(&mut alert, 19);
        talk.tcp(Client, &alert);
        talk.close();
        talk.wait(1_000_000);
        talk.is_over = true;
        return;
    }
    let (asked, answered) = (random.within(250..1_400), 1_024 << random.within(0..6));
    talk.tcp(Client, &application(asked, random));
    talk.wait(15_000);
    talk.tcp(Server, &application(answered + random.within(0..answered / 2), random));
    talk.wait(400_000);
}

/// DNS over UDP (RFC 1035): a name is asked for from a new port, in IPv4 or IPv6, and answered.
pub fn dns(talk: &mut Talk, random: &mut Random) {
    let kind: u16 = if random.once_in(3) { 28 } else { 1 };
    let mut question: Vec<u8> =
        name(talk, random).split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
    question.push(0);
    question.extend([kind.to_be_bytes(), [0, 1]].concat());
    let id = random.within(0..65_536) as u16;
    let answers = random.within(1..5);
    let message = |flags: [u8; 2], answers: u8| {
        let mut out = id.to_be_bytes().to_vec();
        out.extend(flags);
        out.extend([0, 1, 0, answers, 0, 0, 0, 0]);
        out.extend(&question);
        out
    };
    talk.udp(Client, &message([1, 0], 0));
    let mut answer = message([0x81, 0x80], answers as u8);
    for _ in 0..answers {
        answer.extend([0xc0, 0x0c]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 1, 0x2c]);
        let length = if kind == 28 { 16 } else { 4 };
        answer.extend(be16(length));
        random.fill(&mut answer, length);
    }
    talk.wait(1_500);
    talk.udp(Server, &answer);
    talk.wait(1_000_000);
    talk.is_over = true;
}

/// An SMB2 message ([MS-SMB2], 2.2.1.2) behind the length of NetBIOS.
fn smb2(from: Side, command: u16, message: u64, status: u32, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0];
    out.extend(&((64 + body.len()) as u32).to_be_bytes()[1..]);
    out.extend(b"\xfeSMB\x40\x00\x01\x00");
    out.extend(status.to_le_bytes());
    out.extend(command.to_le_bytes());
    out.extend([31, 0]);
    // The flag of what comes from the server.
    out.extend((from as u32).to_le_bytes());
    out.extend([0; 4]);
    out.extend(message.to_le_bytes());
    out.extend([0xff, 0xfe, 0, 0, 5, 0, 0, 0, 0x11, 0, 0, 0, 0, 0x4c, 0, 0]);
    out.extend([0; 16]);
    out.extend_from_slice(body);
    out
}

/// A body: its fixed part of so many octets, some of them given by place, and what follows it.
fn smb2_body(fixed: usize, places: &[(usize, &[u8])], rest: &[u8]) -> Vec<u8> {
    let mut out = vec![0; fixed];
    for (place, octets) in places {
        out[*place..place + octets.len()].copy_from_slice(octets);
    }
    out.extend_from_slice(rest);
    out
}

/// An NTLMSSP message ([MS-NLMP], 2.2.1) without names, filled up.
fn ntlmssp(kind: u8, octets: usize) -> Vec<u8> {
    let mut out = b"NTLMSSP\0".to_vec();
    out.extend([kind, 0, 0, 0]);
    out.resize(octets, 0);
    out
}

/// SMB2: a share is connected, files are read in blocks of 64 KB.
pub fn smb(talk: &mut Talk, random: &mut Random) {
    const NEGOTIATE: u16 = 0;
    const SESSION_SETUP: u16 = 1;
    const TREE_CONNECT: u16 = 3;
    const CREATE: u16 = 5;
    const CLOSE: u16 = 6;
    const READ: u16 = 8;
    const MORE_PROCESSING: u32 = 0xc000_0016;
    const BLOCK: u32 = 65_536;
    let mut message = 100 * talk.round;
    let mut ask = |talk: &mut Talk, command: u16, asked: &[u8], status: u32, answer: &[u8]| {
        talk.tcp(Client, &smb2(Client, command, message, 0, asked));
        talk.wait(900);
        talk.tcp(Server, &smb2(Server, command, message, status, answer));
        talk.wait(700);
        message += 1;
    };
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    if talk.round == 0 {
        talk.open();
        let asked = smb2_body(36, &[(0, &[36, 0, 3, 0, 1])], &[2, 2, 0x10, 2, 0, 3]);
        let answer = smb2_body(64, &[(0, &[65, 0, 1, 0, 0, 3]), (28, &BLOCK.to_le_bytes()), (56, &[128, 0])], &[]);
        ask(talk, NEGOTIATE, &asked, 0, &answer);
        for (kind, octets, status, answered) in [(1, 40, MORE_PROCESSING, 240), (3, 420, 0, 0)] {
            let asked =
                smb2_body(24, &[(0, &[25, 0, 0, 1, 1]), (12, &[88, 0]), (14, &le16(octets))], &ntlmssp(kind, octets));
            let challenge = if answered > 0 { ntlmssp(2, answered) } else { Vec::new() };
            let answer = smb2_body(8, &[(0, &[9, 0]), (4, &[72, 0]), (6, &le16(answered))], &challenge);
            ask(talk, SESSION_SETUP, &asked, status, &answer);
        }
        let share = utf16("\\\\files\\recipes");
        let asked = smb2_body(8, &[(0, &[9, 0]), (4, &[72, 0]), (6, &le16(share.len()))], &share);
        return ask(talk, TREE_CONNECT, &asked, 0, &smb2_body(16, &[(0, &[16, 0, 1])], &[]));
    }
    if talk.round > 6 {
        talk.close();
        talk.wait(2_000_000);
        talk.is_over = true;
        return;
    }
    let file = utf16(&format!("line\\batch-{}.csv", talk.index + 7 * talk.round + 1_000 * talk.moved));
    let asked = smb2_body(56, &[(0, &[57, 0]), (36, &[1]), (44, &[120, 0]), (46, &le16(file.len()))], &file);
    ask(talk, CREATE, &asked, 0, &smb2_body(88, &[(0, &[89, 0, 0, 0, 1])], &[]));
    for block in 0..random.within(1..5) {
        let offset = (block * u64::from(BLOCK)).to_le_bytes();
        let asked = smb2_body(49, &[(0, &[49, 0, 80]), (4, &BLOCK.to_le_bytes()), (8, &offset)], &[]);
        let mut answer = smb2_body(16, &[(0, &[17, 0, 80]), (4, &BLOCK.to_le_bytes())], &[]);
        random.fill(&mut answer, BLOCK as usize);
        ask(talk, READ, &asked, 0, &answer);
    }
    ask(talk, CLOSE, &smb2_body(24, &[(0, &[24, 0])], &[]), 0, &smb2_body(60, &[(0, &[60, 0])], &[]));
    talk.wait(1_500_000);
}

/// ARP in IPv4, neighbour discovery in IPv6.
pub fn neighbours(talk: &mut Talk, _: &mut Random) {
    talk.neighbour(Client);
    talk.wait(300);
    talk.neighbour(Server);
    talk.wait(10_000_000);
    talk.is_over = true;
}
