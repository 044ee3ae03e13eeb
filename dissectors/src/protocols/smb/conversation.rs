//! What is open in a conversation of any version: logins, shares, files and pipes; and how it is told.

use std::collections::BTreeMap;

use crate::activity::{Activity, Field};
use crate::exchange::Status;
use crate::holds::{Holds, holds};
use crate::model::Operation;
use crate::protocols::dce_rpc::{self, Pipe};
use crate::protocols::gss::Login;
use crate::session::{Direction, Output};
use crate::tables::{self, smb};

/// Logins, shares, files and pipes kept of one conversation; of more, those with the lowest number are forgotten.
const MAX_LOGINS: usize = 64;
const MAX_SHARES: usize = 128;
const MAX_FILES: usize = 1024;
const MAX_PIPES: usize = 64;

/// STATUS_PENDING: the answer comes later.
pub const PENDING: u32 = 0x0000_0103;
/// STATUS_BUFFER_OVERFLOW: the rest is to be read.
pub const BUFFER_OVERFLOW: u32 = 0x8000_0005;
/// STATUS_MORE_PROCESSING_REQUIRED: the login goes on.
pub const MORE_PROCESSING: u32 = 0xc000_0016;

/// A share that is connected to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Its path: server and share.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
}

impl Share {
    /// True where its files are named pipes.
    pub fn is_pipes(&self) -> bool {
        self.kind == "pipe"
    }
}

/// What was told of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Read,
    Write,
}

/// A file that is open.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// Its path in the share.
    pub name: String,
    /// The share.
    pub share: String,
    /// Octets at opening.
    pub size: Option<u64>,
    /// The user.
    pub user: String,
    is_read: bool,
    is_written: bool,
}

impl File {
    /// A file of a share, that a user opens.
    pub fn new(name: String, share: &Share, user: &str) -> Self {
        File { name, share: share.name.clone(), user: user.to_string(), ..File::default() }
    }
}

/// How a request ended: client, status and the frame of the request, where it was seen.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// The way that leads to the server.
    pub client: Direction,
    /// Its status code, NT's.
    pub status: u32,
    /// Frame of the request.
    pub frame: Option<u64>,
}

impl Ended {
    /// True where it was successful.
    pub const fn is_ok(&self) -> bool {
        self.status >> 30 == 0
    }

    /// The activity of it.
    pub fn activity(&self, action: &'static str, operation: Operation) -> Activity {
        let activity = Activity::new(self.client, action, operation);
        let (status, code) =
            if self.is_ok() { (Status::Ok, String::new()) } else { (Status::Error, name(self.status)) };
        Activity { request_frame: self.frame, ..activity.ended(status, code) }
    }
}

/// A status of the older kind: class and code (MS-CIFS, 2.2.2.4), as one number that no status of NT is.
pub fn dos_status(class: u8, code: u16) -> u32 {
    if class == 0 { 0 } else { DOS | u32::from(class) << 16 | u32::from(code) }
}

/// Severity, and the bit that is not Microsoft's (MS-ERREF, 2.3).
const DOS: u32 = 0xe000_0000;

/// Name of a status code.
fn name(status: u32) -> String {
    match tables::name(smb::STATUSES, status) {
        "" if status & DOS == DOS => {
            let class = match status >> 16 & 0xff {
                1 => "ERRDOS",
                2 => "ERRSRV",
                3 => "ERRHRD",
                _ => "ERRCMD",
            };
            format!("{class} {}", status & 0xffff)
        }
        "" => format!("{status:#010x}"),
        name => name.to_string(),
    }
}

/// Entries by number, at most `MOST`, and what they hold, counted as they come and go: some are a thousand.
#[derive(Clone)]
struct Kept<K, V, const MOST: usize> {
    entries: BTreeMap<K, V>,
    octets: usize,
}

impl<K, V, const MOST: usize> Default for Kept<K, V, MOST> {
    fn default() -> Self {
        Kept { entries: BTreeMap::new(), octets: 0 }
    }
}

impl<K: Ord, V: Holds, const MOST: usize> Kept<K, V, MOST> {
    /// Adds an entry, and forgets the one of its number, or the first where there are too many.
    fn keep(&mut self, key: K, value: V) -> Option<V> {
        let is_full = self.entries.len() >= MOST && !self.entries.contains_key(&key);
        let forgotten = if is_full { self.entries.pop_first().map(|(_, value)| value) } else { None };
        self.octets += Self::of(&value);
        let forgotten = self.entries.insert(key, value).or(forgotten);
        self.octets -= forgotten.as_ref().map_or(0, Self::of);
        forgotten
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        let removed = self.entries.remove(key);
        self.octets -= removed.as_ref().map_or(0, Self::of);
        removed
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    fn of(value: &V) -> usize {
        size_of::<(K, V)>() + value.holds()
    }
}

impl<K, V, const MOST: usize> Holds for Kept<K, V, MOST> {
    fn holds(&self) -> usize {
        self.octets
    }
}

/// What is open.
#[derive(Clone, Default)]
pub struct Conversation {
    /// The dialect spoken.
    pub dialect: String,
    users: Kept<u64, String, MAX_LOGINS>,
    logins: Kept<u64, Login, MAX_LOGINS>,
    shares: Kept<u32, Share, MAX_SHARES>,
    files: Kept<u128, File, MAX_FILES>,
    pipes: BTreeMap<u128, Pipe>,
}

holds! {
    Share { name }
    File { name, share, user }
    Conversation { dialect, users, logins, shares, files, pipes }
}

impl Conversation {
    /// A login that was begun in a session.
    pub fn login(&mut self, session: u64) -> Login {
        self.logins.remove(&session).unwrap_or_default()
    }

