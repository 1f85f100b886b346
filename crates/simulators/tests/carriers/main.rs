//! The simulated carriers as their callers meet them, in the same process and over real HTTP.

mod caller;
mod jasper;
mod jasper_faults;
mod jasper_limits;
mod jasper_wrong;
mod over_http;
mod pond;
mod pond_faults;
mod pond_wrong;
