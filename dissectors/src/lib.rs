//! Passive decoding of OT network traffic: captures in, typed columns out.

pub mod capture;
