//! Keyset paging: a page says after which key the next one begins, so that page 10,000 costs what page 1 costs.

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T, K> {
    /// The items, at most as many as asked for.
    pub items: Vec<T>,
    /// The key after which the next page begins; none: this was the last.
    pub next: Option<K>,
}

impl<T, K> Listed<T, K> {
    /// Makes a page out of up to `limit + 1` items that were read: the surplus one says that there is more.
    pub fn from_surplus(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> K) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(key) } else { None };
        Self { items, next }
    }
}

/// The most items that a page may have.
pub const MAX_PAGE_ITEMS: usize = 1_000;
