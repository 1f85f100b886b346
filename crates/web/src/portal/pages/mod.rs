//! The pages, one or a small group a file.

pub(super) mod account;
pub(super) mod admin;
pub(super) mod bulk_change;
pub(super) mod bulk_changes;
pub(super) mod change_line;
pub(super) mod change_log;
mod done_already;
pub(super) mod download;
pub(super) mod home;
pub(super) mod invitation;
pub(super) mod line;
pub(super) mod lines;
pub(super) mod one_time_password;
pub(super) mod order;
pub(super) mod ordered;
pub(super) mod paste;
pub(super) mod plan_queue;
mod plan_queue_month;
pub(super) mod plan_queue_move;
pub(super) mod refused_lines;
pub(super) mod selection;
pub(super) mod sign_in;
mod sought_entries;
mod story;
pub(super) mod tenants;
mod timeline;
pub(super) mod upload;
