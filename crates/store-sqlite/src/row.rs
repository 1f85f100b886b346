//! Between Rust values and columns: times in microseconds, decimals and terms as text.

use chrono::{DateTime, Datelike, Utc};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Type;
use rusqlite::{Connection, Row};
use rust_decimal::Decimal;

/// A time as it is stored.
pub(crate) const fn micros(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}

/// The month by which logs and histories are kept: 202612 for December 2026, in UTC.
pub(crate) fn month(time: DateTime<Utc>) -> i64 {
    i64::from(time.year()) * 100 + i64::from(time.month())
}

/// A decimal as it is stored: without trailing zeros, so that equal numbers are equal texts.
pub(crate) fn decimal_text(value: Decimal) -> String {
    value.normalize().to_string()
}

/// How many items a page of a list has at most, and how many rows to read for it: one more says whether there is a next.
pub(crate) fn page_limit(limit: usize) -> (usize, i64) {
    let limit = limit.clamp(1, lineshift_store::paging::MAX_PAGE_ITEMS);
    (limit, i64::try_from(limit + 1).expect("a page has at most 1,000 items"))
}

/// Reads columns by place.
pub(crate) trait Columns {
    /// A place in a JSON array.
    fn place(&self, column: usize) -> rusqlite::Result<usize>;
    /// A time.
    fn time(&self, column: usize) -> rusqlite::Result<DateTime<Utc>>;
    /// A time or null.
    fn maybe_time(&self, column: usize) -> rusqlite::Result<Option<DateTime<Utc>>>;
    /// A decimal or null.
    fn maybe_decimal(&self, column: usize) -> rusqlite::Result<Option<Decimal>>;
    /// A term of an enumeration, or anything else that is read from text.
    fn term<T: std::str::FromStr>(&self, column: usize) -> rusqlite::Result<T>
    where
        T::Err: std::error::Error + Send + Sync + 'static;
    /// The same, or null.
    fn maybe_term<T: std::str::FromStr>(&self, column: usize) -> rusqlite::Result<Option<T>>
    where
        T::Err: std::error::Error + Send + Sync + 'static;
}

fn unreadable(column: usize, kind: Type, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
}

/// A stored number that names no value of an enumeration.
pub(crate) fn unreadable_number(column: usize, error: lineshift_domain::terms::UnknownTerm) -> rusqlite::Error {
    unreadable(column, Type::Integer, error)
}

impl Columns for Row<'_> {
    fn place(&self, column: usize) -> rusqlite::Result<usize> {
        let place: i64 = self.get(column)?;
        usize::try_from(place).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, place))
    }

    fn time(&self, column: usize) -> rusqlite::Result<DateTime<Utc>> {
        let stored: i64 = self.get(column)?;
        DateTime::from_timestamp_micros(stored).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, stored))
    }

    fn maybe_time(&self, column: usize) -> rusqlite::Result<Option<DateTime<Utc>>> {
        let stored: Option<i64> = self.get(column)?;
        Ok(stored.and_then(DateTime::from_timestamp_micros))
    }

    fn maybe_decimal(&self, column: usize) -> rusqlite::Result<Option<Decimal>> {
        self.maybe_term(column)
    }

    fn term<T: std::str::FromStr>(&self, column: usize) -> rusqlite::Result<T>
    where
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        self.get_ref(column)?.as_str()?.parse().map_err(|error| unreadable(column, Type::Text, error))
    }

    fn maybe_term<T: std::str::FromStr>(&self, column: usize) -> rusqlite::Result<Option<T>>
    where
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        match self.get_ref(column)?.as_str_or_null()? {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|error| unreadable(column, Type::Text, error)),
        }
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
