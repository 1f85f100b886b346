//! The kinds of reference data: how each is listed, shown, made and changed by the functions behind the API, and what its fields are.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;
use lineshift_domain::ids::RevCustomerId;
use lineshift_domain::scopes::{Action, Module};
use lineshift_domain::terms::IntegrationKind;
use lineshift_store::catalogue::Unnamed;
use serde::Serialize;
use serde_json::Value;

use super::{CHOICES, all, yes};
use crate::Web;
use crate::api::reference;
use crate::credentials::known_kinds;
use crate::portal::fields::{Choice, Field, Kind as Holds};
use crate::portal::viewer::Viewer;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, Parameters, PathId};
use crate::views::Page;

/// A kind of reference data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::portal) enum Kind {
    Integrations,
    ServiceProviders,
    Customers,
    Sites,
    CustomerRatePlans,
    CustomerRatePools,
}

/// All of them.
pub(super) const ALL: [Kind; 6] =
    [Kind::Integrations, Kind::ServiceProviders, Kind::Customers, Kind::Sites, Kind::CustomerRatePlans, Kind::CustomerRatePools];

/// Which kind a page is about stands in its address.
impl FromRequestParts<Web> for Kind {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, ApiProblem> {
        let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let segment = path.strip_prefix("/admin/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
        ALL.into_iter().find(|kind| kind.segment() == segment).ok_or_else(ApiProblem::not_found)
    }
}

impl Kind {
    /// How it stands in addresses.
    pub(super) const fn segment(self) -> &'static str {
        match self {
            Self::Integrations => "integrations",
            Self::ServiceProviders => "service-providers",
            Self::Customers => "customers",
            Self::Sites => "sites",
            Self::CustomerRatePlans => "customer-rate-plans",
            Self::CustomerRatePools => "customer-rate-pools",
        }
    }

    /// The address of its list.
    pub(super) fn address(self) -> String {
        format!("/admin/{}", self.segment())
    }

