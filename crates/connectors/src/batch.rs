//! Lists that come in pages.

use crate::{Called, Exchange};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch<T> {
    /// What it holds.
    pub records: Vec<T>,
    /// Whether another page follows.
    pub has_more: bool,
}

/// All pages of a list; `load` is told how many records and pages came before. What took several calls has one exchange.
pub(crate) async fn all_pages<T, F>(load: impl Fn(usize, u32) -> F) -> Called<Vec<T>>
where
    F: Future<Output = Called<Batch<T>>>,
{
    let mut all = Vec::new();
    let mut exchange = Exchange::default();
    let mut pages = 0;
    loop {
        let called = load(all.len(), pages).await;
        exchange = exchange.followed_by(&called.exchange);
        let batch = match called.result {
            Ok(batch) => batch,
            Err(error) => return Called { result: Err(error), exchange },
        };
        all.extend(batch.records);
        if !batch.has_more {
            return Called { result: Ok(all), exchange };
        }
        pages += 1;
    }
}
