//! Between Rust values and columns: times in microseconds, decimals and terms as text.

use std::str::FromStr;

use chrono::{DateTime, Datelike, Utc};
use lineshift_store::{Result, StoreError};
use rust_decimal::Decimal;

use crate::value::{self, FromValue, Value};

/// A time as it is stored.
#[must_use]
pub const fn micros(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}

/// The month by which logs and histories are kept: 202612 for December 2026, in UTC.
#[must_use]
pub fn month(time: DateTime<Utc>) -> i64 {
    i64::from(time.year()) * 100 + i64::from(time.month())
}

/// A decimal as it is stored: without trailing zeros, so that equal numbers are equal texts.
#[must_use]
pub fn decimal_text(value: Decimal) -> String {
    value.normalize().to_string()
}

/// How many items a page of a list has at most, and how many rows to read for it: one more says whether there is a next.
pub(crate) fn page_limit(limit: usize) -> (usize, i64) {
    let limit = limit.clamp(1, lineshift_store::paging::MAX_PAGE_ITEMS);
    (limit, i64::try_from(limit + 1).expect("a page has at most 1,000 items"))
}

/// The columns of a row, as an engine answers them.
pub trait Columns {
    /// How many there are.
    fn count(&self) -> usize;
    /// The value of a column, from 0.
    ///
    /// # Errors
    /// `Internal`: there is no such column, or it is of a type that no value has.
    fn column(&self, column: usize) -> Result<Value<'_>>;
}

/// A row of an answer. Columns are read by place, from 0.
#[derive(Clone, Copy)]
pub struct Row<'r>(&'r dyn Columns);

impl<'r> Row<'r> {
    /// The row of those columns.
    #[must_use]
    pub const fn new(columns: &'r dyn Columns) -> Self {
        Self(columns)
    }

    /// How many columns it has.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.0.count()
    }

    /// A column.
    ///
    /// # Errors
    /// `Internal`: it holds something else.
    pub fn get<T: FromValue>(&self, column: usize) -> Result<T> {
        value::read(column, self.0.column(column)?)
    }

    /// A text, without keeping it.
    ///
    /// # Errors
    /// `Internal`: it holds something else.
    pub fn text(&self, column: usize) -> Result<&'r str> {
        match self.0.column(column)? {
            Value::Text(text) => Ok(text),
            found => Err(value::unreadable(column, found, "a text")),
        }
    }

    /// A place in a list, from 0.
    ///
    /// # Errors
    /// `Internal`: it holds something else.
    pub fn place(&self, column: usize) -> Result<usize> {
        self.get(column)
    }

    /// A time.
    ///
    /// # Errors
    /// `Internal`: it holds something else.
    pub fn time(&self, column: usize) -> Result<DateTime<Utc>> {
        let stored: i64 = self.get(column)?;
        DateTime::from_timestamp_micros(stored).ok_or_else(|| value::unreadable(column, Value::Integer(stored), "a time"))
    }

    /// A time or null.
    ///
    /// # Errors
    /// `Internal`: it holds something else.
    pub fn maybe_time(&self, column: usize) -> Result<Option<DateTime<Utc>>> {
        Ok(self.get::<Option<i64>>(column)?.and_then(DateTime::from_timestamp_micros))
    }

    /// A decimal or null.
    ///
    /// # Errors
    /// `Internal`: it holds something else.
    pub fn maybe_decimal(&self, column: usize) -> Result<Option<Decimal>> {
        self.maybe_term(column)
    }

    /// A term of an enumeration, or anything else that is read from text.
    ///
    /// # Errors
    /// `Internal`: it holds something else.
    pub fn term<T: FromStr>(&self, column: usize) -> Result<T>
    where
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        self.text(column)?.parse().map_err(|error| not_a_term(column, error))
    }

    /// The same, or null.
    ///
    /// # Errors
    /// `Internal`: it holds something else.
    pub fn maybe_term<T: FromStr>(&self, column: usize) -> Result<Option<T>>
    where
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        match self.0.column(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => text.parse().map(Some).map_err(|error| not_a_term(column, error)),
            found => Err(value::unreadable(column, found, "a text")),
        }
    }
}

/// A stored value that names nothing known.
pub(crate) fn not_a_term(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Internal { context: format!("column {column} names nothing known"), source: Some(Box::new(error)) }
}
