//! dnp3 (written next).
