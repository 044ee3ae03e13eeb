//! What takes rights away from a process that listens: to send, to reach files, to have capabilities.
//!
//! Linux only. None of it can be taken back, and all of it is kept by threads and programs that are started later.

mod files;
mod filter;
mod privileges;
#[cfg(feature = "extension-module")]
pub(crate) mod python;
mod table;

use thiserror::Error;

pub use files::{Limits, limit_files};
pub use filter::deny_sending;
pub use privileges::{bound_capabilities, hold_capabilities};
pub use table::{DENIED, Denied, Fate, When};

/// Why a right could not be taken away.
#[derive(Debug, Error)]
pub enum Problem {
    /// The filter of system calls.
    #[error("the kernel took no filter of system calls: {0}")]
    Filter(#[from] seccompiler::Error),
    /// A path that the limits name.
    #[error("{path}: {problem}")]
    Path {
        /// As it was given.
        path: String,
        /// What the system says.
        problem: String,
    },
    /// Landlock.
    #[error("the kernel took no limits of files: {0}")]
    Files(#[from] landlock::RulesetError),
    /// Capabilities.
    #[error("capabilities could not be dropped: {0}")]
    Privileges(#[from] rustix::io::Errno),
    /// A name that no capability has.
    #[error("{0} is no capability; they are named as in capabilities(7)")]
    Capability(String),
    /// A descriptor that cannot be one.
    #[error("{0} is no descriptor")]
    Descriptor(i32),
}

impl From<seccompiler::BackendError> for Problem {
    fn from(error: seccompiler::BackendError) -> Self {
        Problem::Filter(error.into())
    }
}
