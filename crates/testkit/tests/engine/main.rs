//! Bulk changes and the plan queue, from order to completion, on a real store: what a user would notice.

mod completing;
mod control;
mod dates;
mod due_at_once;
mod embedded;
mod golden;
mod golden_plans;
mod idempotency;
mod judged;
mod mishaps;
mod preview;
mod receiving;
mod refusals;
mod retry;
mod rivals;
mod scheduler;
mod several;
mod statements;
mod steps;
mod tenants;
mod turns;
