//! Values of the forms that orders use. Each reader reports what is wrong and then answers none or a default.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::codes;
use super::fields::{Fields, Known};
use super::json::Node;
use super::numbers::{MOST_DIGITS, read_amount};
use super::problems::{Problems, shown};
use crate::order::{EffectiveDate, Setting};
use crate::terms::UnknownTerm;

/// The longest text of a field that has no longer one of its own, in characters.
pub(super) const LONGEST_TEXT: usize = 255;

const AN_ID: &str = "a whole number from 1";

impl<'a> Fields<'a> {
    /// `true` or `false`; `default` where absent, none where it is neither.
    pub(super) fn flag(&mut self, name: &str, default: bool, problems: &mut Problems) -> Option<bool> {
        match self.take(name) {
            None => Some(default),
            Some(Node::Flag(flag)) => Some(flag),
            Some(other) => {
                self.report_type(name, &other, "true or false, without quotes", problems);
                None
            }
        }
    }

    /// The id of something.
    pub(super) fn id(&mut self, name: &str, problems: &mut Problems) -> Option<i64> {
        match self.take(name)? {
            Node::Number(written) => self.id_from(name, written, 1, problems),
            other => {
                self.report_type(name, &other, AN_ID, problems);
                None
            }
        }
    }

    /// An id that must be given; 0 after a problem was reported.
    pub(super) fn required_id(&mut self, name: &str, problems: &mut Problems) -> i64 {
        if !self.require(name, AN_ID, problems) {
            return 0;
        }
        self.id(name, problems).unwrap_or_default()
    }

    /// An id to set, 0 to clear, absent to keep (B8.4). The seeds type some of these as texts, so that digits in quotes
    /// are taken too.
    pub(super) fn id_setting(&mut self, name: &str, problems: &mut Problems) -> Setting<i64> {
        let expected = "a whole number from 1, 0 to clear it, or null to keep it";
        let read = match self.take(name) {
            None => return Setting::Keep,
            Some(Node::Number(written)) => self.id_from(name, written, 0, problems),
            Some(Node::Text(written)) if is_digits(&written) => self.id_from(name, &written, 0, problems),
            Some(Node::Text(written)) => {
                self.report(name, codes::WRONG_FORM, format!("found {}, expected {expected}", shown(&written)), problems);
                None
            }
            Some(other) => {
                self.report_type(name, &other, expected, problems);
                None
            }
        };
        match read {
            None => Setting::Keep,
            Some(0) => Setting::Clear,
            Some(id) => Setting::Set(id),
        }
    }

    fn id_from(&self, name: &str, written: &str, least: i64, problems: &mut Problems) -> Option<i64> {
        let digits = written.strip_prefix('-').unwrap_or(written);
        if !is_digits(digits) {
            let message = format!("found {written}, expected a whole number without fraction or exponent");
            self.report(name, codes::WRONG_FORM, message, problems);
            return None;
        }
        let id = written.parse().ok().filter(|id: &i64| *id >= least);
        if id.is_none() {
            let message = format!("found {}, expected {least} to {}", shown(written), i64::MAX);
            self.report(name, codes::OUT_OF_RANGE, message, problems);
        }
        id
    }

    /// An amount of 0 or more: 0 clears, absent keeps (B8.5).
    pub(super) fn amount_setting(&mut self, name: &str, problems: &mut Problems) -> Setting<Decimal> {
        match self.amount(name, problems) {
            None => Setting::Keep,
            Some(amount) if amount.is_zero() => Setting::Clear,
            Some(amount) if amount.is_sign_negative() => {
                let message = format!("found {amount}, expected 0 or more; 0 clears the allocation");
                self.report(name, codes::OUT_OF_RANGE, message, problems);
                Setting::Keep
            }
            Some(amount) => Setting::Set(amount),
        }
    }

    /// An amount above 0.
    pub(super) fn positive_amount(&mut self, name: &str, problems: &mut Problems) -> Option<Decimal> {
        let amount = self.amount(name, problems)?;
        if amount <= Decimal::ZERO {
            self.report(name, codes::OUT_OF_RANGE, format!("found {amount}, expected more than 0"), problems);
            return None;
        }
        Some(amount)
    }

