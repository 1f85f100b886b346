//! See crates/fuzz-targets/src/records.rs.
#![no_main]

lineshift_fuzz::fuzz!("records");
