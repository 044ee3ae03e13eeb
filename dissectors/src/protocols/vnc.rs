//! VNC (RFC 6143): versions, which security is offered and chosen, how the login ends, the desktop's name. Nothing of the
//! screen.

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::holds::Holds as _;
use crate::model::{Attribute, Operation, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, vnc};
use crate::text::{may_become, say};

/// Octets of the version (7.1.1).
const VERSION: usize = 12;
/// Octets of challenge and response (7.2.2).
const CHALLENGE: usize = 16;
/// Octets of a name or of a reason that are waited for.
const MAX_TEXT: usize = 4096;
/// Octets of a key of Diffie-Hellman at most.
const MAX_KEY: usize = 1024;

/// Security types that are followed to their end.
const NONE: u8 = 1;
const VNC: u8 = 2;
const APPLE: u8 = 30;

/// Tells from the first octets whether a stream is VNC.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    match bytes.first_chunk::<VERSION>() {
        _ if may_become(bytes, b"RFB 00") => Recognition::Undecided,
        Some(version) if is_version(version) => Recognition::Yes(Box::new(Vnc::new(probe.first))),
        None if bytes.starts_with(b"RFB 00") => Recognition::Undecided,
        _ => Recognition::No,
    }
}

/// `RFB xxx.yyy\n`.
fn is_version(text: &[u8; VERSION]) -> bool {
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    text.starts_with(b"RFB ") && digits(&text[4..7]) && text[7] == b'.' && digits(&text[8..11]) && text[11] == b'\n'
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    ServerVersion,
    ClientVersion,
    /// What the server offers.
    Offered,
    Chosen,
    Challenge,
    Response,
    /// Generator, length of keys, prime and key; the client's credentials and key.
    Keys,
    Credentials(usize),
    Result,
    Reason,
    ClientInit,
    ServerInit,
}

impl Step {
    fn is_servers(self) -> bool {
        !matches!(self, Step::ClientVersion | Step::Chosen | Step::Response | Step::Credentials(_) | Step::ClientInit)
    }
}

/// A connection.
#[derive(Clone)]
struct Vnc {
    server: Direction,
    step: Step,
    /// Minor version that the client speaks.
    minor: u16,
    offered: Vec<u8>,
    chosen: Option<u8>,
    version: String,
    frame: u64,
    told: bool,
    is_done: bool,
}

impl Vnc {
    fn new(server: Direction) -> Self {
        Vnc {
            server,
            step: Step::ServerVersion,
            minor: 0,
            offered: Vec::new(),
            chosen: None,
            version: String::new(),
            frame: 0,
            told: false,
            is_done: false,
        }
    }

    /// Octets of the next message.
    fn length(&self, bytes: &[u8]) -> Result<usize, Short> {
        let mut cursor = Cursor::new(bytes);
        Ok(match self.step {
            Step::ServerVersion | Step::ClientVersion => VERSION,
            // Version 3.3 has the server decide (7.1.2).
            Step::Offered if self.minor < 7 => 4,
            Step::Offered => 1 + usize::from(cursor.u8("number of security types")?),
            Step::Chosen | Step::ClientInit => 1,
            Step::Challenge | Step::Response => CHALLENGE,
            Step::Keys => {
                cursor.u16_be("generator")?;
                4 + 2 * usize::from(cursor.u16_be("key length")?)
            }
            Step::Credentials(key) => 128 + key,
            Step::Result => 4,
            Step::Reason => 4usize.saturating_add(cursor.u32_be("reason length")? as usize),
            Step::ServerInit => {
                cursor.take(20, "framebuffer")?;
                24usize.saturating_add(cursor.u32_be("name length")? as usize)
            }
        })
    }

