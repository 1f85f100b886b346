//! Header names that are configuration.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::lock;

/// Bytes of the longest name.
const LONGEST: usize = 64;

/// How many different names are taken in the life of a process: each is kept for good.
const MOST_NAMES: usize = 64;

/// Headers that the client or its transport set themselves.
const TAKEN: [&str; 8] =
    ["accept", "connection", "content-length", "content-type", "host", "te", "transfer-encoding", "user-agent"];

static NAMES: Mutex<Names> = Mutex::new(Names(BTreeSet::new()));

struct Names(BTreeSet<&'static str>);

/// A header's name: letters, digits, `-` and `_` in lower case, and none that the client sets itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderName(&'static str);

impl HeaderName {
    /// `x-api-key`.
    pub const X_API_KEY: Self = Self("x-api-key");

    /// The name in lower case; none if it has another form, is one that the client sets itself, or comes after too many others.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        lock(&NAMES).take(name).map(Self)
    }

    /// In lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl Names {
    fn take(&mut self, name: &str) -> Option<&'static str> {
        let name = name.to_ascii_lowercase();
        let is_name = (1..=LONGEST).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_name || TAKEN.contains(&name.as_str()) {
            return None;
        }
        if let Some(known) = self.0.get(name.as_str()) {
            return Some(known);
        }
        if self.0.len() >= MOST_NAMES {
            return None;
        }
        let kept: &'static str = Box::leak(name.into_boxed_str());
        self.0.insert(kept);
        Some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tokens_in_lower_case_and_not_the_clients_own() {
        assert_eq!(HeaderName::find("X-Api-Key"), Some(HeaderName::X_API_KEY));
        let kept = |name| HeaderName::find(name).map(|name| name.as_str().as_ptr());
        assert_eq!(kept("x-api-key"), kept("X-API-KEY"), "kept once");
        let long = "a".repeat(LONGEST + 1);
        for wrong in ["", "x api", "x:api", "x-api-key\r\nhost: a", "schlüssel", "Host", "content-length", long.as_str()] {
            assert_eq!(HeaderName::find(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn so_many_names_are_taken_and_no_more() {
        let mut names = Names(BTreeSet::new());
        let taken = (0..MOST_NAMES * 2).filter(|number| names.take(&format!("x-many-{number}")).is_some()).count();
        assert_eq!(taken, MOST_NAMES);
        assert_eq!(names.take("X-Many-0"), Some("x-many-0"), "what is known is still taken");
    }
}
