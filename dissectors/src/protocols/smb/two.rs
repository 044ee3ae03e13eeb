//! SMB 2 and 3 (MS-SMB2).

use std::collections::VecDeque;

use super::conversation::{BUFFER_OVERFLOW, Conversation, Ended, File, PENDING, Share, Use, tell, tell_renamed};
use super::{Keep, section};
use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, utf16_le};
use crate::exchange::Status;
use crate::holds::{Holds, holds};
use crate::model::Operation;
use crate::protocols::gss::Login;
use crate::session::{Direction, Output};
use crate::tables::{self, smb};

/// Octets of the header (MS-SMB2, 2.2.1).
pub const HEADER: usize = 64;
/// Requests that wait for their answer.
const MAX_OPEN: usize = 256;
/// FileId of what the request before it in a chain opened.
const RELATED: u128 = u128::MAX;

/// Commands (MS-SMB2, 2.2.1.2).
mod command {
    pub const NEGOTIATE: u16 = 0;
    pub const SESSION_SETUP: u16 = 1;
    pub const LOGOFF: u16 = 2;
    pub const TREE_CONNECT: u16 = 3;
    pub const TREE_DISCONNECT: u16 = 4;
    pub const CREATE: u16 = 5;
    pub const CLOSE: u16 = 6;
    pub const READ: u16 = 8;
    pub const WRITE: u16 = 9;
    pub const IOCTL: u16 = 11;
    pub const QUERY_DIRECTORY: u16 = 14;
    pub const QUERY_INFO: u16 = 16;
    pub const SET_INFO: u16 = 17;
    pub const LAST: u16 = 19;
}

/// SMB2_FLAGS_SERVER_TO_REDIR and SMB2_FLAGS_ASYNC_COMMAND.
const RESPONSE: u32 = 1;
const ASYNCHRONOUS: u32 = 2;
/// The dialect that only says that another is to be negotiated.
const WILDCARD: u16 = 0x02ff;
/// FSCTL_PIPE_TRANSCEIVE.
const TRANSCEIVE: u32 = 0x0011_c017;
/// FILE_DELETE_ON_CLOSE.
const DELETE_ON_CLOSE: u32 = 0x1000;
/// Classes of a file's information that rename and delete (MS-FSCC, 2.4).
const RENAME: u8 = 10;
const DISPOSITION: [u8; 2] = [13, 64];
/// SessionFlags (MS-SMB2, 2.2.6).
const GUEST: u16 = 1;
const NULL: u16 = 2;
const ENCRYPTED: u16 = 4;

/// A header.
#[derive(Clone, Copy, Debug)]
struct Header {
    status: u32,
    command: u16,
    flags: u32,
    next: usize,
    message: u64,
    tree: u32,
    session: u64,
}

impl Header {
    fn is_response(&self) -> bool {
        self.flags & RESPONSE != 0
    }
}

fn header(bytes: &[u8]) -> Result<Header, Short> {
    let mut cursor = Cursor::new(bytes);
    cursor.take(8, "ProtocolId, StructureSize, CreditCharge")?;
    let status = cursor.u32_le("Status")?;
    let command = cursor.u16_le("Command")?;
    cursor.take(2, "CreditRequest")?;
    let flags = cursor.u32_le("Flags")?;
    let next = cursor.u32_le("NextCommand")? as usize;
    let message = cursor.u64_le("MessageId")?;
    cursor.take(4, "Reserved")?;
    let tree = cursor.u32_le("TreeId")?;
    let session = cursor.u64_le("SessionId")?;
    cursor.take(16, "Signature")?;
    Ok(Header { status, command, flags, next, message, tree, session })
}

/// True where octets start with a header.
pub fn is_header(bytes: &[u8]) -> bool {
    let mut cursor = Cursor::new(bytes);
    let is_known = |cursor: &mut Cursor<'_>| {
        Ok::<_, Short>(cursor.u32_be("ProtocolId")? == 0xfe53_4d42 && cursor.u16_le("StructureSize")? == HEADER as u16)
    };
    is_known(&mut cursor) == Ok(true) && header(bytes).is_ok_and(|header| header.command <= command::LAST)
}

/// What a request asks for, as far as the answer needs it.
#[derive(Clone)]
enum Asked {
    Other,
    Login(Box<Login>),
    Tree(String),
    Create { name: String, deletes: bool },
    Delete,
    Rename(String),
}

#[derive(Clone)]
struct Open {
    message: u64,
    command: u16,
    client: Direction,
    frame: u64,
    /// First request of its chain.
    chain: u64,
    session: u64,
    tree: u32,
    file: u128,
    asked: Asked,
}

