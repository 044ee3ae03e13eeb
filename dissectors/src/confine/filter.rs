//! The table as a filter of system calls (seccomp), for every thread.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter_all_threads, sock_filter,
};

use super::Problem;
use super::table::{DENIED, Fate, LAST_KNOWN, READ_REQUESTS, When};

/// Ranges of descriptors in one filter: more make one that the kernel refuses, so the others get filters of their own.
const RANGES: usize = 16;

/// Denies every row of the table from now on, in all threads. The sockets are those that capture and must stay open.
pub fn deny_sending(sockets: &[i32]) -> Result<(), Problem> {
    // Killing first: of two filters the stricter answer counts, whichever came first.
    for program in programs(sockets)? {
        apply_filter_all_threads(&program)?;
    }
    Ok(())
}

/// The filters, in the order in which they are put in force.
fn programs(sockets: &[i32]) -> Result<Vec<BpfProgram>, Problem> {
    let descriptor = |number: &i32| u32::try_from(*number).map_err(|_| Problem::Descriptor(*number));
    let ranges = ranges(sockets.iter().map(descriptor).collect::<Result<_, _>>()?);
    let refuse = || SeccompAction::Errno(libc::EPERM as u32);
    let mut programs = vec![program(Fate::Kill, SeccompAction::KillProcess, &ranges)?, unknown_calls()];
    programs.push(program(Fate::Refuse, refuse(), ranges.get(..RANGES).unwrap_or(&ranges))?);
    for more in ranges.chunks(RANGES).skip(1) {
        programs.push(program(Fate::Refuse, refuse(), more)?);
    }
    Ok(programs)
}

/// Descriptors that follow one another, as first and last.
fn ranges(mut sockets: Vec<u32>) -> Vec<(u32, u32)> {
    sockets.sort_unstable();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in sockets {
        match ranges.last_mut() {
            Some((_, last)) if number.saturating_sub(*last) <= 1 => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    ranges
}

fn program(fate: Fate, action: SeccompAction, sockets: &[(u32, u32)]) -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for row in DENIED.iter().filter(|row| row.fate == fate) {
        match rules_of(row.when, sockets)? {
            // A call with no rule would be denied always.
            Some(found) if found.is_empty() => {}
            Some(found) => rules.entry(row.number).or_default().extend(found),
            None => {
                rules.insert(row.number, Vec::new());
            }
        }
    }
    let here = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, action, here)?.try_into()
}

/// The rules any of which denies; none where the call is denied whatever its arguments.
fn rules_of(when: When, sockets: &[(u32, u32)]) -> Result<Option<Vec<SeccompRule>>, BackendError> {
    use SeccompCmpOp::{Eq, Ge, Le, MaskedEq, Ne};
    let is = |argument: u8, how: SeccompCmpOp, value: u32| {
        // Descriptors, families and requests are 32 bits wide: the kernel does not look at the rest, nor may this.
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how, u64::from(value))
    };
    let each = |conditions: &dyn Fn((u32, u32)) -> Result<Vec<SeccompCondition>, BackendError>| {
        sockets.iter().map(|range| SeccompRule::new(conditions(*range)?)).collect::<Result<Vec<_>, _>>()
    };
    let rules = match when {
        When::Always => return Ok(None),
        When::NotUnix => vec![SeccompRule::new(vec![is(0, Ne, libc::AF_UNIX as u32)?])?],
        When::SocketRequest => {
            let mut conditions = vec![is(1, MaskedEq(0xff00), 0x8900)?];
            for request in READ_REQUESTS {
                conditions.push(is(1, Ne, request)?);
            }
            vec![SeccompRule::new(conditions)?]
        }
        When::Capture(argument) => each(&|(first, last)| Ok(vec![is(argument, Ge, first)?, is(argument, Le, last)?]))?,
        When::CaptureWith(command) => {
            each(&|(first, last)| Ok(vec![is(0, Ge, first)?, is(0, Le, last)?, is(1, Eq, command)?]))?
        }
        When::Covers => each(&|(first, last)| Ok(vec![is(0, Le, last)?, is(1, Ge, first)?]))?,
    };
    Ok(Some(rules))
}

/// A call with a number beyond the last known fails as one that the kernel has not.
fn unknown_calls() -> BpfProgram {
    let errno = u32::from(SeccompAction::Errno(libc::ENOSYS as u32));
    let step = |code: u32, jt: u8, jf: u8, k: u32| sock_filter { code: code as u16, jt, jf, k };
    vec![
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0), // seccomp_data.nr
        step(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K, 0, 1, LAST_KNOWN),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, errno),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, u32::from(SeccompAction::Allow)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_sockets_fits() {
        for (name, sockets, count) in [
            ("none", vec![], 3),
            ("in a row", (3..300).collect::<Vec<i32>>(), 3),
            ("apart", (3..300).step_by(2).collect(), 12),
        ] {
            let built = programs(&sockets).expect(name);
            assert_eq!(built.len(), count, "{name}");
            assert!(built.iter().all(|program| program.len() < 4096), "{name}");
        }
    }

    #[test]
    fn descriptors_in_a_row_are_one_range() {
        assert_eq!(ranges(vec![7, 3, 4, 5, 9, 8, 8]), [(3, 5), (7, 9)]);
        assert_eq!(ranges(vec![u32::MAX, 0]), [(0, 0), (u32::MAX, u32::MAX)]);
        assert_eq!(ranges(vec![]), []);
    }

    #[test]
    fn what_is_no_descriptor_is_refused() {
        assert_eq!(programs(&[3, -1]).expect_err("refused").to_string(), "-1 is no descriptor");
    }

    #[test]
    fn without_capture_sockets_their_rows_deny_nothing() {
        let count = |sockets: &[i32]| programs(sockets).expect("built")[2].len();
        assert!(count(&[]) < count(&[3]));
        assert!(matches!(rules_of(When::Capture(0), &[]), Ok(Some(rules)) if rules.is_empty()));
    }
}
