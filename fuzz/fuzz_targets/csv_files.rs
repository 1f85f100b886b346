//! See crates/fuzz-targets/src/csv_files.rs.
#![no_main]

lineshift_fuzz::fuzz!("csv_files");
