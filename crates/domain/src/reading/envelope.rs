//! What an order says about itself, whatever its type: for whose lines it is, whether it starts at once, its name.

use super::codes;
use super::fields::Fields;
use super::problems::Problems;

/// The names of these fields.
pub(super) const ENVELOPE: &[&str] = &["ServiceProviderId", "ProcessChanges", "Name", "Reason"];

const LONGEST_NAME: usize = 255;
const LONGEST_REASON: usize = 1000;

/// The values given; none where absent, or where a problem was reported.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) service_provider_id: Option<i64>,
    pub(super) process_changes: Option<bool>,
    pub(super) name: Option<String>,
    pub(super) reason: Option<String>,
    /// Whether the provider was given but could not be read.
    provider_reported: bool,
}

impl Envelope {
    /// Takes the fields out of an object.
    pub(super) fn read(fields: &mut Fields<'_>, problems: &mut Problems) -> Self {
        let provider_given = fields.is_given("ServiceProviderId");
        let start_given = fields.is_given("ProcessChanges");
        let service_provider_id = fields.id("ServiceProviderId", problems);
        Self {
            service_provider_id,
            provider_reported: provider_given && service_provider_id.is_none(),
            process_changes: fields.flag("ProcessChanges", true, problems).filter(|_| start_given),
            name: fields.text("Name", LONGEST_NAME, problems),
            reason: fields.text("Reason", LONGEST_REASON, problems),
        }
    }

    /// Reports a missing provider; one that could not be read was reported before.
    pub(super) fn require_provider(&self, fields: &Fields<'_>, problems: &mut Problems) {
        if self.service_provider_id.is_none() && !self.provider_reported {
            let message = "missing; give the id of the carrier account whose lines these are";
            fields.report("ServiceProviderId", codes::MISSING_FIELD, message, problems);
        }
    }

    /// Puts together what stands beside `ChangeType` with what stands inside `AssociateCustomerRequest`.
    pub(super) fn joined(self, inner: Self, inside: &Fields<'_>, problems: &mut Problems) -> Self {
        let mut differ = |name: &str| {
            let message = format!("{name} beside ChangeType says something else; give it once");
            inside.report(name, codes::CONFLICTING_FIELDS, message, problems);
        };
        Self {
            service_provider_id: either(self.service_provider_id, inner.service_provider_id, || differ("ServiceProviderId")),
            process_changes: either(self.process_changes, inner.process_changes, || differ("ProcessChanges")),
            name: either(self.name, inner.name, || differ("Name")),
            reason: either(self.reason, inner.reason, || differ("Reason")),
            provider_reported: self.provider_reported || inner.provider_reported,
        }
    }
}

fn either<T: PartialEq>(outer: Option<T>, inner: Option<T>, differ: impl FnOnce()) -> Option<T> {
    if outer.is_some() && inner.is_some() && outer != inner {
        differ();
    }
    outer.or(inner)
}
