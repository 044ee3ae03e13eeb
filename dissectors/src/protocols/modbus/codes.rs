//! Function codes by the names that `tables/modbus.toml` gives them.

use crate::tables::{Code, modbus};

/// Code of a name, at compile time; a name that the table lacks does not compile.
const fn code(table: &[Code], name: &str) -> u8 {
    let mut row = 0;
    while row < table.len() {
        if same(table[row].name.as_bytes(), name.as_bytes()) {
            return table[row].code as u8;
        }
        row += 1;
    }
    panic!("the table has no such name")
}

const fn same(left: &[u8], right: &[u8]) -> bool {
    let mut index = 0;
    while index < left.len() && index < right.len() && left[index] == right[index] {
        index += 1;
    }
    index == left.len() && index == right.len()
}

const fn function(name: &str) -> u8 {
    code(modbus::FUNCTIONS, name)
}

pub const READ_COILS: u8 = function("read_coils");
pub const READ_DISCRETE_INPUTS: u8 = function("read_discrete_inputs");
pub const READ_HOLDING_REGISTERS: u8 = function("read_holding_registers");
pub const READ_INPUT_REGISTERS: u8 = function("read_input_registers");
pub const WRITE_SINGLE_COIL: u8 = function("write_single_coil");
pub const WRITE_SINGLE_REGISTER: u8 = function("write_single_register");
pub const READ_EXCEPTION_STATUS: u8 = function("read_exception_status");
pub const DIAGNOSTICS: u8 = function("diagnostics");
pub const GET_COMM_EVENT_COUNTER: u8 = function("get_comm_event_counter");
pub const GET_COMM_EVENT_LOG: u8 = function("get_comm_event_log");
pub const WRITE_MULTIPLE_COILS: u8 = function("write_multiple_coils");
pub const WRITE_MULTIPLE_REGISTERS: u8 = function("write_multiple_registers");
pub const REPORT_SERVER_ID: u8 = function("report_server_id");
pub const READ_FILE_RECORD: u8 = function("read_file_record");
pub const WRITE_FILE_RECORD: u8 = function("write_file_record");
pub const MASK_WRITE_REGISTER: u8 = function("mask_write_register");
pub const READ_WRITE_MULTIPLE_REGISTERS: u8 = function("read_write_multiple_registers");
pub const READ_FIFO_QUEUE: u8 = function("read_fifo_queue");
pub const ENCAPSULATED_INTERFACE: u8 = function("encapsulated_interface_transport");
pub const UMAS: u8 = function("umas");

/// Diagnostics sub-function 1 (V1.1b3, 6.8.1).
pub const RESTART_COMMUNICATIONS: u16 = code(modbus::DIAGNOSTICS, "restart_communications_option") as u16;
/// MEI type of Read Device Identification (V1.1b3, 6.21).
pub const READ_DEVICE_IDENTIFICATION: u8 = code(modbus::MEI_TYPES, "read_device_identification");
/// UMAS function that asks who the controller is.
pub const UMAS_READ_ID: u8 = code(modbus::UMAS_FUNCTIONS, "read_id");
/// UMAS function whose message carries a signature and, behind it, another message.
pub const UMAS_SIGNED: u8 = code(modbus::UMAS_FUNCTIONS, "signed_message");
/// Where that other message starts in the PDU: after function, session key, 56, 1 and 32 octets of signature.
pub const UMAS_SIGNATURE: usize = 36;
/// Third octet of a UMAS response that granted the request.
pub const UMAS_OK: u8 = code(modbus::UMAS_STATUS, "umas_ok");
/// Third octet of a UMAS response that refused it.
pub const UMAS_ERROR: u8 = code(modbus::UMAS_STATUS, "umas_error");

/// Set in the function code of an exception response (V1.1b3, 7).
pub const EXCEPTION: u8 = 0x80;
/// Value of function 5 that switches a coil on (V1.1b3, 6.5); 0 switches it off.
pub const COIL_ON: u16 = 0xFF00;
