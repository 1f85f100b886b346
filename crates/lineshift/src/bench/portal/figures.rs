//! What it came to: each page beside the calls behind it.

use std::time::Duration;

use serde::Serialize;

use super::pages::{Asked, Page};
use crate::bench::access::p99_and_p50;
use crate::bench::report::median;

/// By how many milliseconds a page may take longer than the calls behind it, at the median.
const MOST_ADDED_MS: f64 = 5.0;

/// Pages, and what they were measured on.
#[derive(Debug, Clone, Serialize)]
pub(in crate::bench) struct Portal {
    /// Rows of the bulk change that is looked at.
    pub(super) change_lines: u64,
    /// Lines whose order is previewed.
    pub(super) chosen_lines: u64,
    /// Compressed bytes of style sheet, script and icon, which browsers keep.
    pub(super) assets_bytes: usize,
    /// Every page.
    pub(super) pages: Vec<PageFigures>,
}

/// A page beside the calls behind it, one after the other, in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PageFigures {
    /// Never renamed: figures are compared over time.
    pub(super) page: &'static str,
    pub(super) times: usize,
    pub(super) page_p50_ms: f64,
    pub(super) page_p99_ms: f64,
    /// Calls of the API, and where it has none for what stands on the page, what the store is asked for instead.
    pub(super) api_calls: usize,
    pub(super) store_calls: usize,
    pub(super) behind_p50_ms: f64,
    pub(super) behind_p99_ms: f64,
    /// The first of the calls alone, which answers what the page is about.
    pub(super) first_call_p50_ms: f64,
    /// The difference of the medians.
    pub(super) added_ms: f64,
    /// The same to the first call alone.
    pub(super) added_to_first_call_ms: f64,
    /// Compressed, without style sheet and script.
    pub(super) page_bytes: usize,
}

/// A page that was asked for once, and how long the calls behind it took.
pub(super) struct Taken {
    pub(super) page: Asked,
    pub(super) calls: Vec<Duration>,
}

/// All of them of a page.
pub(super) struct Samples {
    name: &'static str,
    api_calls: usize,
    store_calls: usize,
    page: Vec<f64>,
    behind: Vec<f64>,
    first_call: Vec<f64>,
    bytes: usize,
}

impl Samples {
    pub(super) fn of(page: &Page) -> Self {
        let api_calls = page.behind.iter().filter(|call| call.is_of_api()).count();
        Self::with_calls(page.name, api_calls, page.behind.len() - api_calls)
    }

    const fn with_calls(name: &'static str, api_calls: usize, store_calls: usize) -> Self {
        Self { name, api_calls, store_calls, page: Vec::new(), behind: Vec::new(), first_call: Vec::new(), bytes: 0 }
    }

    pub(super) fn add(&mut self, taken: &Taken) {
        let ms = |took: Duration| took.as_secs_f64() * 1e3;
        self.page.push(ms(taken.page.took));
        self.behind.push(taken.calls.iter().copied().map(ms).sum());
        self.first_call.extend(taken.calls.first().copied().map(ms));
        self.bytes = self.bytes.max(taken.page.bytes);
    }

    /// None: it was not asked for.
    pub(super) fn figures(self) -> Option<PageFigures> {
        let times = self.page.len();
        let (page_p50_ms, first_call_p50_ms) = (median(self.page.clone())?, median(self.first_call)?);
        let behind_p50_ms = median(self.behind.clone())?;
        Some(PageFigures {
            page: self.name,
            times,
            page_p50_ms,
            page_p99_ms: p99_and_p50(self.page)?.0,
            api_calls: self.api_calls,
            store_calls: self.store_calls,
            behind_p50_ms,
            behind_p99_ms: p99_and_p50(self.behind)?.0,
            first_call_p50_ms,
            added_ms: page_p50_ms - behind_p50_ms,
            added_to_first_call_ms: page_p50_ms - first_call_p50_ms,
            page_bytes: self.bytes,
        })
    }
}

impl Portal {
    /// For people.
    pub(in crate::bench) fn table(&self) -> String {
        let heads = [
            "page",
            "median ms",
            "99 %",
            "API calls",
            "others",
            "these: median ms",
            "these: 99 %",
            "adds ms",
            "to the first",
            "KB",
        ];
        let rows = self.pages.iter().map(|page| {
            let ms = |value: f64| format!("{value:.1}");
            vec![
                page.page.to_owned(),
                ms(page.page_p50_ms),
                ms(page.page_p99_ms),
                page.api_calls.to_string(),
                page.store_calls.to_string(),
                ms(page.behind_p50_ms),
                ms(page.behind_p99_ms),
                ms(page.added_ms),
                ms(page.added_to_first_call_ms),
                format!("{:.1}", page.page_bytes as f64 / 1e3),
            ]
        });
        let slower: Vec<&str> = self.pages.iter().filter(|page| page.added_ms > MOST_ADDED_MS).map(|page| page.page).collect();
        let said = if slower.is_empty() {
            format!("no page adds more than {MOST_ADDED_MS} ms")
        } else {
            format!("more than {MOST_ADDED_MS} ms are added by: {}", slower.join("; "))
        };
        let assets = self.assets_bytes as f64 / 1e3;
        format!("\n{}{said}; assets {assets:.1} KB\n", crate::output::table(&heads, rows.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_adds_is_the_difference_of_the_medians() {
        let mut samples = Samples::with_calls("page", 2, 0);
        for (page, first, second) in [(9, 1, 3), (10, 2, 3), (90, 2, 30)] {
            let ms = Duration::from_millis;
            samples.add(&Taken { page: Asked { took: ms(page), bytes: 5_000 }, calls: vec![ms(first), ms(second)] });
        }
        let figures = samples.figures().expect("three");
        let rounded = |value: f64| value.round() as i64;
        assert_eq!((rounded(figures.added_ms), rounded(figures.added_to_first_call_ms)), (5, 8));
        assert_eq!((rounded(figures.page_p99_ms), rounded(figures.behind_p99_ms), figures.times), (90, 32, 3));
        assert!(Samples::with_calls("page", 0, 0).figures().is_none());
    }

    #[test]
    fn pages_that_add_too_much_are_named() {
        let page = |page, added_ms| PageFigures {
            page,
            times: 1,
            page_p50_ms: 9.0,
            page_p99_ms: 9.0,
            api_calls: 1,
            store_calls: 0,
            behind_p50_ms: 9.0 - added_ms,
            behind_p99_ms: 9.0,
            first_call_p50_ms: 1.0,
            added_ms,
            added_to_first_call_ms: 8.0,
            page_bytes: 1,
        };
        let portal = |pages| {
            Portal { change_lines: 1, chosen_lines: 1, assets_bytes: 12_345, pages }.table().lines().last().map(str::to_owned)
        };
        let said = portal(vec![page("one", 4.9), page("other", 5.1)]);
        assert_eq!(said.as_deref(), Some("more than 5 ms are added by: other; assets 12.3 KB"));
        assert_eq!(portal(vec![page("one", -1.0)]).as_deref(), Some("no page adds more than 5 ms; assets 12.3 KB"));
    }
}
