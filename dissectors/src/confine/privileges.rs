//! Capabilities, which are a thread's own: what ran before keeps what it had, unless it drops them itself.

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_capabilities, set_keep_capabilities, set_no_new_privs,
};

use super::Problem;

/// Takes all but these capabilities out of what programs started later could get, and keeps these over a change of
/// the user. False where the process may not (it has no CAP_SETPCAP).
pub fn bound_capabilities(keep: &[String]) -> Result<bool, Problem> {
    let keep = named(keep)?;
    if !keep.is_empty() {
        set_keep_capabilities(true)?;
    }
    for bit in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        if keep.contains(capability) {
            continue;
        }
        match remove_capability_from_bounding_set(capability) {
            Ok(()) => {}
            Err(Errno::INVAL) => break, // beyond the last one that the kernel knows
            Err(Errno::PERM) => return Ok(false),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(true)
}

/// Drops all but these capabilities of the calling thread, and the way to new ones (no_new_privs). False where a filter
/// of system calls, such as the service manager's, forbids to drop them.
pub fn hold_capabilities(keep: &[String]) -> Result<bool, Problem> {
    let keep = named(keep)?;
    set_no_new_privs(true)?;
    let held = capabilities(None)?.permitted & keep;
    clear_ambient_capability_set()?;
    let sets = CapabilitySets { effective: held, permitted: held, inheritable: CapabilitySet::empty() };
    match set_capabilities(None, sets) {
        Ok(()) => Ok(true),
        Err(Errno::PERM) => Ok(false), // to have less is never forbidden by the kernel itself
        Err(other) => Err(other.into()),
    }
}

fn named(names: &[String]) -> Result<CapabilitySet, Problem> {
    let one = |name: &String| {
        let plain = name.strip_prefix("CAP_").and_then(CapabilitySet::from_name);
        plain.ok_or_else(|| Problem::Capability(name.clone()))
    };
    names.iter().map(one).try_fold(CapabilitySet::empty(), |all, found| Ok(all | found?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_named_as_in_the_manual() {
        let names = |words: &[&str]| named(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        let both = CapabilitySet::NET_RAW | CapabilitySet::SYS_NICE;
        assert_eq!(names(&["CAP_NET_RAW", "CAP_SYS_NICE"]).expect("known"), both);
        assert!(names(&[]).expect("none").is_empty());
        for wrong in ["NET_RAW", "CAP_", "CAP_EVERYTHING", "cap_net_raw"] {
            assert!(names(&[wrong]).is_err(), "{wrong}");
        }
    }
}
