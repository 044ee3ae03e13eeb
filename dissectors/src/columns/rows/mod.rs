//! The rows of every table, and their columns: the engine's side of `schemas.py`.

mod activity;
mod aggregate;
mod coverage;
mod event;
mod flow;
mod note;
mod pdu;

pub use activity::{Activity, ActivityField};
pub use aggregate::Aggregate;
pub use coverage::{Coverage, Undecoded, Unknown};
pub use event::{Event, EventObject};
pub use flow::{Address, Flow};
pub use note::{Claim, Oddity};
pub use pdu::Pdu;
