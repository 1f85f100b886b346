//! What tests share: a clock that is set, an operator with reference data and lines, and the whole thing behind HTTP.

pub mod app;
pub mod authenticator;
pub mod billing;
pub mod billing_checks;
pub mod billing_secrets;
pub mod billing_seeds;
pub mod billing_workers;
pub mod carrier_checks;
pub mod carrier_contract;
pub mod carrier_kills;
pub mod carrier_seeds;
pub mod carriers;
pub mod clock;
pub mod crash;
pub mod http;
pub mod in_process;
pub mod mixed_seeds;
pub mod nimbus;
pub mod nimbus_world;
pub mod operator;
pub mod people;
pub mod served;
pub mod simulated;
pub mod stepper;
pub mod store;
mod watch;
