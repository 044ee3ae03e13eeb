//! What a process that listens may no longer ask of the kernel, with the reason.

use self::Fate::{Kill, Refuse};
use self::When::{Always, Capture, CaptureWith, Covers, NotUnix, SocketRequest};

/// When a call is denied. Arguments are counted from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Whatever its arguments.
    Always,
    /// This argument is a capture socket.
    Capture(u8),
    /// The first argument is a capture socket, the second one this command.
    CaptureWith(u32),
    /// A capture socket lies between the first argument and the second.
    Covers,
    /// The first argument is another family than AF_UNIX.
    NotUnix,
    /// The second argument is a request to a socket, its interface or its routes (`SIOC…`, 0x8900 to 0x89ff), other than
    /// [`READ_REQUESTS`].
    SocketRequest,
}

impl When {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Always => "always",
            Capture(_) => "on a capture socket",
            CaptureWith(_) => "for a second descriptor of a capture socket",
            Covers => "over a capture socket",
            NotUnix => "of any family but AF_UNIX",
            SocketRequest => "with a request to sockets or interfaces, but for name, number and flags",
        }
    }
}

/// What becomes of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The call fails with EPERM.
    Refuse,
    /// The process ends: nothing that belongs to it makes this call, so it is no longer its own.
    Kill,
}

impl Fate {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Refuse => "refused",
            Kill => "killed",
        }
    }
}

/// One row: a system call that is denied.
#[derive(Clone, Copy, Debug)]
pub struct Denied {
    /// Its name, as the kernel's headers write it.
    constant: &'static str,
    /// Its number here.
    pub number: i64,
    /// When.
    pub when: When,
    /// What follows.
    pub fate: Fate,
    /// Why.
    pub reason: &'static str,
}

/// The last call of Linux 6.18. What came later, and what other tables of calls number (x32), is denied unknown: it
/// fails as on a kernel that has no such call.
pub const LAST_KNOWN: u32 = 469;

impl Denied {
    /// Its name.
    pub fn call(&self) -> &'static str {
        self.constant.strip_prefix("SYS_").unwrap_or(self.constant)
    }
}

/// What the capture asks of its interfaces while it listens: the name of a number, flags, the number of a name
/// (`SIOCGIFNAME`, `SIOCGIFFLAGS`, `SIOCGIFINDEX`).
pub const READ_REQUESTS: [u32; 3] = [0x8910, 0x8913, 0x8933];

