//! The programs in fuzz_targets/ are the same but for the target's name.

pub use libfuzzer_sys::fuzz_target;
pub use lineshift_fuzz_targets::{Run, begin};

/// A program that runs the target of that name.
#[macro_export]
macro_rules! fuzz {
    ($name:literal) => {
        thread_local! {
            static RUN: $crate::Run = $crate::begin($name);
        }
        $crate::fuzz_target!(|bytes: &[u8]| RUN.with(|run| run(bytes)));
    };
}
