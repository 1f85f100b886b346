//! Between the store's values and the driver's.

use chrono::DateTime;
use lineshift_store::{Result, StoreError};
use lineshift_store_sql::{Columns, Value, micros};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, ToSql};

use crate::error::store_error;

/// A value, bound.
pub(crate) struct Bound<'a>(pub(crate) Value<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A row of the driver.
pub(crate) struct SqliteRow<'r>(pub(crate) &'r Row<'r>);

impl Columns for SqliteRow<'_> {
    fn count(&self) -> usize {
        self.0.as_ref().column_count()
    }

    fn column(&self, column: usize) -> Result<Value<'_>> {
        Ok(match self.0.get_ref(column).map_err(store_error)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Text(text) => {
                let text = std::str::from_utf8(text);
                Value::Text(text.map_err(|_| StoreError::internal(format!("column {column} holds a text that is not UTF-8")))?)
            }
            ValueRef::Blob(bytes) => Value::Bytes(bytes),
            ValueRef::Real(number) => {
                return Err(StoreError::internal(format!("column {column} holds {number}, and no column holds such a number")));
            }
        })
    }
}

/// `start_of_day(at, zone)`: the moment at which the day of `at` began in that zone (B6.4).
pub(crate) fn add_start_of_day(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("start_of_day", 2, flags, |context| {
        let zone = context.get_or_create_aux(1, |value| {
            value
                .as_str()
                .map_err(|e| -> Box<dyn std::error::Error + Send + Sync> { Box::new(e) })?
                .parse::<chrono_tz::Tz>()
                .map_err(|e| -> Box<dyn std::error::Error + Send + Sync> { Box::new(e) })
        })?;
        let at: Option<i64> = context.get(0)?;
        let moment = at.and_then(DateTime::from_timestamp_micros);
        Ok(moment.map(|moment| micros(lineshift_domain::dates::start_of_its_day(moment, *zone))))
    })
}
