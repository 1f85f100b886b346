//! What every page has: the frame around it, and how it is written.

use askama::Template;
use axum::http::HeaderValue;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::assets;

/// The type of a page.
pub(super) const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// The frame of a page that needs nobody to be signed in.
pub(super) struct Bare {
    pub(super) title: String,
}

impl Bare {
    pub(super) fn titled(title: impl Into<String>) -> Self {
        Self { title: title.into() }
    }

    pub(super) fn style(&self) -> &'static str {
        assets::style()
    }

    pub(super) fn script(&self) -> &'static str {
        assets::script()
    }

    pub(super) fn icon(&self) -> &'static str {
        assets::icon()
    }
}

/// Writes a page. One that cannot be written is a defect: it is told, and what was asked for did happen.
pub(super) fn html(page: &impl Template) -> String {
    page.render().unwrap_or_else(|error| {
        tracing::error!(%error, "a page could not be written");
        "<!doctype html><title>Lineshift</title><p>This page could not be written; the server's log says why.".to_owned()
    })
}

/// A page as an answer.
pub(super) fn answer(page: &impl Template) -> Response {
    ([(header::CONTENT_TYPE, HTML)], html(page)).into_response()
}

/// A moment as people read it, in their tenant's zone, and as machines do.
pub(super) struct When {
    /// `2026-11-21 14:05`
    pub(super) text: String,
    /// RFC 3339, in UTC.
    pub(super) machine: String,
}

impl When {
    pub(super) fn new(at: DateTime<Utc>, zone: Tz) -> Self {
        let text = at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
        Self { text, machine: at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true) }
    }
}

/// A count with its thousands apart.
pub(super) fn thousands(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut written = if count < 0 { "-".to_owned() } else { String::new() };
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (count, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (4_812, "4,812"), (1_234_567, "1,234,567"), (-1_000, "-1,000")]
        {
            assert_eq!(thousands(count), text);
        }
    }

    #[test]
    fn a_moment_is_shown_in_the_tenants_zone() {
        let at = DateTime::from_timestamp(1_800_000_000, 0).expect("a moment");
        let when = When::new(at, chrono_tz::America::Chicago);
        assert_eq!((when.text.as_str(), when.machine.as_str()), ("2027-01-15 02:00", "2027-01-15T08:00:00Z"));
    }
}
