//! Tenants are apart twice: every statement names its tenant, and row level security holds whoever forgets to.
//!
//! Two tenants are filled alike, with the same ids, so that nothing but the tenant tells their rows apart. What is then asked for the
//! one is asked where the database was told of the other, or of none: by every method of the store (`methods`), in plain SQL
//! (`plain`), and through every function (`functions`). Nothing of the first tenant may be answered, and nothing of it may change.

mod filled;
mod functions;
mod methods;
mod orders;
mod outside;
mod pages;
mod people;
mod plain;
mod rows;
mod selections;
mod things;
mod traits;
mod tried;