    /// What many are called.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Integrations => "Integrations",
            Self::ServiceProviders => "Service providers",
            Self::Customers => "Customers",
            Self::Sites => "Sites",
            Self::CustomerRatePlans => "Customer rate plans",
            Self::CustomerRatePools => "Customer rate pools",
        }
    }

    /// What the link to a new one says.
    pub(super) const fn new_one(self) -> &'static str {
        match self {
            Self::Integrations => "New integration",
            Self::ServiceProviders => "New service provider",
            Self::Customers => "New customer",
            Self::Sites => "New site",
            Self::CustomerRatePlans => "New customer rate plan",
            Self::CustomerRatePools => "New customer rate pool",
        }
    }

    /// By what the lines of one are sought; none: lines are not sought by it.
    pub(super) const fn lines_by(self) -> Option<&'static str> {
        match self {
            Self::Integrations | Self::CustomerRatePools => None,
            Self::ServiceProviders => Some("service_provider_id"),
            Self::Customers => Some("rev_customer_id"),
            Self::Sites => Some("site_id"),
            Self::CustomerRatePlans => Some("customer_rate_plan_id"),
        }
    }

    /// What is said above its list.
    pub(super) const fn intro(self) -> &'static str {
        match self {
            Self::Integrations => "Accounts at billing systems and carriers.",
            Self::ServiceProviders => "Carrier accounts that lines belong to.",
            Self::Customers => "Customers of Rev.io, by its ids. A synchronisation brings them here.",
            Self::Sites => "Where lines are booked. A site without a customer is a customer itself.",
            Self::CustomerRatePlans => "What customers pay.",
            Self::CustomerRatePools => "Data that lines share.",
        }
    }

    /// The columns of its list behind name and id.
    pub(super) fn columns(self) -> Vec<&'static str> {
        let own: &[&str] = match self {
            Self::Integrations => &["Kind"],
            Self::ServiceProviders => &["Kind", "Integration", "May be written to"],
            Self::Customers => &["Integration"],
            Self::Sites => &["Customer"],
            Self::CustomerRatePlans => &["A month", "Allocation (MB)", "At most (MB)", "Rev product"],
            Self::CustomerRatePools => &[],
        };
        ["Name", "Id"].into_iter().chain(own.iter().copied()).chain(["Active"]).collect()
    }

    /// The cells of a row behind its name.
    pub(super) fn cells(self, thing: &Value, names: &Names) -> Vec<String> {
        let text = |name: &str| match &thing[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Bool(is_so) => yes(*is_so).to_owned(),
            other => other.to_string(),
        };
        let of = |known: &BTreeMap<i64, String>, name: &str| {
            thing[name].as_i64().map(|id| known.get(&id).cloned().unwrap_or_else(|| id.to_string())).unwrap_or_default()
        };
        let own = match self {
            Self::Integrations => vec![text("integration_kind")],
            Self::ServiceProviders => {
                let account = of(&names.integrations, "integration_authentication_id");
                vec![text("integration_kind"), account, text("write_enabled")]
            }
            Self::Customers => vec![of(&names.integrations, "integration_authentication_id")],
            Self::Sites => vec![of(&names.customers, "rev_customer_id")],
            Self::CustomerRatePlans => {
                ["monthly_price", "allocation_default_mb", "allocation_bound_mb", "rev_product_id"].map(text).to_vec()
            }
            Self::CustomerRatePools => Vec::new(),
        };
        [text("id")].into_iter().chain(own).chain([text("is_active")]).collect()
    }

    /// The fields of one; `present` is what it is now, if it is there.
    pub(super) fn fields(self, viewer: &Viewer, choices: &Choices, is_new: bool) -> Vec<Field> {
        let name = Field::new("name", "Name", Holds::Text);
        let is_active = |help: &str| Field::new("is_active", "Active", Holds::Flag(true)).with_help(help);
        let orders = || is_active("Orders may name it.");
        let optional = || Holds::Number { is_required: false, suggestions: Vec::new() };
        match self {
            Self::Integrations => {
                let kind = Field::new("integration_kind", "Kind", Holds::Term(kinds(viewer, false)));
                vec![name, kind, is_active("It may be used.")]
            }
            Self::ServiceProviders => {
                let account = Holds::Id { is_required: false, options: choices.integrations.clone() };
                let account = Field::new("integration_authentication_id", "Integration", account);
                let written = Field::new("write_enabled", "May be written to", Holds::Flag(false));
                vec![
                    name,
                    Field::new("integration_kind", "Kind", Holds::Term(kinds(viewer, true))),
                    account.with_help("The account with which the carrier is called, of the same kind."),
                    written.with_help("Whether orders may change anything at the carrier."),
                    orders(),
                ]
            }
            Self::Customers => {
                let id = Holds::Number { is_required: true, suggestions: Vec::new() };
                let id = is_new.then(|| Field::new("id", "Id", id).with_help("Rev.io's own."));
                let account = Holds::Id { is_required: true, options: choices.billing.clone() };
                let account = Field::new("integration_authentication_id", "Integration", account);
                let account = account.with_help("The Rev.io account that it belongs to.");
                id.into_iter().chain([name, account, orders()]).collect()
            }
            Self::Sites => {
                let customer = Holds::Number { is_required: false, suggestions: choices.customers.clone() };
                let customer = Field::new("rev_customer_id", "Customer", customer);
                vec![name, customer.with_help("By its id; none: the site is a customer itself."), orders()]
            }
            Self::CustomerRatePlans => vec![
                name,
                Field::new("monthly_price", "Price a month", Holds::Decimal),
                Field::new("allocation_default_mb", "Allocation (MB)", Holds::Decimal)
                    .with_help("What a line gets when none is ordered."),
                Field::new("allocation_bound_mb", "At most (MB)", Holds::Decimal).with_help("None: no bound."),
                Field::new("rev_product_id", "Rev product", optional()).with_help("The id of the Rev.io product that bills it."),
                orders(),
            ],
            Self::CustomerRatePools => vec![name, orders()],
        }
    }
}

fn kinds(viewer: &Viewer, carriers_only: bool) -> Vec<Choice> {
    let known = known_kinds(viewer.web.engine.carriers()).into_iter();
    known.filter(|kind| !carriers_only || kind.is_carrier()).map(|kind| Choice::new(kind.as_str(), kind.as_str())).collect()
}

/// What a form offers to choose from.
#[derive(Default)]
pub(super) struct Choices {
    integrations: Vec<Choice>,
    billing: Vec<Choice>,
    customers: Vec<Choice>,
}

impl Choices {
    /// What a kind's form needs.
    pub(super) async fn of(kind: Kind, viewer: &Viewer) -> Result<Self, ApiProblem> {
        let mut choices = Self::default();
        if matches!(kind, Kind::ServiceProviders | Kind::Customers) {
            for it in list(Kind::Integrations, viewer, all()).await?.items {
                let (id, name, of) = (&it["id"], it["name"].as_str(), it["integration_kind"].as_str());
                let choice = Choice::new(id, format!("{} ({})", name.unwrap_or_default(), of.unwrap_or_default()));
                let is_billing = of == Some(IntegrationKind::REV_IO.as_str());
                if is_billing { &mut choices.billing } else { &mut choices.integrations }.push(choice);
            }
        }
        if kind == Kind::Sites {
            let customers = list(Kind::Customers, viewer, all()).await?.items.into_iter();
            choices.customers = customers.map(|it| Choice::new(&it["id"], it["name"].as_str().unwrap_or_default())).collect();
        }
        Ok(choices)
    }
}

