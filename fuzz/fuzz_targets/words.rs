//! See crates/fuzz-targets/src/words.rs.
#![no_main]

lineshift_fuzz::fuzz!("words");
