//! Passive decoding of OT network traffic: captures in, typed columns out.
//!
//! It knows frames, addresses, streams and protocols, and nothing of assets, zones or policy.

pub mod activity;
pub mod aggregate;
pub mod ber;
pub mod bytes;
pub mod capture;
pub mod columns;
pub mod community;
#[cfg(target_os = "linux")]
pub mod confine;
pub mod crowd;
pub mod decoder;
pub mod dialogue;
pub mod engine;
pub mod event;
pub mod exchange;
pub mod extract;
pub mod flows;
pub mod holds;
pub mod intern;
pub mod known;
pub mod lan;
pub mod line;
pub mod live;
pub mod model;
pub mod net;
pub mod polling;
pub mod profile;
pub mod protocols;
#[cfg(feature = "extension-module")]
mod python;
pub mod recognise;
pub mod record;
pub mod refrain;
pub mod registry;
pub mod secrets;
pub mod services;
pub mod session;
pub mod signatures;
pub mod sinks;
pub mod stream;
pub mod tables;
pub mod talk;
pub mod text;
pub mod unknown;