    fn message(&mut self, bytes: &[u8], out: &mut Output) -> Result<(), Short> {
        let mut cursor = Cursor::new(bytes);
        self.step = match self.step {
            // What is no version may be what follows it, a password's challenge among that.
            Step::ServerVersion | Step::ClientVersion if !bytes.starts_with(b"RFB ") => self.leave(out),
            Step::ServerVersion => {
                say(out, Attribute::ProtocolRevision, &bytes[..bytes.len().min(VERSION - 1)]);
                Step::ClientVersion
            }
            Step::ClientVersion => {
                let digits = bytes.get(8..11).unwrap_or_default();
                self.minor = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
                self.version = printable(bytes.get(4..11).unwrap_or_default());
                self.frame = out.frame;
                Step::Offered
            }
            Step::Offered if self.minor < 7 => {
                let chosen = cursor.u32_be("security type")? as u8;
                self.offered = vec![chosen];
                self.choose(chosen, out)
            }
            Step::Offered => match cursor.u8("number of security types")? {
                0 => {
                    self.tell(Status::Error, "refused", out);
                    Step::Reason
                }
                count => {
                    self.offered = cursor.take(usize::from(count), "security types")?.to_vec();
                    Step::Chosen
                }
            },
            Step::Chosen => {
                let chosen = cursor.u8("security type")?;
                self.choose(chosen, out)
            }
            Step::Challenge => Step::Response,
            Step::Keys => {
                cursor.u16_be("generator")?;
                match usize::from(cursor.u16_be("key length")?) {
                    key if key <= MAX_KEY => Step::Credentials(key),
                    _ => self.leave(out),
                }
            }
            Step::Response | Step::Credentials(_) => Step::Result,
            Step::Result => match cursor.u32_be("status")? {
                0 => {
                    self.tell(Status::Ok, "", out);
                    Step::ClientInit
                }
                status => {
                    let name = if status == 2 { "too_many_attempts" } else { "failed" };
                    self.tell(Status::Error, name, out);
                    self.is_done = true;
                    Step::Reason
                }
            },
            Step::Reason => self.leave(out),
            Step::ClientInit => Step::ServerInit,
            Step::ServerInit => {
                cursor.take(20, "framebuffer")?;
                let length = cursor.u32_be("name length")? as usize;
                say(out, Attribute::Name, cursor.take(length.min(cursor.left()), "name")?);
                self.leave(out)
            }
        };
        Ok(())
    }

    fn choose(&mut self, chosen: u8, out: &mut Output) -> Step {
        self.chosen = Some(chosen);
        match chosen {
            0 => {
                self.tell(Status::Error, "refused", out);
                Step::Reason
            }
            // Before version 3.8 there is no result without a login (7.1.3).
            NONE if self.minor < 8 => {
                self.tell(Status::Ok, "", out);
                Step::ClientInit
            }
            NONE => Step::Result,
            VNC => Step::Challenge,
            APPLE => Step::Keys,
            _ => self.leave(out),
        }
    }

    /// What follows is not read.
    fn leave(&mut self, out: &mut Output) -> Step {
        if !self.told {
            self.tell(Status::OneWay, "", out);
        }
        self.is_done = true;
        Step::Reason
    }

    fn tell(&mut self, status: Status, code: &str, out: &mut Output) {
        let name = |number: &u8| match tables::name(vnc::SECURITY_TYPES, u32::from(*number)) {
            "" => number.to_string(),
            name => name.to_string(),
        };
        let offered = self.offered.iter().take(16).map(name).collect::<Vec<_>>().join(",");
        let mut activity = Activity::new(self.server.opposite(), "connect", Operation::Authenticate)
            .with(Field::VncVersion, &*self.version)
            .with(Field::VncOffered, offered)
            .with(Field::VncSecurity, self.chosen.as_ref().map(name).unwrap_or_default());
        match self.chosen {
            Some(NONE) => activity.put_secret("none", None),
            Some(VNC) => activity.put_secret("challenge", None),
            Some(APPLE) => activity.put_secret("password", None),
            _ => {}
        }
        activity.request_frame = Some(self.frame).filter(|frame| *frame > 0);
        out.activity(activity.ended(status, code));
        self.told = true;
    }
}

impl Session for Vnc {
    fn protocol(&self) -> Protocol {
        Protocol::Vnc
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        if (direction == self.server) != self.step.is_servers() {
            return Framing::NotMine;
        }
        match self.length(bytes) {
            Ok(length) if length <= MAX_TEXT => Framing::Message(length),
            Ok(length) => Framing::Head { keep: bytes.len().min(MAX_TEXT), length },
            Err(_) => Framing::NeedMore,
        }
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        if self.message(chunk.bytes, out).is_err() {
            self.is_done = true;
        }
    }

    fn gap(&mut self, _: Direction, _: &mut Output) {
        self.is_done = true;
    }

