//! A kill test for every boundary.

use lineshift_engine::Boundary;

/// A later passing of a boundary than the first: of a product, where products pass it, too.
#[must_use]
pub const fn later_passing(at: Boundary) -> u64 {
    match at {
        Boundary::Granted | Boundary::Intended | Boundary::Answered | Boundary::Recorded => 5,
        Boundary::UndoIntended | Boundary::UndoAnswered => 3,
        Boundary::Judged
        | Boundary::Recovered
        | Boundary::LookedUp
        | Boundary::ReadBack
        | Boundary::Called
        | Boundary::Finished
        | Boundary::Completing => 1,
    }
}

/// At whose passings processes are killed, one after the other, so that the last is killed at this one and its `nth` passing:
/// nothing is read back where nothing is unknown, so that another was killed before.
#[must_use]
pub fn deaths_at(at: Boundary, nth: u64) -> Vec<(Boundary, u64)> {
    if at == Boundary::ReadBack { vec![(Boundary::Answered, 1), (at, nth)] } else { vec![(at, nth)] }
}

/// The kill tests of every boundary, in a module of that name: `kill_tests!("killed", killed_at)`. Each calls the function with its
/// own name and its boundary.
#[macro_export]
macro_rules! kill_tests {
    ($module:literal, $killed_at:ident) => {
        $crate::kill_tests! { $module, $killed_at,
            killed_when_its_rows_were_judged: Judged,
            killed_when_what_was_lost_is_known: Recovered,
            killed_when_services_were_looked_up: LookedUp,
            killed_when_a_call_was_granted: Granted,
            killed_when_an_intent_is_stored: Intended,
            killed_when_a_call_was_answered: Answered,
            killed_when_an_outcome_is_stored: Recorded,
            killed_when_an_outcome_is_read_back: ReadBack,
            killed_when_an_undo_is_intended: UndoIntended,
            killed_when_an_undo_was_answered: UndoAnswered,
            killed_when_every_call_was_made: Called,
            killed_when_its_page_was_finished: Finished,
            killed_when_its_page_is_to_be_completed: Completing,
        }
    };
    ($module:literal, $killed_at:ident, $($name:ident: $boundary:ident,)*) => {
        $(#[test]
        fn $name() {
            $killed_at(concat!($module, "::", stringify!($name)), ::lineshift_engine::Boundary::$boundary);
        })*

        /// Does not build when a boundary has no kill test.
        #[test]
        fn every_boundary_has_a_kill_test() {
            let tested = |boundary| match boundary {
                $(::lineshift_engine::Boundary::$boundary => true,)*
            };
            assert!(::lineshift_engine::Boundary::ALL.iter().all(|boundary| tested(*boundary)));
        }
    };
}