    fn amount(&mut self, name: &str, problems: &mut Problems) -> Option<Decimal> {
        match self.take(name)? {
            Node::Number(written) => {
                let amount = read_amount(written);
                if amount.is_none() {
                    let message = format!("found {}, expected a number of at most {MOST_DIGITS} digits", shown(written));
                    self.report(name, codes::OUT_OF_RANGE, message, problems);
                }
                amount
            }
            other => {
                self.report_type(name, &other, "a number, without quotes", problems);
                None
            }
        }
    }

    /// A text of at most `longest` characters without control characters; none where absent or blank.
    pub(super) fn text(&mut self, name: &str, longest: usize, problems: &mut Problems) -> Option<String> {
        let text = self.written(name, "a text", problems).filter(|text| !text.trim().is_empty())?;
        if text.chars().count() > longest {
            let message = format!("found {} characters, expected at most {longest}; shorten it", text.chars().count());
            self.report(name, codes::OUT_OF_RANGE, message, problems);
            return None;
        }
        if let Some(control) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            let message = format!("found the control character {control:?}; leave it out");
            self.report(name, codes::WRONG_FORM, message, problems);
            return None;
        }
        Some(text.into_owned())
    }

    /// A text that must be given; empty after a problem was reported.
    pub(super) fn required_text(&mut self, name: &str, expected: &str, problems: &mut Problems) -> String {
        if !self.require(name, expected, problems) {
            return String::new();
        }
        let before = problems.count();
        let text = self.text(name, LONGEST_TEXT, problems);
        if text.is_none() && problems.count() == before {
            self.report(name, codes::MISSING_FIELD, format!("empty; give {expected}"), problems);
        }
        text.unwrap_or_default()
    }

    /// A text as written; none where absent or empty.
    pub(super) fn written(&mut self, name: &str, expected: &str, problems: &mut Problems) -> Option<Cow<'a, str>> {
        match self.take(name)? {
            Node::Text(text) => Some(text).filter(|text| !text.is_empty()),
            other => {
                self.report_type(name, &other, &format!("{expected}, in quotes"), problems);
                None
            }
        }
    }

    /// One of a few words, whatever its case; the default where absent.
    pub(super) fn choice<T>(&mut self, name: &str, words: &str, problems: &mut Problems) -> T
    where
        T: Default + std::str::FromStr<Err = UnknownTerm>,
    {
        let Some(word) = self.written(name, words, problems) else { return T::default() };
        word.to_ascii_lowercase().parse().unwrap_or_else(|_| {
            self.report(name, codes::WRONG_FORM, format!("found {}, expected {words}", shown(&word)), problems);
            T::default()
        })
    }

    /// A date (B6.6); none where absent or empty.
    pub(super) fn date(&mut self, name: &str, problems: &mut Problems) -> Option<EffectiveDate> {
        let expected = "a date such as 2026-12-01, 2026-12-01T08:00:00 or 2026-12-01T08:00:00Z";
        let text = self.written(name, expected, problems)?;
        let date = super::read_effective_date(&text);
        if date.is_none() {
            self.report(name, codes::WRONG_FORM, format!("found {}, expected {expected}", shown(&text)), problems);
        }
        date
    }

    /// An object with those fields; none where absent.
    pub(super) fn object(&mut self, name: &str, known: Known, problems: &mut Problems) -> Option<Fields<'a>> {
        match self.take(name)? {
            Node::Object(entries) => Some(Fields::open(self.path_of(name), known, entries, problems)),
            other => {
                self.report_type(name, &other, "an object", problems);
                None
            }
        }
    }

    /// Hands over the objects of an array one by one, each with those fields; what is no object is reported.
    pub(super) fn each_object(
        &mut self,
        name: &str,
        known: Known,
        problems: &mut Problems,
        mut read: impl FnMut(Fields<'a>, &mut Problems),
    ) {
        let expected = "an array of objects";
        match self.take(name) {
            None => {}
            Some(Node::List(list)) => {
                for (nth, node) in list.into_iter().enumerate() {
                    let name = format!("{name}[{nth}]");
                    match node {
                        Node::Object(entries) => read(Fields::open(self.path_of(&name), known, entries, problems), problems),
                        other => self.report_type(&name, &other, "an object", problems),
                    }
                }
            }
            Some(Node::Lines(texts)) if texts.is_empty() => {}
            Some(Node::Lines(_)) => {
                self.report(name, codes::WRONG_TYPE, format!("found an array of texts, expected {expected}"), problems);
            }
            Some(other) => self.report_type(name, &other, expected, problems),
        }
    }
}

/// Whether a text is nothing but decimal digits.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
