//! How long a PDU is by its own fields, as a request and as a response (V1.1b3, 6), and how well octets fit that.

use super::codes::*;

/// Which half of an exchange a PDU is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sent by the client.
    Request,
    /// Sent by the server.
    Response,
}

impl Role {
    /// Both, for content of an unknown sender.
    pub const BOTH: [Role; 2] = [Role::Request, Role::Response];
}

/// Octets of a PDU, function code included, by what it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// So many.
    Octets(usize),
    /// At least so many are needed to tell.
    AtLeast(usize),
    /// The standard lays down no structure for this function.
    Open,
}

/// How a PDU agrees with a role, from worst to best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// The length contradicts the fields.
    No,
    /// No structure is known, or too few octets are there.
    Open,
    /// The length agrees; a quantity or value is one that the standard forbids.
    Length,
    /// All agrees.
    Exact,
}

/// Length of a PDU read in a role.
pub fn extent(role: Role, pdu: &[u8]) -> Extent {
    match role {
        Role::Request => request_extent(pdu),
        Role::Response => response_extent(pdu),
    }
}

fn request_extent(pdu: &[u8]) -> Extent {
    let Some(&function) = pdu.first() else { return Extent::AtLeast(1) };
    match function {
        READ_COILS
        | READ_DISCRETE_INPUTS
        | READ_HOLDING_REGISTERS
        | READ_INPUT_REGISTERS
        | WRITE_SINGLE_COIL
        | WRITE_SINGLE_REGISTER
        | DIAGNOSTICS => Extent::Octets(5),
        READ_EXCEPTION_STATUS | GET_COMM_EVENT_COUNTER | GET_COMM_EVENT_LOG | REPORT_SERVER_ID => Extent::Octets(1),
        WRITE_MULTIPLE_COILS | WRITE_MULTIPLE_REGISTERS => counted(pdu, 5),
        READ_FILE_RECORD | WRITE_FILE_RECORD => counted(pdu, 1),
        MASK_WRITE_REGISTER => Extent::Octets(7),
        READ_WRITE_MULTIPLE_REGISTERS => counted(pdu, 9),
        READ_FIFO_QUEUE => Extent::Octets(3),
        ENCAPSULATED_INTERFACE => match pdu.get(1) {
            None => Extent::AtLeast(2),
            Some(&READ_DEVICE_IDENTIFICATION) => Extent::Octets(4),
            Some(_) => Extent::Open,
        },
        _ => Extent::Open,
    }
}

fn response_extent(pdu: &[u8]) -> Extent {
    let Some(&function) = pdu.first() else { return Extent::AtLeast(1) };
    match function {
        EXCEPTION.. => Extent::Octets(2),
        READ_COILS
        | READ_DISCRETE_INPUTS
        | READ_HOLDING_REGISTERS
        | READ_INPUT_REGISTERS
        | GET_COMM_EVENT_LOG
        | REPORT_SERVER_ID
        | READ_FILE_RECORD
        | WRITE_FILE_RECORD
        | READ_WRITE_MULTIPLE_REGISTERS => counted(pdu, 1),
        WRITE_SINGLE_COIL
        | WRITE_SINGLE_REGISTER
        | DIAGNOSTICS
        | GET_COMM_EVENT_COUNTER
        | WRITE_MULTIPLE_COILS
        | WRITE_MULTIPLE_REGISTERS => Extent::Octets(5),
        READ_EXCEPTION_STATUS => Extent::Octets(2),
        MASK_WRITE_REGISTER => Extent::Octets(7),
        READ_FIFO_QUEUE => match pdu.get(1..3) {
            Some(count) => Extent::Octets(3 + usize::from(count[0]) * 256 + usize::from(count[1])),
            None => Extent::AtLeast(3),
        },
        ENCAPSULATED_INTERFACE => match pdu.get(1) {
            None => Extent::AtLeast(2),
            Some(&READ_DEVICE_IDENTIFICATION) => identification_extent(pdu),
            Some(_) => Extent::Open,
        },
        _ => Extent::Open,
    }
}

