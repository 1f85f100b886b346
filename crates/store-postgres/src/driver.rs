//! Between the store's values and the driver's.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use lineshift_store::{Result, StoreError};
use lineshift_store_sql::{Columns, Value};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// Microseconds from 1970, where our times begin, to 2000, where PostgreSQL's do.
const TO_2000: i64 = 946_684_800_000_000;

/// A value, bound as whatever the statement expects at its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound<'a>(pub(crate) Value<'a>);

type Unfit = Box<dyn Error + Sync + Send>;

impl ToSql for Bound<'_> {
    fn to_sql(&self, expected: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Unfit> {
        match self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::Integer(number) => put_number(number, expected, out)?,
            Value::Text(text) => put_text(text, expected, out)?,
            Value::Bytes(bytes) if *expected == Type::BYTEA => out.put_slice(bytes),
            Value::Bytes(_) => return Err(unfit("bytes", expected)),
        }
        Ok(IsNull::No)
    }

    fn accepts(_expected: &Type) -> bool {
        // Whether it fits depends on the value: bytes are wanted by few, nothing by all.
        true
    }

    to_sql_checked!();
}

fn put_number(number: i64, expected: &Type, out: &mut BytesMut) -> std::result::Result<(), Unfit> {
    match *expected {
        Type::INT8 => out.put_i64(number),
        Type::INT4 => out.put_i32(number.try_into()?),
        Type::INT2 => out.put_i16(number.try_into()?),
        Type::BOOL => out.put_u8(u8::from(number != 0)),
        Type::TIMESTAMPTZ => out.put_i64(number - TO_2000),
        _ => return Err(unfit("a number", expected)),
    }
    Ok(())
}

fn put_text(text: &str, expected: &Type, out: &mut BytesMut) -> std::result::Result<(), Unfit> {
    match *expected {
        Type::TEXT | Type::VARCHAR | Type::NAME | Type::JSON | Type::UNKNOWN => {}
        // Its first byte is the version of the format.
        Type::JSONB => out.put_u8(1),
        _ => return Err(unfit("a text", expected)),
    }
    // A text of PostgreSQL holds every character but this one; what comes from outside may.
    if text.contains('\0') {
        out.put_slice(text.replace('\0', "\u{fffd}").as_bytes());
    } else {
        out.put_slice(text.as_bytes());
    }
    Ok(())
}

fn unfit(given: &str, expected: &Type) -> Unfit {
    format!("{given} was bound where the statement expects {expected}").into()
}

/// A column, read.
struct Read<'a>(Value<'a>);

impl<'a> FromSql<'a> for Read<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> std::result::Result<Self, Unfit> {
        Ok(Self(match *kind {
            Type::INT8 => Value::Integer(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => Value::Integer(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT2 => Value::Integer(i16::from_be_bytes(raw.try_into()?).into()),
            Type::BOOL => Value::Integer(i64::from(raw != [0])),
            Type::BYTEA => Value::Bytes(raw),
            _ => Value::Text(std::str::from_utf8(raw)?),
        }))
    }

    fn from_sql_null(_kind: &Type) -> std::result::Result<Self, Unfit> {
        Ok(Self(Value::Null))
    }

    fn accepts(kind: &Type) -> bool {
        matches!(
            *kind,
            Type::INT8
                | Type::INT4
                | Type::INT2
                | Type::BOOL
                | Type::BYTEA
                | Type::TEXT
                | Type::VARCHAR
                | Type::NAME
                | Type::JSON
                | Type::UNKNOWN
                | Type::VOID
        )
    }
}

/// A row of the driver.
pub(crate) struct PostgresRow<'r>(pub(crate) &'r Row);

impl Columns for PostgresRow<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn column(&self, column: usize) -> Result<Value<'_>> {
        let read = self.0.try_get::<_, Read<'_>>(column);
        let context = || format!("column {column} cannot be read");
        Ok(read.map_err(|error| StoreError::Internal { context: context(), source: Some(Box::new(error)) })?.0)
    }
}
