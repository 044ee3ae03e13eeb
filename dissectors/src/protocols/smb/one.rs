//! SMB 1 (MS-CIFS, MS-SMB).

mod layout;

use std::collections::VecDeque;

use layout::{Block, Header, Texts, blocks, command, header};
pub use layout::{HEADER, is_header};

use super::conversation::{BUFFER_OVERFLOW, Conversation, Ended, File, Share, Use, tell, tell_renamed};
use super::two::renamed;
use super::{Keep, section};
use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::exchange::Status;
use crate::holds::{Holds, holds};
use crate::model::{Attribute, Operation};
use crate::protocols::gss::{Login, qualified};
use crate::secrets::is_known_password;
use crate::session::{Direction, Output};

/// Requests that wait for their answer.
const MAX_OPEN: usize = 256;
/// Dialects read of one offer.
const MAX_DIALECTS: usize = 32;

/// CAP_EXTENDED_SECURITY: logins are tokens.
const EXTENDED_SECURITY: u32 = 0x8000_0000;
/// FILE_DELETE_ON_CLOSE.
const DELETE_ON_CLOSE: u32 = 0x1000;
/// ResourceType of what was opened: a pipe of octets, or of messages (MS-CIFS, 2.2.4.64.2).
const PIPES: [u16; 2] = [1, 2];
/// TRANS_TRANSACT_NMPIPE.
const TRANSACT_PIPE: u16 = 0x0026;
/// TRANS2_SET_PATH_INFORMATION and TRANS2_SET_FILE_INFORMATION.
const SET_PATH: u16 = 6;
const SET_FILE: u16 = 8;
/// Levels of information that delete and rename (MS-CIFS, 2.2.8.4; MS-SMB, 2.2.2.3.5).
const DISPOSITION: [u16; 2] = [0x0102, 1_000 + 13];
const RENAME: u16 = 1_000 + 10;

/// What a request asks for, as far as the answer needs it.
#[derive(Clone)]
enum Asked {
    Other,
    Negotiate(Vec<String>),
    /// With a password that was sent as it is: whether everybody knows it.
    Login(Box<Login>, Option<bool>),
    Tree(String),
    Create {
        name: String,
        deletes: bool,
    },
    Named {
        action: &'static str,
        name: String,
    },
    Delete,
    Rename {
        from: String,
        to: String,
    },
}

#[derive(Clone)]
struct Open {
    message: u32,
    command: u8,
    client: Direction,
    frame: u64,
    file: u128,
    asked: Asked,
}

impl Holds for Asked {
    fn holds(&self) -> usize {
        match self {
            Asked::Other | Asked::Delete => 0,
            Asked::Negotiate(names) => names.holds(),
            Asked::Login(login, _) => login.holds(),
            Asked::Tree(name) | Asked::Create { name, .. } | Asked::Named { name, .. } => name.holds(),
            Asked::Rename { from, to } => from.holds() + to.holds(),
        }
    }
}

/// A conversation.
#[derive(Clone, Default)]
pub struct One {
    open: VecDeque<Open>,
    /// True where passwords are sent as they are.
    is_plain: bool,
}

holds! {
    Open { asked }
    One { open }
}

impl One {
    /// What of a message is to be read: of files that are read or written only the head.
    pub fn keeps(&self, bytes: &[u8], conversation: &Conversation) -> Keep {
        let Ok(header) = header(bytes) else { return Keep::More(HEADER + 1) };
        let Some(count) = bytes.get(HEADER) else { return Keep::More(HEADER + 1) };
        let is_bulk =
            matches!((header.command, header.is_reply), (command::READ_ANDX, true) | (command::WRITE_ANDX, false));
        match is_bulk {
            true if conversation.share(header.tree).is_none_or(Share::is_pipes) => Keep::Pipe,
            true => Keep::Head(HEADER + 1 + 2 * usize::from(*count) + 2),
            false => Keep::All,
        }
    }

    /// Takes a message.
    pub fn message(&mut self, bytes: &[u8], direction: Direction, conversation: &mut Conversation, out: &mut Output) {
        let Ok(header) = header(bytes) else { return };
        for block in blocks(header.command, bytes) {
            if header.is_reply {
                self.response(&header, &block, bytes, direction, conversation, out).ok();
            } else {
                self.request(&header, &block, bytes, direction, conversation, out).ok();
            }
        }
    }