impl Holds for Asked {
    fn holds(&self) -> usize {
        match self {
            Asked::Other | Asked::Delete => 0,
            Asked::Login(login) => login.holds(),
            Asked::Tree(name) | Asked::Create { name, .. } | Asked::Rename(name) => name.holds(),
        }
    }
}

/// A conversation.
#[derive(Clone, Default)]
pub struct Two {
    open: VecDeque<Open>,
}

holds! {
    Open { asked }
    Two { open }
}

impl Two {
    /// What of a message is to be read: of files that are read or written only the head.
    pub fn keeps(&self, bytes: &[u8], conversation: &Conversation) -> Keep {
        let Ok(header) = header(bytes) else { return Keep::More(HEADER) };
        let is_alone = header.next == 0;
        match (header.command, header.is_response()) {
            (command::READ, true) if is_alone => match self.asked(&header) {
                Some(open) if conversation.is_pipe(open.file) => Keep::Pipe,
                None => Keep::Pipe,
                Some(_) => Keep::Head(HEADER + 16),
            },
            (command::WRITE, false) if is_alone => {
                let is_pipes = conversation.share(header.tree).is_none_or(Share::is_pipes);
                if is_pipes { Keep::Pipe } else { Keep::Head(HEADER + 48) }
            }
            (command::QUERY_DIRECTORY | command::QUERY_INFO, true) if is_alone => Keep::Head(HEADER),
            _ => Keep::All,
        }
    }

    /// Takes a chain of messages.
    pub fn messages(&mut self, bytes: &[u8], direction: Direction, conversation: &mut Conversation, out: &mut Output) {
        let mut rest = bytes;
        let mut chain = None;
        while let Ok(header) = header(rest) {
            let is_last = header.next < HEADER;
            let message = if is_last { rest } else { rest.get(..header.next).unwrap_or(rest) };
            if header.is_response() {
                self.response(&header, message, direction, conversation, out).ok();
            } else {
                let chain = *chain.get_or_insert(header.message);
                self.request(&header, message, chain, direction, conversation, out).ok();
            }
            rest = if is_last { &[] } else { rest.get(header.next..).unwrap_or_default() };
        }
    }

    fn asked(&self, header: &Header) -> Option<&Open> {
        self.open.iter().find(|open| open.message == header.message && open.command == header.command)
    }

    fn request(
        &mut self,
        header: &Header,
        bytes: &[u8],
        chain: u64,
        client: Direction,
        conversation: &mut Conversation,
        out: &mut Output,
    ) -> Result<(), Short> {
        let mut cursor = Cursor::new(bytes);
        cursor.take(HEADER + 2, "header and StructureSize")?;
        let mut file = 0;
        let asked = match header.command {
            command::NEGOTIATE | command::LOGOFF | command::TREE_DISCONNECT => Asked::Other,
            command::SESSION_SETUP => {
                cursor.take(10, "Flags … Channel")?;
                let token = buffer_of(bytes, &mut cursor)?;
                let mut login = conversation.login(header.session);
                login.token(token, out);
                Asked::Login(Box::new(login))
            }
            command::TREE_CONNECT => {
                cursor.take(2, "Flags")?;
                Asked::Tree(utf16_le(buffer_of(bytes, &mut cursor)?))
            }
            command::CREATE => {
                cursor.take(38, "SecurityFlags … CreateDisposition")?;
                let deletes = cursor.u32_le("CreateOptions")? & DELETE_ON_CLOSE != 0;
                Asked::Create { name: utf16_le(buffer_of(bytes, &mut cursor)?), deletes }
            }
            command::CLOSE | command::READ => {
                let before = if header.command == command::CLOSE { 6 } else { 14 };
                cursor.take(before, "fields before FileId")?;
                file = file_of(&mut cursor)?;
                Asked::Other
            }
            command::WRITE => {
                let offset = usize::from(cursor.u16_le("DataOffset")?);
                let length = cursor.u32_le("Length")? as usize;
                cursor.take(8, "Offset")?;
                file = file_of(&mut cursor)?;
                let data = bytes.get(offset..).unwrap_or_default();
                conversation.piped(file, &data[..data.len().min(length)], length, client, out);
                Asked::Other
            }
            command::IOCTL => {
                cursor.take(2, "Reserved")?;
                if cursor.u32_le("CtlCode")? != TRANSCEIVE {
                    return Ok(());
                }
                file = file_of(&mut cursor)?;
                let (data, length) = data_of(bytes, &mut cursor)?;
                conversation.piped(file, data, length, client, out);
                Asked::Other
            }
            command::SET_INFO => {
                let (kind, class) = (cursor.u8("InfoType")?, cursor.u8("FileInfoClass")?);
                let length = cursor.u32_le("BufferLength")? as usize;
                let offset = usize::from(cursor.u16_le("BufferOffset")?);
                cursor.take(6, "Reserved and AdditionalInformation")?;
                file = file_of(&mut cursor)?;
                let data = section(bytes, offset, length);
                match (kind, class) {
                    (1, RENAME) => Asked::Rename(renamed(data, 16)),
                    (1, class) if DISPOSITION.contains(&class) && data.first().is_some_and(|octet| octet & 1 != 0) => {
                        Asked::Delete
                    }
                    _ => return Ok(()),
                }
            }
            _ => return Ok(()),
        };
        if self.open.len() >= MAX_OPEN {
            self.give_up(conversation, out);
        }
        let Header { message, command, session, tree, .. } = *header;
        self.open.push_back(Open { message, command, client, frame: out.frame, chain, session, tree, file, asked });
        Ok(())
    }