    /// A login went on or came to its end, with a session of some kind.
    pub fn logged_in(&mut self, session: u64, login: Login, kind: &'static str, ended: Ended, out: &mut Output) {
        if ended.status == MORE_PROCESSING {
            self.logins.keep(session, login);
            return;
        }
        let mut activity = ended.activity("logon", Operation::Authenticate);
        login.put(&mut activity);
        activity.put(Field::SmbSession, kind);
        activity.put(Field::SmbDialect, &*self.dialect);
        out.activity(activity);
        if ended.is_ok() {
            self.users.keep(session, login.user);
        }
    }

    /// The user of a session.
    pub fn user(&self, session: u64) -> &str {
        self.users.get(&session).map_or("", String::as_str)
    }

    /// A share was connected to, or refused.
    pub fn connected(&mut self, tree: u32, session: u64, share: Share, ended: Ended, out: &mut Output) {
        let activity = ended
            .activity("tree_connect", Operation::Session)
            .with(Field::SmbShare, &*share.name)
            .with(Field::SmbShareKind, share.kind)
            .with(Field::UserName, self.user(session));
        out.activity(activity);
        if ended.is_ok() {
            self.shares.keep(tree, share);
        }
    }

    /// A share that is connected to.
    pub fn share(&self, tree: u32) -> Option<&Share> {
        self.shares.get(&tree)
    }

    /// A share is left.
    pub fn disconnected(&mut self, tree: u32) {
        self.shares.remove(&tree);
    }

    /// A file or pipe of a share was opened, made or refused.
    pub fn opened(
        &mut self,
        id: u128,
        is_pipe: bool,
        action: &'static str,
        file: File,
        ended: Ended,
        out: &mut Output,
    ) {
        if is_pipe {
            let name = pipe_name(&file);
            let activity = ended.activity("open_pipe", Operation::Session).with(Field::DceRpcEndpoint, name);
            out.activity(activity.with(Field::SmbShare, &*file.share).with(Field::UserName, &*file.user));
            if ended.is_ok() {
                self.keep_pipe(id, Pipe::new(name), out);
            }
            return;
        }
        let operation = if action == "open" { Operation::Read } else { Operation::File };
        tell(&file, action, operation, ended, out);
        if ended.is_ok() {
            self.files.keep(id, file);
        }
    }

    /// A file that is open.
    pub fn file(&self, id: u128) -> Option<&File> {
        self.files.get(&id)
    }

    /// A file was read or written: told once each.
    pub fn used(&mut self, id: u128, how: Use, ended: Ended, out: &mut Output) {
        let Some(file) = self.files.entries.get_mut(&id).filter(|_| ended.is_ok()) else { return };
        let (seen, action, operation) = match how {
            Use::Read => (&mut file.is_read, "read", Operation::Read),
            Use::Write => (&mut file.is_written, "write", Operation::File),
        };
        if !std::mem::replace(seen, true) {
            tell(file, action, operation, ended, out);
        }
    }

    /// A file or pipe is closed.
    pub fn closed(&mut self, id: u128, out: &mut Output) {
        self.files.remove(&id);
        if let Some(mut pipe) = self.pipes.remove(&id) {
            pipe.close(out);
        }
    }

    /// True where this is a pipe that is open.
    pub fn is_pipe(&self, id: u128) -> bool {
        self.pipes.contains_key(&id)
    }

    /// What is written to or read from a pipe. One whose opening was not seen is known by what it carries, and so is one
    /// that was opened in a share that was connected to before the capture, or over another connection.
    pub fn piped(&mut self, id: u128, bytes: &[u8], whole: usize, direction: Direction, out: &mut Output) {
        let may_be = self.files.get(&id).is_none_or(|file| file.share.is_empty());
        if may_be && !self.pipes.contains_key(&id) && dce_rpc::is_unit(bytes) {
            let pipe = self.files.remove(&id).map_or_else(Pipe::default, |file| Pipe::new(pipe_name(&file)));
            self.keep_pipe(id, pipe, out);
        }
        if let Some(pipe) = self.pipes.get_mut(&id) {
            pipe.octets(bytes, whole, direction, out);
        }
    }

    /// The conversation ends.
    pub fn close(&mut self, out: &mut Output) {
        self.pipes.values_mut().for_each(|pipe| pipe.close(out));
        self.pipes.clear();
    }

    fn keep_pipe(&mut self, id: u128, pipe: Pipe, out: &mut Output) {
        let is_full = self.pipes.len() >= MAX_PIPES && !self.pipes.contains_key(&id);
        let forgotten = if is_full { self.pipes.pop_first().map(|(_, pipe)| pipe) } else { None };
        if let Some(mut forgotten) = self.pipes.insert(id, pipe).or(forgotten) {
            forgotten.close(out);
        }
    }
}

fn pipe_name(file: &File) -> &str {
    file.name.trim_start_matches('\\')
}

/// Tells what was done with a file. The root of a share has no name and is not told.
pub fn tell(file: &File, action: &'static str, operation: Operation, ended: Ended, out: &mut Output) {
    if !file.name.is_empty() {
        out.activity(described(file, ended.activity(action, operation)));
    }
}

/// Tells that a file gets another name.
pub fn tell_renamed(file: &File, name: &str, ended: Ended, out: &mut Output) {
    out.activity(described(file, ended.activity("rename", Operation::File)).with(Field::FileNewName, name));
}

fn described(file: &File, activity: Activity) -> Activity {
    let action = activity.action;
    let size = file.size.filter(|size| *size > 0).map_or_else(String::new, |size| size.to_string());
    activity
        .with(Field::FileName, &*file.name)
        .with(Field::FileAction, action)
        .with(Field::FileSize, size)
        .with(Field::SmbShare, &*file.share)
        .with(Field::UserName, &*file.user)
}
