//! See crates/fuzz-targets/src/orders.rs.
#![no_main]

lineshift_fuzz::fuzz!("orders");
