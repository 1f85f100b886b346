//! The pages, one or a small group a file.

pub(super) mod admin;
pub(super) mod bulk_change;
pub(super) mod bulk_changes;
pub(super) mod home;
pub(super) mod line;
pub(super) mod lines;
pub(super) mod one_time_password;
pub(super) mod plan_queue;
pub(super) mod sign_in;
