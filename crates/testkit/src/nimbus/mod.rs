//! Nimbus, a carrier that does not exist: fifty lines a call, no answer but that the change was accepted, a callback when it is made, no
//! date of its own. It is here to show that a carrier is one folder and one line, `Carriers::default().with(&nimbus::Nimbus)`, and
//! docs/adding-a-carrier.md follows it file by file.

mod account;
mod answers;
mod callback;
mod kind;
mod ledger;
mod simulator;

pub use self::kind::{ABILITIES, CreatingNimbus, KIND, Nimbus};
pub use self::ledger::{Change, Ledger, Line, Plan, Request, Status};
pub use self::simulator::{
    NimbusOptions, NimbusSimulator, NimbusSystem, OPENAPI, call_back, find_line, take_callbacks, with_examples,
};
