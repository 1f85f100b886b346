//! The lines of a tenant: a grid that costs the same on its first and its last page.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use lineshift_domain::ids::{CustomerRatePlanId, RevCustomerId, ServiceProviderId, SiteId};
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_store::catalogue::{Names, Unnamed};

use crate::api::devices::list_devices;
use crate::portal::address::{given, with_parameter};
use crate::portal::page::answer;
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::query::Parameters;
use crate::views::DeviceView;

/// Lines of a page.
const LINES: usize = 50;

/// What a line is sought by, as the API calls it, and as people do.
const FILTERS: [(&str, &str); 6] = [
    ("iccid", "ICCID"),
    ("number", "Number"),
    ("rev_customer_id", "Customer"),
    ("site_id", "Site"),
    ("service_provider_id", "Service provider"),
    ("customer_rate_plan_id", "Customer rate plan"),
];

#[derive(Template)]
#[template(path = "lines.html")]
struct LinesPage {
    frame: Frame,
    address: String,
    filters: Vec<FilterShown>,
    /// What is sought by, as words; none: all lines.
    sought: Option<(String, String)>,
    refused: Option<String>,
    lines: Vec<LineRow>,
    next: Option<String>,
    /// Whether lines of this portal are known by their numbers first.
    by_number: bool,
}

/// A field of the search.
struct FilterShown {
    name: &'static str,
    label: &'static str,
    value: String,
}

/// A line in the grid.
struct LineRow {
    id: i64,
    iccid: String,
    number: String,
    status: String,
    customer: String,
    site: String,
    provider: String,
    plan: String,
    carrier_plan: String,
    is_archived: bool,
}

/// `GET /{portal}/lines`
pub(in crate::portal) async fn list(viewer: Viewer, Path(portal): Path<String>, uri: Uri) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    viewer.caller.require(portal.into(), Action::View)?;
    let given = given(&uri);
    let asked = Parameters::of_pairs(given.iter().cloned().chain([("limit".to_owned(), LINES.to_string())]).collect());
    let listed = list_devices(State(viewer.web.clone()), viewer.caller.clone(), asked).await;
    // What is sought wrongly is said beside the field, and the field keeps it.
    let (listed, refused) = match listed {
        Ok(listed) => (listed.0, None),
        Err(problem) if problem.status().is_client_error() && problem.has_errors() => {
            (crate::views::Page { items: Vec::new(), next: None }, Some(problem.detail()))
        }
        Err(problem) => return Err(problem.into()),
    };
    let names = names_of(&viewer, &listed.items).await?;
    let address = format!("/{}/lines", segment(portal));
    let value = |name: &str| given.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone());
    let page = LinesPage {
        frame: viewer.frame("Lines", Some(portal), Place::Lines)?,
        filters: FILTERS
            .iter()
            .filter(|(name, _)| offered(portal, name))
            .map(|(name, label)| FilterShown { name, label, value: value(name).unwrap_or_default() })
            .collect(),
        sought: FILTERS.iter().find_map(|(name, label)| Some(((*label).to_owned(), value(name)?))),
        refused,
        lines: listed.items.into_iter().map(|line| row(line, &names)).collect(),
        next: listed.next.map(|next| with_parameter(&address, &given, "after", &next)),
        by_number: portal == PortalType::Lnp,
        address,
    };
    Ok(answer(&page))
}

/// Whether a portal's lines are sought by that.
fn offered(portal: PortalType, filter: &str) -> bool {
    match filter {
        "iccid" => portal.knows_lines_by(LineIdentifier::Iccid),
        "number" => portal.knows_lines_by(LineIdentifier::Number),
        _ => true,
    }
}

/// The names of everything that stands by its id in those lines, asked for at once.
async fn names_of(viewer: &Viewer, lines: &[DeviceView]) -> Result<Names, ApiProblem> {
    fn all<T: Ord>(lines: &[DeviceView], of: impl Fn(&DeviceView) -> Option<T>) -> BTreeSet<T> {
        lines.iter().filter_map(of).collect()
    }
    let unnamed = Unnamed {
        rev_customers: all(lines, |line| line.assignment.rev_customer_id.map(RevCustomerId)),
        sites: all(lines, |line| line.assignment.site_id.map(SiteId)),
        service_providers: all(lines, |line| Some(ServiceProviderId(line.service_provider_id))),
        customer_rate_plans: all(lines, |line| line.assignment.customer_rate_plan_id.map(CustomerRatePlanId)),
        ..Unnamed::default()
    };
    Ok(viewer.web.engine.store().find_names(viewer.caller.tenant, &unnamed).await?)
}

fn row(line: DeviceView, names: &Names) -> LineRow {
    let assignment = line.assignment;
    let customer = assignment.rev_customer_id.and_then(|id| names.rev_customers.get(&RevCustomerId(id)).cloned());
    let site = assignment.site_id.and_then(|id| names.sites.get(&SiteId(id)).cloned());
    let plan = assignment.customer_rate_plan_id.and_then(|id| names.customer_rate_plans.get(&CustomerRatePlanId(id)).cloned());
    let provider = names.service_providers.get(&ServiceProviderId(line.service_provider_id)).cloned();
    LineRow {
        id: line.id,
        iccid: line.iccid,
        number: line.subscriber_number.unwrap_or_default(),
        status: line.status,
        customer: customer.unwrap_or_default(),
        site: site.unwrap_or_default(),
        provider: provider.unwrap_or_default(),
        plan: plan.unwrap_or_default(),
        carrier_plan: line.carrier_rate_plan.unwrap_or_default(),
        is_archived: line.is_archived,
    }
}