    fn request(
        &mut self,
        header: &Header,
        block: &Block<'_>,
        bytes: &[u8],
        client: Direction,
        conversation: &mut Conversation,
        out: &mut Output,
    ) -> Result<(), Short> {
        let within = &bytes[..block.end.max(block.data).min(bytes.len())];
        let mut texts = Texts { bytes: within, at: block.data, is_unicode: header.is_unicode };
        let mut file = 0;
        let asked = match block.command {
            command::NEGOTIATE => {
                texts.is_unicode = false;
                let mut dialects = Vec::new();
                while texts.at < within.len() && dialects.len() < MAX_DIALECTS {
                    dialects.push(texts.formatted());
                }
                Asked::Negotiate(dialects)
            }
            command::SESSION_SETUP_ANDX => self.login(header, block, &mut texts, conversation, out)?,
            command::TREE_CONNECT_ANDX => {
                texts.at += usize::from(block.u16(6)?);
                Asked::Tree(texts.next())
            }
            command::TREE_CONNECT => {
                texts.is_unicode = false;
                Asked::Tree(texts.formatted())
            }
            command::NT_CREATE_ANDX => {
                let deletes = block.u32(39)? & DELETE_ON_CLOSE != 0;
                Asked::Create { name: texts.next(), deletes }
            }
            command::OPEN_ANDX => Asked::Create { name: texts.next(), deletes: false },
            command::OPEN | command::CREATE => Asked::Create { name: texts.formatted(), deletes: false },
            command::CREATE_DIRECTORY => Asked::Named { action: "create", name: texts.formatted() },
            command::DELETE | command::DELETE_DIRECTORY => Asked::Named { action: "delete", name: texts.formatted() },
            command::RENAME => Asked::Rename { from: texts.formatted(), to: texts.formatted() },
            command::CLOSE => {
                file = u128::from(block.u16(0)?);
                Asked::Other
            }
            command::READ_ANDX => {
                file = u128::from(block.u16(4)?);
                Asked::Other
            }
            command::WRITE_ANDX => {
                file = u128::from(block.u16(4)?);
                let (length, offset) = (usize::from(block.u16(20)?), usize::from(block.u16(22)?));
                conversation.piped(file, section(bytes, offset, length), length, client, out);
                Asked::Other
            }
            command::TRANSACTION if block.u16(28) == Ok(TRANSACT_PIPE) => {
                file = u128::from(block.u16(30)?);
                let (length, offset) = (usize::from(block.u16(22)?), usize::from(block.u16(24)?));
                conversation.piped(file, section(bytes, offset, length), length, client, out);
                Asked::Other
            }
            command::TRANSACTION2 => {
                let parameters = section(bytes, usize::from(block.u16(20)?), usize::from(block.u16(18)?));
                let data = section(bytes, usize::from(block.u16(24)?), usize::from(block.u16(22)?));
                let mut cursor = Cursor::new(parameters);
                let (by_path, level) = match block.u16(28)? {
                    SET_PATH => (true, cursor.u16_le("InformationLevel")?),
                    SET_FILE => {
                        file = u128::from(cursor.u16_le("FID")?);
                        (false, cursor.u16_le("InformationLevel")?)
                    }
                    _ => return Ok(()),
                };
                let from = if by_path {
                    Texts { bytes: parameters, at: 6, is_unicode: header.is_unicode }.next()
                } else {
                    conversation.file(file).map_or_else(String::new, |file| file.name.clone())
                };
                let deletes = DISPOSITION.contains(&level) && data.first().is_some_and(|octet| octet & 1 != 0);
                match level {
                    _ if deletes && by_path => Asked::Named { action: "delete", name: from },
                    _ if deletes => Asked::Delete,
                    // FILE_RENAME_INFORMATION (MS-SMB, 2.2.2.4.4).
                    RENAME => Asked::Rename { from, to: renamed(data, 8) },
                    _ => return Ok(()),
                }
            }
            command::TREE_DISCONNECT => Asked::Other,
            _ => return Ok(()),
        };
        if self.open.len() >= MAX_OPEN {
            self.give_up(out);
        }
        let Header { message, .. } = *header;
        self.open.push_back(Open { message, command: block.command, client, frame: out.frame, file, asked });
        Ok(())
    }

