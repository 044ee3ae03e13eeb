//! Which files the process still reaches (Landlock).

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, LandlockStatus, PathBeneath, PathFd, RestrictSelfAttr, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope, make_bitflags,
};

use super::Problem;

/// The newest rules that are asked for. An older kernel keeps those that it knows.
const ASKED: ABI = ABI::V8;

/// How far the kernel went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Version of its Landlock; zero where it has none, or has it switched off.
    pub abi: u32,
    /// Whether threads that ran before are limited too.
    pub all_threads: bool,
}

/// Leaves the process these files and folders, with all below them, and no other; nothing may be executed.
pub fn limit_files(read: &[PathBuf], write: &[PathBuf]) -> Result<Limits, Problem> {
    let reading = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    let devices = make_bitflags!(AccessFs::{MakeChar | MakeBlock | MakeSock | IoctlDev | Execute});
    let writing = AccessFs::from_all(ASKED) & !devices;
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(ASKED))?
        .scope(Scope::AbstractUnixSocket)?
        .create()?
        .no_new_privs(true)
        .all_threads(true)?;
    for (paths, access) in [(read, reading), (write, writing)] {
        for path in paths {
            rules = rules.add_rule(beneath(path, access)?)?;
        }
    }
    let status = rules.restrict_self()?;
    let abi = match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) | (_, LandlockStatus::NotEnabled | LandlockStatus::NotImplemented) => 0,
        (_, LandlockStatus::Available { effective_abi, kernel_abi }) => {
            kernel_abi.map_or(effective_abi as u32, i32::unsigned_abs)
        }
    };
    Ok(Limits { abi, all_threads: status.all_threads })
}

/// What is allowed at a path. One that is not there is an error: the rule would silently be none.
fn beneath(path: &Path, access: BitFlags<AccessFs>) -> Result<PathBeneath<PathFd>, Problem> {
    let problem = |problem: String| Problem::Path { path: path.display().to_string(), problem };
    let is_file = std::fs::metadata(path).map_err(|error| problem(error.to_string()))?.is_file();
    let place = PathFd::new(path).map_err(|error| problem(error.to_string()))?;
    Ok(PathBeneath::new(place, if is_file { access & AccessFs::from_file(ASKED) } else { access }))
}
