//! modbus (written next).
