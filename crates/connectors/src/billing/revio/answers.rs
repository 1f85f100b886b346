//! Rev.io's envelope: one resource, a list in pages, what was created, what was changed.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::values;
use crate::address::push_encoded;
use crate::batch::all_pages;
use crate::http::{Answer, Endpoint};
use crate::{Batch, CallError, Called, json};

/// The most records a page may hold; we always ask for so many.
const PAGE_SIZE: u32 = 500;

/// The most pages that are read: an answer that goes on for ever is none.
const MOST_PAGES: u32 = 10_000;

#[derive(Deserialize)]
struct Envelope {
    ok: Option<bool>,
}

#[derive(Deserialize)]
struct List<W> {
    has_more: bool,
    records: Vec<W>,
}

#[derive(Deserialize)]
struct Created {
    #[serde(deserialize_with = "values::id")]
    id: i64,
}

/// One resource: its fields beside `ok`.
pub(super) fn read_one<W: DeserializeOwned>(answer: &Answer) -> Result<W, String> {
    match json::read::<Envelope>(answer)?.ok {
        Some(false) => Err("it says that it is not ok".to_owned()),
        _ => json::read(answer),
    }
}

/// A page of a list. One that is empty and yet says that more follow would be asked for without end.
fn read_list<W: DeserializeOwned>(answer: &Answer) -> Result<Batch<W>, String> {
    let List { has_more, records } = read_one(answer)?;
    if has_more && records.is_empty() {
        return Err("an empty page says that more follow".to_owned());
    }
    Ok(Batch { records, has_more })
}

/// The id of what was created: 201 and `{"ok":true,"id":n}`, nothing else (B7.3).
pub(super) fn read_created(answer: &Answer) -> Result<i64, String> {
    if answer.status != 201 {
        return Err("created is 201".to_owned());
    }
    if json::read::<Envelope>(answer)?.ok != Some(true) {
        return Err("it does not say that it is ok".to_owned());
    }
    json::read::<Created>(answer).map(|created| created.id)
}

/// That something was changed: an object that says nothing to the contrary, or 204.
pub(super) fn read_changed(answer: &Answer) -> Result<(), String> {
    if answer.status == 204 && answer.body.is_empty() {
        return Ok(());
    }
    read_one::<serde_json::Map<String, serde_json::Value>>(answer).map(drop)
}

/// One page of a list, from page 1, mapped.
pub(super) async fn list_page<W: DeserializeOwned, T>(
    endpoint: &Endpoint,
    resource: &str,
    filters: &[(&str, &str)],
    page: u32,
    map: impl Fn(W) -> T + Send + Sync,
) -> Called<Batch<T>> {
    let path = format!("{resource}?{}", query(filters, page));
    let called = endpoint.read(&path, read_list::<W>).await;
    called.and_then(|batch| {
        if batch.has_more && page >= MOST_PAGES {
            return Err(CallError::Unavailable(format!("{resource} goes on after {MOST_PAGES} pages")));
        }
        Ok(Batch { records: batch.records.into_iter().map(map).collect(), has_more: batch.has_more })
    })
}

/// All pages of a list, mapped. What moved from one page to the next meanwhile is there once.
pub(super) async fn list_all<W: DeserializeOwned, T>(
    endpoint: &Endpoint,
    resource: &str,
    filters: &[(&str, &str)],
    map: impl Fn(W) -> T + Send + Sync,
) -> Called<Vec<T>> {
    all_pages(|_, pages| list_page(endpoint, resource, filters, pages + 1, &map)).await
}

fn query(filters: &[(&str, &str)], page: u32) -> String {
    let mut query = String::new();
    for (name, value) in filters {
        query.push_str(name);
        query.push('=');
        push_encoded(value, &mut query);
        query.push('&');
    }
    format!("{query}page_size={PAGE_SIZE}&page={page}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn created_is_201_with_an_id() {
        assert_eq!(read_created(&answer(201, r#"{"ok":true,"id":903311}"#)), Ok(903_311));
        assert_eq!(read_created(&answer(201, r#"{"ok":true,"id":"903311","more":{}}"#)), Ok(903_311));
        for (status, body) in [
            (200, r#"{"ok":true,"id":903311}"#),
            (202, r#"{"ok":true,"id":903311}"#),
            (204, ""),
            (201, ""),
            (201, "{"),
            (201, r#"{"id":903311}"#),
            (201, r#"{"ok":false,"id":903311}"#),
            (201, r#"{"ok":true}"#),
            (201, r#"{"ok":true,"id":null}"#),
            (201, r#"{"ok":true,"id":0}"#),
            (201, r#"{"ok":true,"id":-4}"#),
            (201, r#"{"ok":true,"id":1.5}"#),
            (201, r#"[{"ok":true,"id":903311}]"#),
            (201, "<html>created</html>"),
        ] {
            assert!(read_created(&answer(status, body)).is_err(), "{status} {body}");
        }
    }

    #[test]
    fn changed_is_an_object_that_does_not_say_no() {
        for (status, body) in [(200, r#"{"ok":true}"#), (200, "{}"), (204, "")] {
            assert_eq!(read_changed(&answer(status, body)), Ok(()), "{status} {body}");
        }
        for (status, body) in [(200, ""), (200, r#"{"ok":false}"#), (200, "done"), (204, "x"), (200, "[]")] {
            assert!(read_changed(&answer(status, body)).is_err(), "{status} {body}");
        }
    }

    #[test]
    fn values_are_encoded() {
        assert_eq!(query(&[("number", "+1 5/ü"), ("a", "b")], 3), "number=%2B1%205%2F%C3%BC&a=b&page_size=500&page=3");
    }
}
