//! POND's lists: `offset` and `count` are asked for, `{total, offset, count, elements}` answers.

use serde::de::DeserializeOwned;

use super::PondClient;
use crate::batch::all_pages;
use crate::carrier::{field, fields};
use crate::http::Answer;
use crate::{Batch, CallError, Called};

/// The most pages that are read of a list that is read whole: an answer that goes on for ever is none.
const MOST_PAGES: u32 = 1_000;

impl PondClient {
    /// One page of a list, after the first `offset` elements.
    pub(super) async fn page<W, T>(
        &self,
        path: &str,
        offset: usize,
        map: impl Fn(W) -> Result<T, String> + Send + Sync,
    ) -> Called<Batch<T>>
    where
        W: DeserializeOwned,
    {
        let count = self.page_size();
        let address = format!("{path}?offset={offset}&count={count}");
        self.endpoint.read(&address, |answer| read_page(answer, offset, count, &map)).await
    }

    /// All elements of a list.
    pub(super) async fn all<W, T>(&self, path: &str, map: impl Fn(W) -> Result<T, String> + Send + Sync) -> Called<Vec<T>>
    where
        W: DeserializeOwned,
    {
        let map = &map;
        all_pages(|offset, pages| async move {
            let called = self.page(path, offset, map).await;
            called.and_then(|batch| {
                if batch.has_more && pages + 1 >= MOST_PAGES {
                    return Err(CallError::Unavailable(format!("{path} goes on after {MOST_PAGES} pages")));
                }
                Ok(batch)
            })
        })
        .await
    }
}

/// Reads a page. One that is empty and yet not the end would be asked for without end, and another than was asked for would hide
/// elements. Whether `count` says what was asked for or what is there is not known: it is not read.
fn read_page<W: DeserializeOwned, T>(
    answer: &Answer,
    offset: usize,
    count: usize,
    map: impl Fn(W) -> Result<T, String>,
) -> Result<Batch<T>, String> {
    let fields = fields(answer).ok_or_else(|| "expected an object".to_owned())?;
    let elements: Vec<W> = field(&fields, "elements")?;
    let total: usize = field(&fields, "total")?;
    if fields.contains_key("offset") {
        let answered: usize = field(&fields, "offset")?;
        if answered != offset {
            return Err(format!("asked for offset {offset}, it answers offset {answered}"));
        }
    }
    if elements.len() > count {
        return Err(format!("{} elements where {count} were asked for", elements.len()));
    }
    let has_more = offset.saturating_add(elements.len()) < total;
    if elements.is_empty() && has_more {
        return Err(format!("an empty page is not the end of {total}"));
    }
    let records = elements.into_iter().map(map).collect::<Result<_, _>>()?;
    Ok(Batch { records, has_more })
}
