//! bacnet (written next).