/// The names of what a list refers to.
#[derive(Default)]
pub(super) struct Names {
    pub(super) integrations: BTreeMap<i64, String>,
    customers: BTreeMap<i64, String>,
}

impl Names {
    /// Of what those things refer to.
    pub(super) async fn of(kind: Kind, viewer: &Viewer, things: &[Value]) -> Result<Self, ApiProblem> {
        let mut names = Self::default();
        if matches!(kind, Kind::ServiceProviders | Kind::Customers) {
            names.integrations = integration_names(viewer).await?;
        }
        let customers = things.iter().filter_map(|thing| thing["rev_customer_id"].as_i64()).map(RevCustomerId);
        let unnamed = Unnamed { rev_customers: customers.collect(), ..Unnamed::default() };
        if !unnamed.rev_customers.is_empty() {
            let found = viewer.web.engine.store().find_names(viewer.caller.tenant, &unnamed).await?;
            names.customers = found.rev_customers.into_iter().map(|(id, name)| (id.0, name)).collect();
        }
        Ok(names)
    }
}

/// What integrations are called; a tenant has a handful.
pub(super) async fn integration_names(viewer: &Viewer) -> Result<BTreeMap<i64, String>, ApiProblem> {
    let found = list(Kind::Integrations, viewer, all()).await?.items;
    let name = |it: &Value| Some((it["id"].as_i64()?, it["name"].as_str()?.to_owned()));
    debug_assert!(found.len() <= CHOICES, "as many as were asked for");
    Ok(found.iter().filter_map(name).collect())
}

/// Something as the API shows it.
pub(super) fn in_json(view: impl Serialize) -> Result<Value, ApiProblem> {
    serde_json::to_value(view).map_err(|error| {
        tracing::error!(%error, "a view cannot be written");
        ApiProblem::internal()
    })
}

macro_rules! endpoints {
    ($($kind:ident $module:ident $list:ident $get:ident $create:ident $update:ident;)*) => {
        /// A page of a kind's list.
        pub(super) async fn list(kind: Kind, viewer: &Viewer, asked: Parameters) -> Result<Page<Value>, ApiProblem> {
            let (web, caller) = (State(viewer.web.clone()), viewer.caller.clone());
            Ok(match kind { $(Kind::$kind => {
                let Page { items, next } = reference::$module::$list(web, caller, asked).await?.0;
                Page { items: items.into_iter().map(in_json).collect::<Result<_, _>>()?, next }
            })* })
        }

        /// One of a kind. Errors: 404.
        pub(super) async fn get(kind: Kind, viewer: &Viewer, id: PathId) -> Result<Value, ApiProblem> {
            let (web, caller) = (State(viewer.web.clone()), viewer.caller.clone());
            match kind { $(Kind::$kind => in_json(reference::$module::$get(web, caller, id, NoParameters).await?.0),)* }
        }

        /// Makes one; its id.
        pub(super) async fn create(kind: Kind, viewer: &Viewer, request: Request) -> Result<i64, ApiProblem> {
            viewer.caller.require(Module::Admin, Action::Create)?;
            let (web, caller) = (State(viewer.web.clone()), viewer.caller.clone());
            let answer = match kind { $(Kind::$kind => reference::$module::$create(web, caller, NoParameters, request).await?,)* };
            made_id(&answer)
        }

        /// Changes one.
        pub(super) async fn update(kind: Kind, viewer: &Viewer, id: PathId, request: Request) -> Result<(), ApiProblem> {
            let (web, caller) = (State(viewer.web.clone()), viewer.caller.clone());
            match kind { $(Kind::$kind => drop(reference::$module::$update(web, caller, id, NoParameters, request).await?),)* }
            Ok(())
        }
    };
}

endpoints! {
    Integrations integration_authentications list_integration_authentications get_integration_authentication
        create_integration_authentication update_integration_authentication;
    ServiceProviders service_providers list_service_providers get_service_provider create_service_provider update_service_provider;
    Customers customers list_rev_customers get_rev_customer create_rev_customer update_rev_customer;
    Sites sites list_sites get_site create_site update_site;
    CustomerRatePlans customer_rate_plans list_customer_rate_plans get_customer_rate_plan create_customer_rate_plan
        update_customer_rate_plan;
    CustomerRatePools customer_rate_pools list_customer_rate_pools get_customer_rate_pool create_customer_rate_pool
        update_customer_rate_pool;
}

/// The id at the end of an answer's `Location`.
pub(super) fn made_id(answer: &Response) -> Result<i64, ApiProblem> {
    let location = answer.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    location.and_then(|location| location.rsplit('/').next()?.parse().ok()).ok_or_else(ApiProblem::internal)
}
