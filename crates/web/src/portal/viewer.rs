//! Who looks at a page, and the frame that their pages have.

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use lineshift_domain::scopes::{Action, Module};
use lineshift_domain::terms::PortalType;
use lineshift_engine::Caller;
use lineshift_store::access::Tenant;

use super::page::{Bare, When};
use super::refused::PageRefused;
use super::send_again;
use crate::Web;
use crate::problem::ApiProblem;
use crate::sign_in::person::Person;

/// Somebody who is signed in and looks at a page. Keys see none: they have the API.
pub(super) struct Viewer {
    pub(super) web: Web,
    pub(super) person: Person,
    pub(super) caller: Caller,
    pub(super) tenant: Tenant,
}

impl FromRequestParts<Web> for Viewer {
    type Rejection = PageRefused;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, PageRefused> {
        let is_form = parts.method != Method::GET;
        let found = Self::find(parts, web).await;
        found.map_err(|problem| PageRefused::of(problem, &parts.uri, is_form))
    }
}

impl Viewer {
    async fn find(parts: &mut Parts, web: &Web) -> Result<Self, ApiProblem> {
        let person = Person::from_request_parts(parts, web).await?;
        let caller = person.caller();
        let tenant = web.engine.store().get_tenant(caller.tenant).await?;
        Ok(Self { web: web.clone(), person, caller, tenant })
    }

    /// The zone in which the tenant's days begin (B6.6).
    pub(super) const fn zone(&self) -> Tz {
        self.tenant.time_zone
    }

    /// A moment in the tenant's zone.
    pub(super) fn when(&self, at: DateTime<Utc>) -> When {
        When::new(at, self.zone())
    }

    /// Whether the viewer may do that.
    pub(super) fn may(&self, module: impl Into<Module>, action: Action) -> bool {
        self.caller.rights.allow(module.into(), action)
    }

    /// The portals that the viewer may look into.
    pub(super) fn portals(&self) -> impl Iterator<Item = PortalType> + '_ {
        [PortalType::M2M, PortalType::Mobility, PortalType::Lnp].into_iter().filter(|portal| self.may(*portal, Action::View))
    }

    /// The frame of a page in one of the portals, or in none.
    pub(super) fn frame(&self, title: impl Into<String>, portal: Option<PortalType>, place: Place) -> Result<Frame, ApiProblem> {
        let shown = portal.or_else(|| self.portals().next());
        Ok(Frame {
            bare: Bare::titled(title),
            csrf: send_again::token_of(&self.person)?,
            who: self.person.signed_in.display_name.clone(),
            email: self.person.signed_in.email.clone(),
            tenant: self.tenant.name.clone(),
            zone: self.tenant.time_zone.to_string(),
            portals: self.portals().map(|each| PortalLink::new(each, Some(each) == shown && !place.is_apart(), place)).collect(),
            portal: shown.map(segment),
            may_administrate: self.may(Module::Admin, Action::View),
            place,
        })
    }
}

/// Which entry of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Home,
    Lines,
    BulkChanges,
    PlanQueue,
    /// A page of Admin, by how it stands in addresses; empty: the first one.
    Admin(&'static str),
    /// One's own account and tenants.
    Own,
}

/// The pages of Admin: how they stand in addresses, and what they are called.
pub(super) const ADMIN_PLACES: &[(&str, &str)] = &[
    ("", "Overview"),
    ("users", "Users"),
    ("roles", "Roles"),
    ("api-keys", "API keys"),
    ("integrations", "Integrations"),
    ("sync-runs", "Synchronisations"),
    ("service-providers", "Service providers"),
    ("customers", "Customers"),
    ("sites", "Sites"),
    ("customer-rate-plans", "Customer rate plans"),
    ("customer-rate-pools", "Customer rate pools"),
    ("carrier-rate-plans", "Carrier rate plans"),
    ("audit", "Audit log"),
    ("settings", "Settings"),
];

impl Place {
    /// How it stands in addresses.
    const fn segment(self) -> &'static str {
        match self {
            Self::Home => "",
            Self::Lines => "lines",
            Self::BulkChanges => "bulk-changes",
            Self::PlanQueue => "plan-queue",
            Self::Admin(_) => "admin",
            Self::Own => "account",
        }
    }

    /// Whether it is in none of the portals.
    const fn is_apart(self) -> bool {
        matches!(self, Self::Admin(_) | Self::Own)
    }
}

/// A portal within the navigation.
pub(super) struct PortalLink {
    pub(super) name: &'static str,
    pub(super) address: String,
    pub(super) is_shown: bool,
}

impl PortalLink {
    /// Another portal's page of the same kind.
    fn new(portal: PortalType, is_shown: bool, place: Place) -> Self {
        let page = if place == Place::Home || place.is_apart() { Place::Lines } else { place }.segment();
        Self { name: portal.as_str(), address: format!("/{}/{page}", segment(portal)), is_shown }
    }
}

/// How a portal stands in addresses of pages.
pub(super) const fn segment(portal: PortalType) -> &'static str {
    match portal {
        PortalType::M2M => "m2m",
        PortalType::Mobility => "mobility",
        PortalType::Lnp => "lnp",
    }
}

/// The portal that an address names. Errors: 404.
pub(super) fn portal_of(segment_given: &str) -> Result<PortalType, ApiProblem> {
    PortalType::ALL.iter().copied().find(|portal| segment(*portal) == segment_given).ok_or_else(ApiProblem::not_found)
}

/// The frame of a page for somebody who is signed in.
pub(super) struct Frame {
    pub(super) bare: Bare,
    /// What forms and scripts show against forged requests.
    pub(super) csrf: String,
    pub(super) who: String,
    pub(super) email: String,
    pub(super) tenant: String,
    pub(super) zone: String,
    pub(super) portals: Vec<PortalLink>,
    /// The portal whose pages the navigation leads to.
    pub(super) portal: Option<&'static str>,
    /// Whether the viewer may look at what is administrated.
    pub(super) may_administrate: bool,
    place: Place,
}

impl Frame {
    /// Whether the page is at that place of the navigation.
    pub(super) fn is_at(&self, place: &str) -> bool {
        self.place.segment() == place
    }

    /// The pages of Admin, where this is one: address, name, and whether it is this one.
    pub(super) fn admin_places(&self) -> Vec<(String, &'static str, bool)> {
        let Place::Admin(shown) = self.place else { return Vec::new() };
        let address = |segment: &str| format!("/admin/{segment}").trim_end_matches('/').to_owned();
        ADMIN_PLACES.iter().map(|(segment, name)| (address(segment), *name, *segment == shown)).collect()
    }
}