    fn close(&mut self, out: &mut Output) {
        if !self.told && self.step != Step::ClientVersion {
            self.tell(Status::NoResponse, "", out);
        }
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn held(&self) -> usize {
        self.offered.holds() + self.version.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::heard::Said;
    use crate::protocols::heard::{C, S, cut_everywhere, stream, takes_any};

    const PORTS: [u16; 2] = [50_000, 5900];
    const V38: [(Direction, &[u8]); 2] = [(S, b"RFB 003.008\n"), (C, b"RFB 003.008\n")];
    const V33: [(Direction, &[u8]); 2] = [(S, b"RFB 003.008\n"), (C, b"RFB 003.003\n")];
    /// 1024 × 768, the pixel format, and the name.
    const INIT: (Direction, &[u8]) =
        (S, b"\x04\x00\x03\x00\x20\x18\x00\x01\x00\xff\x00\xff\x00\xff\x10\x08\x00\x00\x00\x00\x00\x00\x00\x05hmi-1");

    #[test]
    fn security_offered_chosen_and_how_it_ended() {
        let response: (Direction, &[u8]) = (C, b"s3cret s3cret..!");
        let challenge: (Direction, &[u8]) = (S, b"0123456789abcdef");
        let share: (Direction, &[u8]) = (C, b"\x01");
        let ok: (Direction, &[u8]) = (S, b"\x00\x00\x00\x00");
        let no: (Direction, &[u8]) = (S, b"\x00\x00\x00\x01\x00\x00\x00\x02no");
        // A Mac's version (7.1.1 has only 003.003 to 003.008).
        let v889: [(Direction, &[u8]); 2] = [(S, b"RFB 003.889\n"), (C, b"RFB 003.889\n")];
        let cases: [(Said, &str, &[&str]); 9] = [
            (
                &[v889[0], v889[1], (S, b"\x01\x1e"), (C, b"\x1e"), (S, b"\x00\x02\x00\x02ppkk"), (C, &[7; 130]), no],
                "connect error failed vnc.version=003.889 vnc.security_offered=apple_diffie_hellman \
                 vnc.security_type=apple_diffie_hellman credential.kind=password",
                &[],
            ),
            (
                &[V38[0], V38[1], (S, b"\x02\x02\x01"), (C, b"\x02"), challenge, response, ok, share, INIT],
                "connect ok  vnc.version=003.008 vnc.security_offered=vnc,none vnc.security_type=vnc credential.kind=challenge",
                &["hmi-1"],
            ),
            (
                &[V38[0], V38[1], (S, b"\x01\x02"), (C, b"\x02"), challenge, response, no],
                "connect error failed vnc.version=003.008 vnc.security_offered=vnc vnc.security_type=vnc credential.kind=challenge",
                &[],
            ),
            (
                &[V38[0], V38[1], (S, b"\x01\x01"), (C, b"\x01"), ok, share, INIT],
                "connect ok  vnc.version=003.008 vnc.security_offered=none vnc.security_type=none credential.kind=none",
                &["hmi-1"],
            ),
            (
                &[V33[0], V33[1], (S, b"\x00\x00\x00\x01"), share, INIT],
                "connect ok  vnc.version=003.003 vnc.security_offered=none vnc.security_type=none credential.kind=none",
                &["hmi-1"],
            ),
            (
                &[V38[0], V38[1], (S, b"\x02\x13\x63"), (C, b"\x13")],
                "connect one_way  vnc.version=003.008 vnc.security_offered=vencrypt,99 vnc.security_type=vencrypt",
                &[],
            ),
            (&[V38[0], V38[1], (S, b"\x00\x00\x00\x00\x02no")], "connect error refused vnc.version=003.008", &[]),
            (
                &[V38[0], V38[1], (S, b"\x01\x1e"), (C, b"\x1e"), (S, b"\x00\x02\x00\x02ppkk"), (C, &[7; 130]), ok],
                "connect ok  vnc.version=003.008 vnc.security_offered=apple_diffie_hellman \
                 vnc.security_type=apple_diffie_hellman credential.kind=password",
                &[],
            ),
            (&V38, "connect no_response  vnc.version=003.008", &[]),
        ];
        for (segments, told, names) in cases {
            let heard = stream(probe_stream, PORTS, segments);
            assert_eq!(heard.lines(), [told]);
            assert_eq!(heard.claimed(S, Attribute::Name), names);
            assert!(!heard.tells("s3cret"));
            cut_everywhere(probe_stream, PORTS, segments);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            takes_any(probe_stream, PORTS, &V38, &bytes);
            takes_any(probe_stream, PORTS, &[V38[0], V38[1], (S, b"\x01\x1e"), (C, b"\x1e")], &bytes);
        }
    }
}