    /// A login: with tokens (MS-SMB, 2.2.4.6.1), with responses to a challenge, or with passwords (MS-CIFS, 2.2.4.53.1).
    fn login(
        &self,
        header: &Header,
        block: &Block<'_>,
        texts: &mut Texts<'_>,
        conversation: &mut Conversation,
        out: &mut Output,
    ) -> Result<Asked, Short> {
        let mut secret = None;
        let login = match block.words.len() / 2 {
            12 => {
                let mut login = conversation.login(header.user);
                let length = usize::from(block.u16(14)?);
                login.token(section(texts.bytes, texts.at, length), out);
                texts.at += length;
                login
            }
            13 | 10 => {
                let is_old = block.words.len() == 20;
                let oem = usize::from(block.u16(14)?);
                let unicode = if is_old { 0 } else { usize::from(block.u16(16)?) };
                let password = section(texts.bytes, texts.at, if oem > 0 { oem } else { unicode });
                texts.at += oem + unicode;
                let user = texts.next();
                let domain = texts.next();
                let is_anonymous = user.is_empty() && oem <= 1 && unicode <= 1;
                let version = match unicode {
                    _ if is_anonymous => "anonymous",
                    _ if self.is_plain => "",
                    25.. => "NTLMv2",
                    _ => "NTLMv1",
                };
                if self.is_plain && !is_anonymous {
                    let clear: Vec<u8> = password.iter().copied().filter(|octet| *octet != 0).collect();
                    secret = Some(is_known_password(user.as_bytes(), &clear));
                }
                if !is_anonymous {
                    out.sender_is(Attribute::User, qualified(&domain, &user));
                }
                let mechanism = if version.is_empty() { "password" } else { "ntlm" };
                Login { mechanism, user, domain, version, ..Login::default() }
            }
            _ => return Ok(Asked::Other),
        };
        native(texts, out);
        Ok(Asked::Login(Box::new(login), secret))
    }

    fn response(
        &mut self,
        header: &Header,
        block: &Block<'_>,
        bytes: &[u8],
        direction: Direction,
        conversation: &mut Conversation,
        out: &mut Output,
    ) -> Result<(), Short> {
        let is_it = |open: &Open| open.message == header.message && open.command == block.command;
        let Some(open) = self.open.iter().position(is_it).and_then(|place| self.open.remove(place)) else {
            return Ok(());
        };
        let ended = Ended { client: direction.opposite(), status: header.status, frame: Some(open.frame) };
        let within = &bytes[..block.end.max(block.data).min(bytes.len())];
        let mut texts = Texts { bytes: within, at: block.data, is_unicode: header.is_unicode };
        let share = conversation.share(header.tree).cloned().unwrap_or_default();
        let named = |name, conversation: &Conversation| File::new(name, &share, conversation.user(header.user));
        match (block.command, open.asked) {
            (command::NEGOTIATE, Asked::Negotiate(dialects)) => {
                self.negotiated(block, &dialects, texts, ended, conversation, out)?;
            }
            (command::SESSION_SETUP_ANDX, Asked::Login(mut login, secret)) => {
                if block.words.len() == 8 {
                    let length = usize::from(block.u16(6)?);
                    login.token(section(within, texts.at, length), out);
                    texts.at += length;
                }
                if !block.words.is_empty() {
                    native(&mut texts, out);
                    if block.words.len() == 6 {
                        out.sender_is(Attribute::Domain, texts.next());
                    }
                }
                let is_guest = ended.is_ok() && block.u16(4).is_ok_and(|action| action & 1 != 0);
                let before = out.activities.len();
                conversation.logged_in(header.user, *login, if is_guest { "guest" } else { "" }, ended, out);
                if let (Some(_), Some(activity)) = (secret, out.activities.get_mut(before)) {
                    activity.put_secret("password", secret);
                }
            }
            (command::TREE_CONNECT_ANDX, Asked::Tree(name)) => {
                texts.is_unicode = false;
                let kind = match &*texts.next() {
                    "IPC" => "pipe",
                    "A:" => "disk",
                    "LPT1:" => "print",
                    _ => "",
                };
                conversation.connected(header.tree, header.user, Share { name, kind }, ended, out);
            }
            (command::TREE_CONNECT, Asked::Tree(name)) => {
                let tree = block.u16(2).map_or(header.tree, u32::from);
                conversation.connected(tree, header.user, Share { name, kind: "" }, ended, out);
            }
            (command::TREE_DISCONNECT, _) => conversation.disconnected(header.tree),
            (command, Asked::Create { name, deletes }) => {
                let mut file = named(name, conversation);
                let (mut id, mut action, mut is_pipe) = (0, "open", share.is_pipes());
                if ended.is_ok() {
                    let (place, kind) = match command {
                        command::NT_CREATE_ANDX => (5, Some(63)),
                        command::OPEN_ANDX => (4, Some(18)),
                        _ => (0, None),
                    };
                    id = u128::from(block.u16(place)?);
                    is_pipe |= kind.is_some_and(|at| block.u16(at).is_ok_and(|kind| PIPES.contains(&kind)));
                    if command == command::NT_CREATE_ANDX {
                        action = if block.u32(7)? == 1 { "open" } else { "create" };
                        file.size = Some(u64::from(block.u32(55)?) | u64::from(block.u32(59)?) << 32);
                    }
                }
                conversation.opened(id, is_pipe, action, file, ended, out);
                if let Some(file) = conversation.file(id).filter(|_| deletes && ended.is_ok()) {
                    tell(file, "delete", Operation::File, ended, out);
                }
            }
            (_, Asked::Named { action, name }) => {
                tell(&named(name, conversation), action, Operation::File, ended, out);
            }
            (_, Asked::Rename { from, to }) => tell_renamed(&named(from, conversation), &to, ended, out),
            (_, Asked::Delete) => {
                if let Some(file) = conversation.file(open.file) {
                    tell(file, "delete", Operation::File, ended, out);
                }
            }
            (command::CLOSE, _) => conversation.closed(open.file, out),
            (command::READ_ANDX, _) => {
                if ended.is_ok() || ended.status == BUFFER_OVERFLOW {
                    let (length, offset) = (usize::from(block.u16(10)?), usize::from(block.u16(12)?));
                    conversation.piped(open.file, section(bytes, offset, length), length, direction, out);
                }
                conversation.used(open.file, Use::Read, ended, out);
            }
            (command::WRITE_ANDX, _) => conversation.used(open.file, Use::Write, ended, out),
            (command::TRANSACTION, _) if ended.is_ok() || ended.status == BUFFER_OVERFLOW => {
                let (length, offset) = (usize::from(block.u16(12)?), usize::from(block.u16(14)?));
                conversation.piped(open.file, section(bytes, offset, length), length, direction, out);
            }
            _ => {}
        }
        Ok(())
    }

