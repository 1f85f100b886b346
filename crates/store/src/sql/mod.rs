//! The portable SQL: written once, in text that both engines accept.
//!
//! Parameters are `$1`, `$2` ...; yes and no are bound as 1 and 0, times as microseconds, decimals as text. The tenant is
//! `$1` in every statement that touches what a tenant owns, on the target and again in every join and subselect.
//! A store crate only binds and reads; what is tuned for one engine stands in that crate.

pub mod access;
pub mod audit;
pub mod billing;
pub mod bulk_changes;
pub mod carriers;
pub mod catalogue;
pub mod devices;
pub mod figures;
pub mod line_numbers;
pub mod people;
pub mod plan_queue;
pub mod secrets;
pub mod selections;
pub mod sync;

/// Declares statements by name, and `ALL` of them with their names, so that a test can go through every one.
#[macro_export]
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* pub const $name: &str = $text;)*

        /// Every statement here, with its name.
        pub const ALL: &[(&str, &str)] = &[$((stringify!($name), $name),)*];
    };
}
