//! Whether a page may still be run for whoever it is run for (B5.3).

use lineshift_domain::codes::Code;
use lineshift_domain::facts::LineFacts;
use lineshift_domain::judge::Reason;
use lineshift_domain::reach::Reach;
use lineshift_domain::scopes::{Action, Module};
use lineshift_store::bulk_changes::BulkChangeView;
use lineshift_store::work::OrderFacts;

use super::Stop;

/// Whether the orderer, or who started or retried the change, may still do so (B5.3).
pub(super) fn has_rights(order: &OrderFacts) -> bool {
    let Some(rights) = &order.orderer_rights else { return false };
    let module = Module::from(order.change.portal);
    rights.allow(module, needed(order)) && reaches_order(&rights.reach, &order.change)
}

/// What was needed for that by which the rows are open: `create` to order them, `edit` to retry them or to start what somebody else
/// ordered. Whoever started what they ordered themselves needs what they would need to order it at once.
fn needed(order: &OrderFacts) -> Action {
    if order.change.attempt == 1 && order.runs_as_orderer { Action::Create } else { Action::Edit }
}

/// Why nothing more is done for somebody who lost what they ordered by.
pub(super) fn rights_lost() -> Stop {
    let text = "whoever ordered this may do so no longer: the key was revoked or has expired, the person left, or a permission or the \
        right to these lines was taken away; order as somebody who may";
    Stop::Refused(Reason::new(Code::RightsLost, text))
}

/// Whether a line as it stands is within reach.
pub(crate) fn reaches_line(reach: &Reach, facts: &LineFacts) -> bool {
    reach.reaches_line(facts.service_provider_id, facts.assignment.rev_customer_id, facts.assignment.site_id)
}

/// Whether what the order names is within reach: its provider, and where it assigns lines to.
fn reaches_order(reach: &Reach, change: &BulkChangeView) -> bool {
    let assigns = change.order.assignment();
    reach.reaches_provider(change.service_provider_id)
        && assigns.is_none_or(|assigned| reach.reaches_site(assigned.site_id, assigned.rev_customer_id))
}
