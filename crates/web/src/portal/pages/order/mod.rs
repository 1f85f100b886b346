//! Ordering: what is to be done with the chosen lines, a form for it, a preview before anything is stored, and the order itself.
//!
//! A form is judged by the API's own reader and by the engine, as a request is; its fields are called as the API calls them, so that what
//! is wrong is said beside the field. Nothing of a preview is kept between two requests: the form carries what was typed, and the
//! digest of the judgement that was seen.

mod choose;
mod chosen;
mod confirm;
mod customers;
mod fields;
mod form;
mod lines;
mod offers;
mod preview;
mod summary;
mod taken_out;
mod typed;

use lineshift_domain::scopes::Action;
use lineshift_domain::terms::{ChangeRequestType, PortalType};
use lineshift_store::catalogue::ServiceProvider;

pub(in crate::portal) use choose::choose;
pub(in crate::portal) use confirm::confirm;
pub(in crate::portal) use customers::find;
pub(in crate::portal) use form::ask;
pub(in crate::portal) use preview::look;

use crate::portal::viewer::{Viewer, segment};
use crate::problem::ApiProblem;

/// What can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Assign,
    CustomerRatePlan,
    CarrierRatePlan,
    Status,
}

impl Act {
    const ALL: [Self; 4] = [Self::Assign, Self::CustomerRatePlan, Self::CarrierRatePlan, Self::Status];

    /// How it stands in addresses.
    const fn segment(self) -> &'static str {
        match self {
            Self::Assign => "assign",
            Self::CustomerRatePlan => "customer-rate-plan",
            Self::CarrierRatePlan => "carrier-rate-plan",
            Self::Status => "status",
        }
    }

    /// What an address names. Errors: 404.
    fn of(given: &str) -> Result<Self, ApiProblem> {
        Self::ALL.into_iter().find(|act| act.segment() == given).ok_or_else(ApiProblem::not_found)
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Assign => "Assign to a customer",
            Self::CustomerRatePlan => "Change customer rate plan",
            Self::CarrierRatePlan => "Change carrier rate plan",
            Self::Status => "Change status",
        }
    }

    /// What it is for, in a sentence.
    const fn purpose(self) -> &'static str {
        match self {
            Self::Assign => "Hand the lines to a customer and a site; open billing services and set plans with it.",
            Self::CustomerRatePlan => "Another plan, pool or allocation for what the customer pays.",
            Self::CarrierRatePlan => "Another plan at the carrier.",
            Self::Status => "Activate, suspend or end the lines at the carrier.",
        }
    }

    const fn change_type(self) -> ChangeRequestType {
        match self {
            Self::Assign => ChangeRequestType::CustomerAssignment,
            Self::CustomerRatePlan => ChangeRequestType::CustomerRatePlanChange,
            Self::CarrierRatePlan => ChangeRequestType::CarrierRatePlanChange,
            Self::Status => ChangeRequestType::StatusUpdate,
        }
    }

    /// The field of the request in which it stands (B4.3).
    const fn part(self) -> &'static str {
        match self {
            Self::Assign => "AssociateCustomerRequest",
            Self::CustomerRatePlan => "CustomerRatePlanUpdate",
            Self::CarrierRatePlan => "CarrierRatePlanUpdate",
            Self::Status => "StatusUpdate",
        }
    }

    /// Whether it is worth offering: the carrier must be able to do it, and may be asked. Whoever asks for it all the same is refused by
    /// the engine, which says why.
    fn is_offered(self, viewer: &Viewer, provider: &ServiceProvider) -> bool {
        let abilities = viewer.web.engine.abilities(provider.integration_kind);
        let callable = provider.write_enabled && provider.integration_authentication_id.is_some();
        match self {
            Self::Assign | Self::CustomerRatePlan => provider.is_active,
            Self::CarrierRatePlan => provider.is_active && callable && abilities.is_some_and(|able| able.rate_plan.is_some()),
            Self::Status => provider.is_active && callable && abilities.is_some_and(|able| able.status.is_some()),
        }
    }
}

/// Where ordering begins in a portal.
fn address(portal: PortalType) -> String {
    format!("/{}/order", segment(portal))
}

/// Refuses whoever may not order in that portal.
fn require(viewer: &Viewer, portal: PortalType) -> Result<(), ApiProblem> {
    Ok(viewer.caller.require(portal.into(), Action::Create)?)
}
