//! The protocols, listed once.

use crate::protocols::{bacnet, dnp3, modbus, s7comm};
use crate::session::{Probe, Recognition};

/// One protocol's way to recognise its traffic.
pub type Recognise = fn(&Probe<'_>) -> Recognition;

/// Asked for streams, in this order.
pub const STREAMS: &[Recognise] = &[dnp3::probe_stream, modbus::probe_stream, s7comm::probe_stream];

/// Asked for datagrams, in this order.
pub const DATAGRAMS: &[Recognise] = &[bacnet::probe_datagram, dnp3::probe_datagram, modbus::probe_datagram];

/// Asked for what frames of the link layer carry, in this order.
pub const FRAMES: &[Recognise] = &[bacnet::probe_frame];