macro_rules! denied {
    ($( $(#[$only:meta])* $call:ident, $when:expr, $fate:expr, $reason:literal; )*) => {
        &[$(
            $(#[$only])*
            Denied {
                constant: stringify!($call),
                number: libc::$call,
                when: $when,
                fate: $fate,
                reason: $reason,
            },
        )*]
    };
}

/// Every row. Several of one call hold side by side.
pub const DENIED: &[Denied] = denied! {
    SYS_sendto, Always, Refuse, "sends; the service manager is told by write, on a socket connected before";
    SYS_sendmsg, Always, Refuse, "sends, and hands descriptors to another process";
    SYS_sendmmsg, Always, Refuse, "sends many";
    SYS_write, Capture(0), Refuse, "sends, on a packet socket";
    SYS_writev, Capture(0), Refuse, "sends, on a packet socket";
    SYS_pwrite64, Capture(0), Refuse, "writes at a place; sockets have none, and shall not get one";
    SYS_pwritev, Capture(0), Refuse, "as pwrite64";
    SYS_pwritev2, Capture(0), Refuse, "with no place given it is writev";
    SYS_sendfile, Capture(0), Refuse, "copies a file into a socket";
    SYS_splice, Capture(2), Refuse, "moves a pipe's octets into a socket";
    SYS_tee, Capture(1), Refuse, "copies between pipes; a socket is none, and shall not become one";
    SYS_vmsplice, Capture(0), Refuse, "maps memory into a pipe; as tee";
    SYS_copy_file_range, Capture(2), Refuse, "copies between files; as tee";
    SYS_io_setup, Always, Refuse, "asynchronous writes reach sockets past the rows above";
    SYS_io_submit, Always, Refuse, "as io_setup, in a context made before";
    SYS_io_uring_setup, Always, Refuse, "a ring of requests, sends among them, that no filter sees";
    SYS_io_uring_enter, Always, Refuse, "as io_uring_setup, in a ring made before";
    SYS_io_uring_register, Always, Refuse, "as io_uring_setup";
    SYS_dup, Capture(0), Refuse, "a second number, which the rows above do not know";
    #[cfg(target_arch = "x86_64")]
    SYS_dup2, Capture(0), Refuse, "as dup";
    #[cfg(target_arch = "x86_64")]
    SYS_dup2, Capture(1), Refuse, "a file in the socket's place, which could then not be written";
    SYS_dup3, Capture(0), Refuse, "as dup";
    SYS_dup3, Capture(1), Refuse, "as dup2";
    SYS_fcntl, CaptureWith(libc::F_DUPFD as u32), Refuse, "as dup";
    SYS_fcntl, CaptureWith(libc::F_DUPFD_CLOEXEC as u32), Refuse, "as dup";
    SYS_close, Capture(0), Refuse, "a file would get the number, and could then not be written";
    SYS_close_range, Covers, Refuse, "as close";
    SYS_recvmsg, Always, Refuse, "a socket of another process could come with it";
    SYS_recvmmsg, Always, Refuse, "as recvmsg";
    SYS_socket, NotUnix, Refuse, "a new socket has a number that no row knows";
    SYS_socketpair, NotUnix, Refuse, "as socket";
    SYS_connect, Always, Refuse, "sends on TCP, and chooses whom a later write reaches";
    SYS_bind, Always, Refuse, "moves a capture socket to another interface, which nobody made silent";
    SYS_listen, Always, Refuse, "answers whoever asks";
    SYS_accept, Always, Refuse, "as listen: a new socket that may write";
    SYS_accept4, Always, Refuse, "as accept";
    SYS_setsockopt, Always, Refuse, "a ring to send from, a membership that is announced, another filter";
    SYS_ioctl, SocketRequest, Refuse, "addresses, flags, routes and ARP entries of interfaces";
    SYS_pidfd_getfd, Always, Kill, "takes a descriptor of another process";
    SYS_ptrace, Always, Kill, "makes another process send";
    SYS_process_vm_writev, Always, Kill, "as ptrace";
    SYS_bpf, Always, Kill, "programs in the kernel that send or redirect packets";
    SYS_setns, Always, Kill, "enters another network namespace";
    SYS_init_module, Always, Kill, "code in the kernel";
    SYS_finit_module, Always, Kill, "as init_module";
    SYS_kexec_load, Always, Kill, "another kernel";
    #[cfg(target_arch = "x86_64")]
    SYS_ioperm, Always, Kill, "reaches a card's registers past the kernel";
    #[cfg(target_arch = "x86_64")]
    SYS_iopl, Always, Kill, "as ioperm";
    SYS_request_key, Always, Refuse, "the kernel starts a program that resolves names";
    SYS_add_key, Always, Refuse, "as request_key";
    SYS_keyctl, Always, Refuse, "as request_key";
};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_row_is_said_once_and_known() {
        let mut seen = HashSet::new();
        for row in DENIED {
            assert!(seen.insert((row.call(), format!("{:?}", row.when))), "{}", row.call());
            assert!(row.number <= i64::from(LAST_KNOWN), "{}", row.call());
            assert!(!row.reason.is_empty() && !row.call().starts_with("SYS"), "{}", row.call());
        }
    }

    #[test]
    fn a_call_that_is_always_denied_has_no_second_row() {
        for row in DENIED.iter().filter(|row| row.when == Always) {
            assert_eq!(DENIED.iter().filter(|other| other.number == row.number).count(), 1, "{}", row.call());
        }
    }
}
