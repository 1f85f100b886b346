//! Rules, decisions and state machines of Lineshift as pure code: no I/O, no async, no clock, no SQL.
//!
//! B-numbers cite the behaviour rules that each item implements.

pub mod carrier;
pub mod clock;
pub mod codes;
pub mod counts;
pub mod dates;
pub mod facts;
pub mod ids;
pub mod judge;
pub mod limits;
pub mod lines;
pub mod log_text;
pub mod names;
pub mod order;
pub mod passwords;
pub mod places;
pub mod reach;
pub mod read_back;
pub mod reading;
pub mod refusal;
pub mod rights;
pub mod roles;
pub mod scopes;
pub mod states;
pub mod steps;
pub mod sync;
pub mod terms;
pub mod written;
