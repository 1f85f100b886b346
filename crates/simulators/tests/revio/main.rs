//! The simulator as its callers meet it, in the same process and over real HTTP.

mod answers;
mod business;
mod caller;
mod faults;
mod http_faults;
mod paging;
mod searching;
mod throttling;
mod wrong_requests;
