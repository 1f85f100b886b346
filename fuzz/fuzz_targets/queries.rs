//! See crates/fuzz-targets/src/queries.rs.
#![no_main]

lineshift_fuzz::fuzz!("queries");