    /// The dialect is agreed on, and whether messages are signed (MS-CIFS, 2.2.4.52.2; MS-SMB, 2.2.4.5.2).
    fn negotiated(
        &mut self,
        block: &Block<'_>,
        dialects: &[String],
        mut texts: Texts<'_>,
        ended: Ended,
        conversation: &mut Conversation,
        out: &mut Output,
    ) -> Result<(), Short> {
        let dialect = dialects.get(usize::from(block.u16(0)?)).cloned().unwrap_or_default();
        let mut signing = "";
        if block.words.len() == 34 {
            let mode = block.words.get(2).copied().unwrap_or_default();
            self.is_plain = mode & 2 == 0;
            signing = match mode {
                mode if mode & 8 != 0 => "required",
                mode if mode & 4 != 0 => "enabled",
                _ => "disabled",
            };
            if block.u32(19)? & EXTENDED_SECURITY != 0 {
                // Behind the server's identifier.
                Login::default().token(texts.bytes.get(texts.at + 16..).unwrap_or_default(), out);
            } else {
                texts.at += block.words.get(33).copied().map_or(0, usize::from);
                out.sender_is(Attribute::Domain, texts.unaligned());
                out.sender_is(Attribute::Hostname, texts.unaligned());
            }
        }
        conversation.dialect = dialect;
        out.activity(
            ended
                .activity("negotiate", Operation::Session)
                .with(Field::SmbDialect, &*conversation.dialect)
                .with(Field::SmbSigning, signing),
        );
        Ok(())
    }

    /// The conversation ends.
    pub fn close(&mut self, out: &mut Output) {
        while !self.open.is_empty() {
            self.give_up(out);
        }
    }

    /// The request open longest was not answered.
    fn give_up(&mut self, out: &mut Output) {
        let Some(open) = self.open.pop_front() else { return };
        let activity = |action, operation| Activity::new(open.client, action, operation).ended(Status::NoResponse, "");
        let activity = match open.asked {
            Asked::Login(login, _) => {
                let mut activity = activity("logon", Operation::Authenticate);
                login.put(&mut activity);
                activity
            }
            Asked::Tree(name) => activity("tree_connect", Operation::Session).with(Field::SmbShare, name),
            Asked::Create { name, .. } => activity("open", Operation::Read).with(Field::FileName, name),
            _ => return,
        };
        out.activity(Activity { request_frame: Some(open.frame), ..activity });
    }
}

/// What either side says that it runs on.
fn native(texts: &mut Texts<'_>, out: &mut Output) {
    out.sender_is(Attribute::OperatingSystem, texts.next());
    out.sender_is(Attribute::Software, texts.next());
}
