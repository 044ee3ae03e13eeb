//! Capture files and streams as one sequence of packets.
