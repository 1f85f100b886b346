//! Jasper's lists: pages of at most 50 from page 1, until one says that it is the last.

use serde::de::DeserializeOwned;

use super::JasperClient;
use crate::carrier::{Fields, field, fields};
use crate::http::Answer;
use crate::{Batch, CallError, Called};

/// The most records that a page may hold; we always ask for so many.
const PAGE_SIZE: usize = 50;

/// The most pages that are read of a list: an answer that goes on for ever is none.
const MOST_PAGES: u32 = 10_000;

/// A list and how it is asked for.
pub(super) struct List<'a> {
    /// Where it is, with a query or none.
    pub(super) path: &'a str,
    /// The field that holds its records.
    pub(super) records: &'static str,
    /// Whether carriers.md marks its pages **D**. Where it says nothing of pages, the first is asked for without naming one,
    /// and an answer that says nothing either is whole (**S**).
    pub(super) has_marked_pages: bool,
}

impl JasperClient {
    /// One page of a list, from page 1.
    pub(super) async fn page<W, T>(&self, list: &List<'_>, page: u32) -> Called<Batch<T>>
    where
        W: DeserializeOwned,
        T: From<W>,
    {
        let read = |answer: &Answer| read_page::<W>(answer, list, page);
        let called = self.endpoint.read(&address(list, page), read).await;
        called.and_then(|batch| {
            if batch.has_more && page >= MOST_PAGES {
                return Err(CallError::Unavailable(format!("{} goes on after {MOST_PAGES} pages", list.path)));
            }
            Ok(Batch { records: batch.records.into_iter().map(T::from).collect(), has_more: batch.has_more })
        })
    }
}

fn address(list: &List<'_>, page: u32) -> String {
    if page == 1 && !list.has_marked_pages {
        return list.path.to_owned();
    }
    let separator = if list.path.contains('?') { '&' } else { '?' };
    format!("{}{separator}pageSize={PAGE_SIZE}&pageNumber={page}", list.path)
}

/// Reads a page. One that is empty and yet not the last would be asked for without end, and another than was asked for would hide
/// records.
fn read_page<W: DeserializeOwned>(answer: &Answer, list: &List<'_>, page: u32) -> Result<Batch<W>, String> {
    let fields = fields(answer).ok_or_else(|| "expected an object".to_owned())?;
    let records: Vec<W> = field(&fields, list.records)?;
    let is_last = is_last(&fields, list)?;
    if fields.contains_key("pageNumber") {
        let number: u32 = field(&fields, "pageNumber")?;
        if number != page {
            return Err(format!("asked for page {page}, it answers page {number}"));
        }
    }
    let is_asked_for = page > 1 || list.has_marked_pages;
    if records.len() > PAGE_SIZE && is_asked_for {
        return Err(format!("{} records on a page of {PAGE_SIZE}", records.len()));
    }
    if records.is_empty() && !is_last {
        return Err("an empty page is not the last".to_owned());
    }
    Ok(Batch { records, has_more: !is_last })
}

fn is_last(fields: &Fields<'_>, list: &List<'_>) -> Result<bool, String> {
    if !list.has_marked_pages && !fields.contains_key("lastPage") {
        return Ok(true);
    }
    field(fields, "lastPage")
}
