//! The store over SQL: every store trait written once, generic over an engine.
//!
//! What a transaction does stands here; an engine brings connections, its own text of the tuned statements, its migrations, and the
//! set steps where it does them its own way. So both engines mean the same.

mod access;
mod audit;
mod billing;
mod bulk_changes;
mod carriers;
mod catalogue;
mod customers;
mod devices;
mod engine;
mod facts;
mod figures;
mod import;
mod json;
mod people;
pub mod personal;
mod plan_queue;
pub mod procedures;
mod reach;
mod row;
mod secrets;
mod selections;
mod sql;
mod statement;
mod sync;
mod value;
mod work;

pub use engine::{Connection, Engine, Hint, OpenTransaction, ReadRow, Scope, Sql, SqlStore, TakeRow};
pub use row::{Columns, Row, decimal_text, micros, month};
pub use sql::TUNED;
pub use sql::by_statements::BY_STATEMENTS;
pub use statement::Statement;
pub use value::{FromValue, OwnedValue, Parameter, Value};
