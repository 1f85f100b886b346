//! The carriers' connectors against their simulators: one list for all of them.

mod jasper;
mod nimbus;
mod pond;