    fn response(
        &mut self,
        header: &Header,
        bytes: &[u8],
        direction: Direction,
        conversation: &mut Conversation,
        out: &mut Output,
    ) -> Result<(), Short> {
        if header.status == PENDING && header.flags & ASYNCHRONOUS != 0 {
            return Ok(());
        }
        let is_it = |open: &Open| open.message == header.message && open.command == header.command;
        let open = self.open.iter().position(is_it).and_then(|place| self.open.remove(place));
        let ended =
            Ended { client: direction.opposite(), status: header.status, frame: open.as_ref().map(|open| open.frame) };
        let mut cursor = Cursor::new(bytes);
        cursor.take(HEADER + 2, "header and StructureSize")?;
        if header.command == command::NEGOTIATE {
            return negotiated(bytes, &mut cursor, ended, conversation, out);
        }
        let Some(Open { chain, file, tree, asked, session, .. }) = open else {
            // The login's answer describes the server, whoever asked.
            if header.command == command::SESSION_SETUP {
                cursor.take(2, "SessionFlags")?;
                Login::default().token(buffer_of(bytes, &mut cursor)?, out);
            }
            return Ok(());
        };
        match (header.command, asked) {
            (command::SESSION_SETUP, Asked::Login(mut login)) => {
                let flags = cursor.u16_le("SessionFlags")?;
                login.token(buffer_of(bytes, &mut cursor)?, out);
                let kind = match flags {
                    _ if !ended.is_ok() => "",
                    flags if flags & NULL != 0 => "null",
                    flags if flags & GUEST != 0 => "guest",
                    flags if flags & ENCRYPTED != 0 => "encrypted",
                    _ => "",
                };
                conversation.logged_in(header.session, *login, kind, ended, out);
            }
            (command::TREE_CONNECT, Asked::Tree(name)) => {
                let kind = if ended.is_ok() { cursor.u8("ShareType")? } else { 0 };
                let share = Share { name, kind: tables::name(smb::SHARES, u32::from(kind)) };
                conversation.connected(header.tree, header.session, share, ended, out);
            }
            (command::TREE_DISCONNECT, _) => conversation.disconnected(tree),
            (command::CREATE, Asked::Create { name, deletes }) => {
                let share = conversation.share(tree).cloned().unwrap_or_default();
                let mut file = File::new(name, &share, conversation.user(session));
                let (mut id, mut action) = (0, "open");
                if ended.is_ok() {
                    cursor.take(2, "OplockLevel and Flags")?;
                    action = tables::name(smb::CREATE_ACTIONS, cursor.u32_le("CreateAction")?);
                    cursor.take(40, "times and AllocationSize")?;
                    file.size = Some(cursor.u64_le("EndofFile")?);
                    cursor.take(8, "FileAttributes and Reserved2")?;
                    id = file_of(&mut cursor)?;
                    // What follows in the chain means this file.
                    for open in self.open.iter_mut().filter(|open| open.chain == chain && open.file == RELATED) {
                        open.file = id;
                    }
                }
                let action = if action.is_empty() { "open" } else { action };
                conversation.opened(id, share.is_pipes(), action, file, ended, out);
                if let Some(file) = conversation.file(id).filter(|_| deletes && ended.is_ok()) {
                    tell(file, "delete", Operation::File, ended, out);
                }
            }
            (command::CLOSE, _) => conversation.closed(file, out),
            (command::READ, _) => {
                let offset = usize::from(cursor.u8("DataOffset")?);
                cursor.take(1, "Reserved")?;
                let length = cursor.u32_le("DataLength")? as usize;
                if ended.is_ok() || ended.status == BUFFER_OVERFLOW {
                    let data = bytes.get(offset..).unwrap_or_default();
                    conversation.piped(file, &data[..data.len().min(length)], length, direction, out);
                }
                conversation.used(file, Use::Read, ended, out);
            }
            (command::WRITE, _) => conversation.used(file, Use::Write, ended, out),
            (command::IOCTL, _) if ended.is_ok() || ended.status == BUFFER_OVERFLOW => {
                cursor.take(6, "Reserved and CtlCode")?;
                file_of(&mut cursor)?;
                cursor.take(8, "InputOffset and InputCount")?;
                let (data, length) = data_of(bytes, &mut cursor)?;
                conversation.piped(file, data, length, direction, out);
            }
            (command::SET_INFO, Asked::Delete) => {
                if let Some(file) = conversation.file(file) {
                    tell(file, "delete", Operation::File, ended, out);
                }
            }
            (command::SET_INFO, Asked::Rename(name)) => {
                if let Some(file) = conversation.file(file) {
                    tell_renamed(file, &name, ended, out);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The conversation ends.
    pub fn close(&mut self, conversation: &Conversation, out: &mut Output) {
        while !self.open.is_empty() {
            self.give_up(conversation, out);
        }
    }

    /// The request open longest was not answered.
    fn give_up(&mut self, conversation: &Conversation, out: &mut Output) {
        let Some(open) = self.open.pop_front() else { return };
        let (action, operation) = match open.asked {
            Asked::Login(_) => ("logon", Operation::Authenticate),
            Asked::Tree(_) => ("tree_connect", Operation::Session),
            Asked::Create { .. } => ("open", Operation::Read),
            _ => return,
        };
        let mut activity = Activity::new(open.client, action, operation).ended(Status::NoResponse, "");
        match open.asked {
            Asked::Login(login) => login.put(&mut activity),
            Asked::Tree(name) => activity.put(Field::SmbShare, name),
            Asked::Create { name, .. } => {
                activity.put(Field::FileName, name);
                activity.put(Field::SmbShare, conversation.share(open.tree).map_or("", |share| &*share.name));
            }
            _ => {}
        }
        out.activity(Activity { request_frame: Some(open.frame), ..activity });
    }
}

/// The dialect is agreed on, and whether messages are signed (MS-SMB2, 2.2.4).
fn negotiated<'a>(
    bytes: &'a [u8],
    cursor: &mut Cursor<'a>,
    ended: Ended,
    conversation: &mut Conversation,
    out: &mut Output,
) -> Result<(), Short> {
    if !ended.is_ok() {
        out.activity(ended.activity("negotiate", Operation::Session));
        return Ok(());
    }
    let mode = cursor.u16_le("SecurityMode")?;
    let dialect = cursor.u16_le("DialectRevision")?;
    cursor.take(50, "NegotiateContextCount … ServerStartTime")?;
    Login::default().token(buffer_of(bytes, cursor)?, out);
    if dialect == WILDCARD {
        return Ok(());
    }
    conversation.dialect = match tables::name(smb::DIALECTS, u32::from(dialect)) {
        "" => format!("{dialect:#06x}"),
        name => name.to_string(),
    };
    let signing = if mode & 2 != 0 { "required" } else { "enabled" };
    out.activity(
        ended
            .activity("negotiate", Operation::Session)
            .with(Field::SmbDialect, &*conversation.dialect)
            .with(Field::SmbSigning, signing),
    );
    Ok(())
}

/// What a 16-bit offset and length at the cursor point to.
fn buffer_of<'a>(bytes: &'a [u8], cursor: &mut Cursor<'_>) -> Result<&'a [u8], Short> {
    let offset = usize::from(cursor.u16_le("buffer offset")?);
    let length = usize::from(cursor.u16_le("buffer length")?);
    Ok(section(bytes, offset, length))
}

/// What a 32-bit offset and length point to, as far as it is there, and its length.
fn data_of<'a>(bytes: &'a [u8], cursor: &mut Cursor<'_>) -> Result<(&'a [u8], usize), Short> {
    let offset = cursor.u32_le("offset")? as usize;
    let length = cursor.u32_le("count")? as usize;
    Ok((section(bytes, offset, length), length))
}

/// The new name in FILE_RENAME_INFORMATION, its length before it (MS-FSCC, 2.4.42).
pub fn renamed(data: &[u8], at: usize) -> String {
    let mut cursor = Cursor::new(data);
    let length = cursor.take(at, "ReplaceIfExists … RootDirectory").and_then(|_| cursor.u32_le("FileNameLength"));
    utf16_le(section(data, at + 4, length.map_or(0, |length| length as usize)))
}

fn file_of(cursor: &mut Cursor<'_>) -> Result<u128, Short> {
    Ok(u128::from(cursor.u64_le("FileId")?) | u128::from(cursor.u64_le("FileId")?) << 64)
}
