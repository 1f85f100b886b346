//! The cells of one row, read by column name into what they mean.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use lineshift_domain::dates::resolve;
use lineshift_domain::lines::{Digits, read_line};
use lineshift_domain::reading::read_effective_date;
use lineshift_domain::terms::LineIdentifier;
use lineshift_web::LARGEST_ID;
use rust_decimal::Decimal;

use super::header::Header;
use super::problems::{Problem, Problems, shown};

/// The longest text that is taken.
const LONGEST_TEXT: usize = 200;

/// One row. Each reader answers none for a blank cell and for one that it has reported.
pub(crate) struct Cells<'r, 'p> {
    record: &'r csv::ByteRecord,
    header: &'r Header,
    zone: Tz,
    line: u64,
    problems: &'p mut Problems,
    sound: bool,
}

impl<'r, 'p> Cells<'r, 'p> {
    pub(super) fn new(record: &'r csv::ByteRecord, header: &'r Header, zone: Tz, line: u64, problems: &'p mut Problems) -> Self {
        Self { record, header, zone, line, problems, sound: true }
    }

    /// Whether nothing is wrong with the row so far.
    pub(crate) const fn is_sound(&self) -> bool {
        self.sound
    }

    /// Reports that the row has another number of cells than the header.
    pub(super) fn check_width(&mut self) {
        if self.record.len() != self.header.width {
            let found = format!("{} cells", self.record.len());
            self.add(None, found, format!("{} as in the header; a text with a comma stands in quotes", self.header.width));
        }
    }

    /// Reports a cell.
    pub(crate) fn report(&mut self, name: &str, expected: impl Into<String>) {
        let found = shown(&String::from_utf8_lossy(self.bytes(name)));
        self.add(Some(name), found, expected.into());
    }

    fn add(&mut self, name: Option<&str>, found: String, expected: String) {
        self.sound = false;
        let column = name.and_then(|name| self.header.place(name)).map(|place| place + 1);
        self.problems.add(Problem { line: self.line, column, name: name.map(str::to_owned), found, expected });
    }

    fn bytes(&self, name: &str) -> &'r [u8] {
        self.header.place(name).and_then(|place| self.record.get(place)).unwrap_or_default()
    }

    /// A text, blanks around it left out.
    pub(crate) fn text(&mut self, name: &str) -> Option<&'r str> {
        let Ok(text) = std::str::from_utf8(self.bytes(name)) else {
            self.report(name, "UTF-8; save the file as \"CSV UTF-8\"");
            return None;
        };
        let text = text.trim();
        if text.chars().count() > LONGEST_TEXT {
            self.report(name, format!("at most {LONGEST_TEXT} characters"));
            return None;
        }
        (!text.is_empty()).then_some(text)
    }

    /// A text that must be there.
    pub(crate) fn required(&mut self, name: &str, expected: &str) -> Option<&'r str> {
        let before = self.problems.count();
        let text = self.text(name);
        if text.is_none() && before == self.problems.count() {
            self.report(name, expected);
        }
        text
    }

    /// An owned text.
    pub(crate) fn owned(&mut self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// The id of something: a whole number from 1 to [`LARGEST_ID`].
    pub(crate) fn id(&mut self, name: &str) -> Option<i64> {
        self.whole_number(name, 1, &an_id())
    }

    /// An id that must be there.
    pub(crate) fn required_id(&mut self, name: &str) -> Option<i64> {
        self.required(name, &an_id())?;
        self.id(name)
    }

    /// An id, or 0 for none from now on.
    pub(crate) fn id_or_zero(&mut self, name: &str) -> Option<i64> {
        self.whole_number(name, 0, &format!("an id up to {LARGEST_ID}, 0 to clear it, or nothing to keep it"))
    }

    fn whole_number(&mut self, name: &str, least: i64, expected: &str) -> Option<i64> {
        let text = self.text(name)?;
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| (least..=LARGEST_ID).contains(number) && is_digits);
        if number.is_none() {
            self.report(name, expected);
        }
        number
    }

    /// A decimal number that is not negative.
    pub(crate) fn amount(&mut self, name: &str) -> Option<Decimal> {
        let text = self.text(name)?;
        let amount = text.parse::<Decimal>().ok().filter(|amount| !amount.is_sign_negative() || amount.is_zero());
        if amount.is_none() {
            self.report(name, "a number such as 250 or 0.5, not negative");
        }
        amount.map(|amount| amount.normalize())
    }

    /// Yes or no; `default` where the cell is blank.
    pub(crate) fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None => default,
            Some("true" | "yes" | "1") => true,
            Some("false" | "no" | "0") => false,
            Some(_) => {
                self.report(name, "true or false");
                default
            }
        }
    }

    /// A date (B6.6); a day begins in the tenant's zone.
    pub(crate) fn date(&mut self, name: &str) -> Option<DateTime<Utc>> {
        let text = self.text(name)?;
        let date = read_effective_date(text);
        if date.is_none() {
            self.report(name, "a date in ISO 8601, such as 2026-12-01 or 2026-12-01T08:00:00Z");
        }
        date.map(|date| resolve(date, self.zone))
    }

    /// An ICCID that must be there, cleaned of blanks and separators (B4.6 rule 1).
    pub(crate) fn iccid(&mut self, name: &str) -> Option<Digits> {
        self.required(name, "18 to 22 digits")?;
        self.digits(name, LineIdentifier::Iccid, "18 to 22 digits")
    }

    /// A subscriber number, cleaned likewise.
    pub(crate) fn subscriber_number(&mut self, name: &str) -> Option<Digits> {
        self.digits(name, LineIdentifier::Number, "10 to 15 digits")
    }

    /// Digits of an identifier, where the cell is not blank.
    pub(crate) fn digits(&mut self, name: &str, identifier: LineIdentifier, expected: &str) -> Option<Digits> {
        let text = self.text(name)?;
        let digits = read_line(identifier, text).ok();
        if digits.is_none() {
            let hint = if text.contains(['e', 'E']) { "; a spreadsheet has rounded it, format the column as text" } else { "" };
            self.report(name, format!("{expected}{hint}"));
        }
        digits
    }

    /// One of a few words, whatever the case.
    pub(crate) fn choice<T: Copy>(&mut self, name: &str, known: &[(&'static str, T)]) -> Option<T> {
        let words = known.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let text = self.required(name, &format!("one of {words}"))?;
        let found = known.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, value)| *value);
        if found.is_none() {
            self.report(name, format!("one of {words}"));
        }
        found
    }

    /// Reports a cell whose key stood in an earlier row.
    pub(crate) fn only_once<K: Eq + Hash>(&mut self, seen: &mut Seen<K>, name: &str, key: K) {
        if let Some(before) = seen.lines.insert(key, self.line) {
            self.report(name, format!("each {name} once; it stands in line {before} already"));
        }
    }
}

fn an_id() -> String {
    format!("a whole number from 1 to {LARGEST_ID}")
}

/// Keys of earlier rows with their lines.
#[derive(Debug)]
pub(crate) struct Seen<K> {
    lines: HashMap<K, u64>,
}

impl<K> Default for Seen<K> {
    fn default() -> Self {
        Self { lines: HashMap::new() }
    }
}