/// A byte count at `at`, and that many octets after it.
fn counted(pdu: &[u8], at: usize) -> Extent {
    pdu.get(at).map_or(Extent::AtLeast(at + 1), |count| Extent::Octets(at + 1 + usize::from(*count)))
}

/// Function, MEI type, read code, conformity, more follows, next id, number of objects; then id, length, value each
/// (V1.1b3, 6.21).
fn identification_extent(pdu: &[u8]) -> Extent {
    let Some(&objects) = pdu.get(6) else { return Extent::AtLeast(7) };
    let mut end = 7;
    for _ in 0..objects {
        match pdu.get(end + 1) {
            Some(length) => end += 2 + usize::from(*length),
            None => return Extent::AtLeast(end + 2),
        }
    }
    Extent::Octets(end)
}

/// How octets agree with a role, for a PDU that is announced as `length` octets; `pdu` may hold fewer.
pub fn fit(role: Role, pdu: &[u8], length: usize) -> Fit {
    let pdu = pdu.get(..length).unwrap_or(pdu);
    if pdu.first() == Some(&UMAS) {
        return umas_fit(role, pdu, length);
    }
    match extent(role, pdu) {
        Extent::Octets(octets) if octets == length => {
            if allowed(role, pdu) {
                Fit::Exact
            } else {
                Fit::Length
            }
        }
        // Return Query Data echoes any number of words (V1.1b3, 6.8).
        Extent::Octets(_) if pdu.starts_with(&[DIAGNOSTICS, 0, 0]) && length > 5 && length % 2 == 1 => Fit::Exact,
        Extent::Octets(_) => Fit::No,
        Extent::AtLeast(octets) if octets > length => Fit::No,
        Extent::AtLeast(_) | Extent::Open => {
            // 128 and above are exceptions; no request has them (V1.1b3, 4.1).
            if role == Role::Request && pdu.first().is_some_and(|function| *function >= EXCEPTION) {
                Fit::No
            } else {
                Fit::Open
            }
        }
    }
}

/// Function, session key, then the sub-function of a request or the status of a response.
fn umas_fit(role: Role, pdu: &[u8], length: usize) -> Fit {
    // A signed message says what it is behind its signature.
    let at = if pdu.get(2) == Some(&UMAS_SIGNED) { UMAS_SIGNATURE + 2 } else { 2 };
    let answered = pdu.get(at).map(|octet| matches!(*octet, UMAS_OK | UMAS_ERROR));
    match (role, answered) {
        _ if length < 3 => Fit::No,
        (_, None) => Fit::Open,
        (Role::Response, Some(true)) | (Role::Request, Some(false)) => Fit::Exact,
        _ => Fit::No,
    }
}

