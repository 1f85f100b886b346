//! Bulk changes and the plan queue, from order to completion, on a real store: what a user would notice.

mod golden;
mod golden_plans;
mod judged;
mod refusals;
mod steps;
