//! Cursors: the key after which a page begins, as one opaque word.
//!
//! A cursor names its list, so that one of another list is refused instead of showing some other page.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::DateTime;
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{
    BulkChangeId, CustomerRatePlanId, CustomerRatePoolId, DeviceChangeId, DeviceId, IntegrationAuthenticationId, PrincipalId,
    RevCustomerId, RoleId, ServiceProviderId, SiteId, SyncRunId,
};
use lineshift_store::audit::AuditKey;
use lineshift_store::bulk_changes::LogKey;
use lineshift_store::devices::{HistoryKey, LineEventKey};
use lineshift_store::plan_queue::PlanQueueKey;
use lineshift_store::sync::FindingKey;

/// A key that travels as a cursor.
pub(crate) trait Cursor: Sized {
    /// The key as words.
    fn words(&self) -> Vec<String>;
    /// The key of those words; none if they are not of it.
    fn of_words(words: &[&str]) -> Option<Self>;

    /// The opaque word.
    fn encode(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.words().join(":"))
    }

    /// Reads an opaque word; none if it is not one of this list.
    fn decode(word: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(word).ok()?).ok()?;
        let words: Vec<&str> = text.split(':').collect();
        Self::of_words(&words)
    }
}

macro_rules! cursor_of_id {
    ($($id:ident $name:literal;)*) => {$(
        impl Cursor for $id {
            fn words(&self) -> Vec<String> {
                vec![$name.to_owned(), self.0.to_string()]
            }
            fn of_words(words: &[&str]) -> Option<Self> {
                let [$name, id] = words else { return None };
                number(id).map(Self)
            }
        }
    )*};
}

cursor_of_id! {
    BulkChangeId "bulk_change";
    DeviceId "device";
    DeviceChangeId "row";
    ServiceProviderId "service_provider";
    SiteId "site";
    RevCustomerId "customer";
    CustomerRatePlanId "customer_rate_plan";
    CustomerRatePoolId "customer_rate_pool";
    IntegrationAuthenticationId "integration_authentication";
    SyncRunId "sync_run";
    PrincipalId "principal";
    RoleId "role";
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number| *number >= 0)
}

/// Device changes: by code where errors are listed.
impl Cursor for (Option<Code>, DeviceChangeId) {
    fn words(&self) -> Vec<String> {
        vec!["device_change".to_owned(), self.0.map_or("", Code::as_str).to_owned(), self.1.to_string()]
    }

    fn of_words(words: &[&str]) -> Option<Self> {
        let ["device_change", code, id] = words else { return None };
        let code = if code.is_empty() { None } else { Some(code.parse().ok()?) };
        Some((code, DeviceChangeId(number(id)?)))
    }
}

impl Cursor for LogKey {
    fn words(&self) -> Vec<String> {
        vec!["log".to_owned(), self.device_change_id.to_string(), self.attempt.to_string(), self.entry.to_string()]
    }

    fn of_words(words: &[&str]) -> Option<Self> {
        let ["log", device_change_id, attempt, entry] = words else { return None };
        Some(Self { device_change_id: number(device_change_id)?, attempt: number(attempt)?, entry: number(entry)? })
    }
}

impl Cursor for AuditKey {
    fn words(&self) -> Vec<String> {
        vec!["audit".to_owned(), self.at.timestamp_micros().to_string(), self.request_id.clone()]
    }

    fn of_words(words: &[&str]) -> Option<Self> {
        let ["audit", at, request_id] = words else { return None };
        let at = DateTime::from_timestamp_micros(at.parse().ok()?)?;
        let is_id = request_id.len() == 16 && request_id.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_id.then(|| Self { at, request_id: (*request_id).to_owned() })
    }
}

impl Cursor for HistoryKey {
    fn words(&self) -> Vec<String> {
        let numbers = [self.at, self.bulk_change_id, self.attempt, self.entry];
        std::iter::once("history".to_owned()).chain(numbers.iter().map(ToString::to_string)).collect()
    }

    fn of_words(words: &[&str]) -> Option<Self> {
        let ["history", at, bulk_change_id, attempt, entry] = words else { return None };
        let bulk_change_id = number(bulk_change_id)?;
        // Times before 1970 are negative.
        Some(Self { at: at.parse().ok()?, bulk_change_id, attempt: number(attempt)?, entry: number(entry)? })
    }
}

impl Cursor for LineEventKey {
    fn words(&self) -> Vec<String> {
        let numbers = [self.at, self.kind, self.row];
        std::iter::once("line_event".to_owned()).chain(numbers.iter().map(ToString::to_string)).collect()
    }

    fn of_words(words: &[&str]) -> Option<Self> {
        let ["line_event", at, kind, row] = words else { return None };
        Some(Self { at: at.parse().ok()?, kind: number(kind)?, row: number(row)? })
    }
}

impl Cursor for PlanQueueKey {
    fn words(&self) -> Vec<String> {
        vec!["plan_queue".to_owned(), self.effective_date.to_string(), self.id.to_string()]
    }

    fn of_words(words: &[&str]) -> Option<Self> {
        let ["plan_queue", effective_date, id] = words else { return None };
        Some(Self { effective_date: effective_date.parse().ok()?, id: number(id)? })
    }
}

impl Cursor for FindingKey {
    fn words(&self) -> Vec<String> {
        vec!["finding".to_owned(), self.kind.to_string(), self.subject.to_string(), self.subject_id.to_string()]
    }

    fn of_words(words: &[&str]) -> Option<Self> {
        let ["finding", kind, subject, id] = words else { return None };
        Some(Self { kind: kind.parse().ok()?, subject: subject.parse().ok()?, subject_id: number(id)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineshift_domain::sync::{FindingKind, FindingSubject};

    #[test]
    fn every_key_is_read_back() {
        assert_eq!(DeviceId::decode(&DeviceId(i64::MAX).encode()), Some(DeviceId(i64::MAX)));
        for key in [(None, DeviceChangeId(9)), (Some(Code::DeviceNotFound), DeviceChangeId(9))] {
            assert_eq!(Cursor::decode(&key.encode()), Some(key));
        }
        let log = LogKey { device_change_id: 1, attempt: 2, entry: 3 };
        assert_eq!(Cursor::decode(&log.encode()), Some(log));
        let history = HistoryKey { at: -1, bulk_change_id: 2, attempt: 3, entry: 4 };
        assert_eq!(Cursor::decode(&history.encode()), Some(history));
        let finding = FindingKey { kind: FindingKind::Gone, subject: FindingSubject::Service, subject_id: 5 };
        assert_eq!(Cursor::decode(&finding.encode()), Some(finding));
        let event = LineEventKey { at: -1, kind: 2, row: 3 };
        assert_eq!(Cursor::decode(&event.encode()), Some(event));
        let queue = PlanQueueKey { effective_date: 1, id: 2 };
        assert_eq!(Cursor::decode(&queue.encode()), Some(queue));
    }

    #[test]
    fn nonsense_and_cursors_of_other_lists_are_refused() {
        let word = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        for text in ["device:", "device:x", "device:-1", "device:1:2", "site:1", "device:99999999999999999999", "", ":"] {
            assert_eq!(DeviceId::decode(&word(text)), None, "{text:?}");
        }
        assert_eq!(DeviceId::decode("!!"), None);
        assert_eq!(DeviceId::decode(&SiteId(1).encode()), None);
        assert_eq!(<(Option<Code>, DeviceChangeId)>::decode(&word("device_change:nonsense:1")), None);
    }
}