/// False where a quantity, byte count or value, as far as it is there, is one that V1.1b3, 6 forbids.
fn allowed(role: Role, pdu: &[u8]) -> bool {
    let word = |at: usize| pdu.get(at..at + 2).map(|word| u16::from_be_bytes([word[0], word[1]]));
    let within = |at: usize, most: u16| word(at).is_none_or(|quantity| (1..=most).contains(&quantity));
    let octet = |at: usize| pdu.get(at).copied();
    let function = octet(0).unwrap_or(0);
    match (role, function) {
        (Role::Response, EXCEPTION..) => {
            function != EXCEPTION && octet(1).is_none_or(|exception| (1..=11).contains(&exception))
        }
        (Role::Request, READ_COILS | READ_DISCRETE_INPUTS) => within(3, MOST_BITS_READ),
        (Role::Request, READ_HOLDING_REGISTERS | READ_INPUT_REGISTERS) => within(3, MOST_REGISTERS_READ),
        (Role::Response, READ_COILS | READ_DISCRETE_INPUTS) => octet(1) != Some(0),
        (Role::Response, READ_HOLDING_REGISTERS | READ_INPUT_REGISTERS | READ_WRITE_MULTIPLE_REGISTERS) => {
            octet(1).is_none_or(|count| count != 0 && count % 2 == 0)
        }
        (_, WRITE_SINGLE_COIL) => word(3).is_none_or(|value| value == 0 || value == COIL_ON),
        (Role::Request, WRITE_MULTIPLE_COILS) => {
            within(3, MOST_COILS_WRITTEN)
                && word(3).zip(octet(5)).is_none_or(|(quantity, count)| quantity.div_ceil(8) == u16::from(count))
        }
        (Role::Request, WRITE_MULTIPLE_REGISTERS) => {
            within(3, MOST_REGISTERS_WRITTEN)
                && word(3).zip(octet(5)).is_none_or(|(quantity, count)| quantity * 2 == u16::from(count))
        }
        (Role::Response, WRITE_MULTIPLE_COILS) => within(3, MOST_COILS_WRITTEN),
        (Role::Response, WRITE_MULTIPLE_REGISTERS) => within(3, MOST_REGISTERS_WRITTEN),
        (Role::Request, READ_WRITE_MULTIPLE_REGISTERS) => {
            within(3, MOST_REGISTERS_READ)
                && within(7, MOST_REGISTERS_READ_WRITTEN)
                && word(7).zip(octet(9)).is_none_or(|(quantity, count)| quantity * 2 == u16::from(count))
        }
        _ => true,
    }
}

/// Bits that functions 1 and 2 read at most (V1.1b3, 6.1).
pub const MOST_BITS_READ: u16 = 2000;
/// Registers that functions 3, 4 and 23 read at most (6.3).
pub const MOST_REGISTERS_READ: u16 = 125;
/// Coils that function 15 writes at most (6.11).
pub const MOST_COILS_WRITTEN: u16 = 1968;
/// Registers that function 16 writes at most (6.12).
pub const MOST_REGISTERS_WRITTEN: u16 = 123;
/// Registers that function 23 writes at most (6.17).
pub const MOST_REGISTERS_READ_WRITTEN: u16 = 121;

/// Which half of an exchange the content shows, where it shows one.
pub fn role_shown(pdu: &[u8], length: usize) -> Option<Role> {
    let (request, response) = (fit(Role::Request, pdu, length), fit(Role::Response, pdu, length));
    match (request, response) {
        (Fit::Open, _) | (_, Fit::Open) => None,
        _ if request > response => Some(Role::Request),
        _ if response > request => Some(Role::Response),
        _ => None,
    }
}

/// True where a response can answer a request by its content: the quantity asked for, or the fields repeated.
pub fn answers(request: &[u8], response: &[u8]) -> bool {
    let quantity =
        |at: usize| request.get(at..at + 2).map_or(0, |word| usize::from(word[0]) << 8 | usize::from(word[1]));
    let byte_count = response.get(1).map_or(0, |count| usize::from(*count));
    let (Some(&asked), Some(&answered)) = (request.first(), response.first()) else { return false };
    match asked {
        _ if answered == asked | EXCEPTION => allowed(Role::Response, response),
        _ if answered != asked => false,
        READ_COILS | READ_DISCRETE_INPUTS => byte_count == quantity(3).div_ceil(8),
        READ_HOLDING_REGISTERS | READ_INPUT_REGISTERS | READ_WRITE_MULTIPLE_REGISTERS => byte_count == quantity(3) * 2,
        WRITE_SINGLE_COIL | WRITE_SINGLE_REGISTER | MASK_WRITE_REGISTER => request == response,
        WRITE_MULTIPLE_COILS | WRITE_MULTIPLE_REGISTERS => request.get(..5) == response.get(..5),
        DIAGNOSTICS => request.get(..3) == response.get(..3),
        _ => true,
    }
}
