//! One line: what it is, to whom it belongs, what is billed for it, what is scheduled, and all that happened to it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use lineshift_domain::ids::{CustomerRatePlanId, CustomerRatePoolId, DeviceId, RevCustomerId, ServiceProviderId, SiteId};
use lineshift_domain::scopes::Action;
use lineshift_store::catalogue::{Names, Unnamed};
use lineshift_store::devices::{LineProduct, LineService};

use super::plan_queue::changes;
use super::story::{Story, Told};
use super::timeline::Event;
use crate::api::devices::{get_device, get_device_usage};
use crate::api::plan_queue::list_queue_entries;
use crate::portal::line_name::line_name;
use crate::portal::page::{When, answer};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::query::{NoParameters, Parameters, PathId};
use crate::views::{DeviceUsageView, DeviceView, Page, PlanQueueEntryView};

/// Of what waits for its date, how much is shown.
const SCHEDULED: &str = "50";

#[derive(Template)]
#[template(path = "line.html")]
struct LinePage {
    frame: Frame,
    address: String,
    /// How the portal calls it.
    name: String,
    is_archived: bool,
    facts: Facts,
    assignment: Facts,
    usage: Facts,
    services: Vec<ServiceShown>,
    scheduled: Vec<Scheduled>,
    /// Whether more is scheduled than is shown.
    more_scheduled: bool,
    events: Vec<Event>,
    next: Option<String>,
}

/// What is known of something: each by its name.
type Facts = Vec<(&'static str, String)>;

/// What is billed.
struct ServiceShown {
    name: String,
    charged: Vec<String>,
}

/// What waits for its date.
struct Scheduled {
    at: When,
    changes: Vec<String>,
    change: i64,
}

/// What stands on the page, with the names of all that stands there by its id.
struct Known {
    line: DeviceView,
    usage: Option<DeviceUsageView>,
    services: Vec<LineService>,
    scheduled: Page<PlanQueueEntryView>,
    story: Story,
    names: Names,
}

/// `GET /{portal}/lines/{id}`
pub(in crate::portal) async fn show(
    viewer: Viewer,
    Path((portal, id)): Path<(String, String)>,
    mut parameters: Parameters,
) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    viewer.caller.require(portal.into(), Action::View)?;
    let id: i64 = id.parse().map_err(|_| ApiProblem::not_found())?;
    let told = Told { happened: parameters.cursor("after"), asked: parameters.cursor("asked_after") };
    parameters.finish()?;
    let Known { line, usage, services, scheduled, story, names } = known(&viewer, id, told).await?;
    let name = line_name(portal.first_identifier(), Some(&line.iccid), line.subscriber_number.as_deref());
    let page = LinePage {
        frame: viewer.frame(format!("Line {name}"), Some(portal), Place::Lines)?,
        address: format!("/{}/lines/{id}", segment(portal)),
        is_archived: line.is_archived,
        facts: facts(&viewer, &line, &names),
        assignment: assignment(&viewer, &line, &names),
        usage: usage.map(|usage| used(&viewer, &usage)).unwrap_or_default(),
        services: services.into_iter().map(|service| billed(&viewer, service, &names)).collect(),
        more_scheduled: scheduled.next.is_some(),
        scheduled: scheduled
            .items
            .into_iter()
            .map(|entry| Scheduled {
                at: viewer.when(entry.effective_date.utc),
                changes: changes(&entry, &names),
                change: entry.bulk_change_id,
            })
            .collect(),
        next: story.next.map(|told| told.parameters()),
        events: story.events(&viewer, &names),
        name,
    };
    Ok(answer(&page))
}

async fn known(viewer: &Viewer, id: i64, told: Told) -> Result<Known, ApiProblem> {
    let (web, caller) = (|| State(viewer.web.clone()), || viewer.caller.clone());
    let line = get_device(web(), caller(), PathId(id), NoParameters).await?.0;
    let usage = get_device_usage(web(), caller(), PathId(id), NoParameters).await.ok().map(|usage| usage.0);
    let of_line = [("device_id".to_owned(), id.to_string()), ("limit".to_owned(), SCHEDULED.to_owned())];
    let story = Story::read(viewer, DeviceId(id), told).await?;
    let scheduled = list_queue_entries(web(), caller(), Parameters::of_pairs(of_line.into())).await?.0;
    let (store, reach) = (viewer.web.engine.store(), &viewer.caller.rights.reach);
    let mut services = store.list_line_services(viewer.caller.tenant, DeviceId(id)).await?;
    // Of another customer, who had the line before, only who reaches that customer may know.
    let own = line.assignment.rev_customer_id.map(RevCustomerId);
    services.retain(|service| Some(service.rev_customer_id) == own || reach.reaches_customer(service.rev_customer_id));
    let mut unnamed = unnamed(&line);
    unnamed.rev_customers.extend(services.iter().map(|service| service.rev_customer_id));
    for entry in &scheduled.items {
        unnamed.customer_rate_plans.extend(entry.customer_rate_plan_id.map(CustomerRatePlanId));
        unnamed.customer_rate_pools.extend(entry.customer_rate_pool_id.map(CustomerRatePoolId));
    }
    story.add_unnamed(&mut unnamed);
    let names = store.find_names(viewer.caller.tenant, &unnamed).await?;
    Ok(Known { line, usage, services, scheduled, story, names })
}

fn unnamed(line: &DeviceView) -> Unnamed {
    let given = &line.assignment;
    Unnamed {
        rev_customers: given.rev_customer_id.map(RevCustomerId).into_iter().collect(),
        sites: given.site_id.map(SiteId).into_iter().collect(),
        service_providers: [ServiceProviderId(line.service_provider_id)].into(),
        customer_rate_plans: given.customer_rate_plan_id.map(CustomerRatePlanId).into_iter().collect(),
        customer_rate_pools: given.customer_rate_pool_id.map(CustomerRatePoolId).into_iter().collect(),
    }
}

fn or_none(name: Option<&String>) -> String {
    name.cloned().unwrap_or_else(|| "none".to_owned())
}

fn facts(viewer: &Viewer, line: &DeviceView, names: &Names) -> Facts {
    vec![
        ("ICCID", line.iccid.clone()),
        ("Number", or_none(line.subscriber_number.as_ref())),
        ("IMEI", line.imei.clone().unwrap_or_else(|| "unknown".to_owned())),
        ("Service provider", or_none(names.service_providers.get(&ServiceProviderId(line.service_provider_id)))),
        ("Status", line.status.clone()),
        ("Carrier rate plan", or_none(line.carrier_rate_plan.as_ref())),
        ("Activated", line.activated_at.map_or_else(|| "unknown".to_owned(), |at| viewer.when(at).text)),
    ]
}

fn assignment(viewer: &Viewer, line: &DeviceView, names: &Names) -> Facts {
    let given = &line.assignment;
    let site = given.site_id.and_then(|id| names.sites.get(&SiteId(id)));
    let customer = given.rev_customer_id.and_then(|id| names.rev_customers.get(&RevCustomerId(id)));
    let plan = given.customer_rate_plan_id.and_then(|id| names.customer_rate_plans.get(&CustomerRatePlanId(id)));
    let pool = given.customer_rate_pool_id.and_then(|id| names.customer_rate_pools.get(&CustomerRatePoolId(id)));
    let allocation = given.customer_data_allocation_mb.map(|mb| format!("{mb} MB"));
    vec![
        // A site without a customer is one itself.
        ("Customer", or_none(if given.rev_customer_id.is_some() { customer } else { site })),
        ("Site", or_none(site)),
        ("Account number", or_none(given.account_number.as_ref())),
        ("Customer rate plan", or_none(plan)),
        ("Customer rate pool", or_none(pool)),
        ("Allocation", or_none(allocation.as_ref())),
        ("Effective", given.effective_date.as_ref().map_or_else(|| "unknown".to_owned(), |at| viewer.when(at.utc).text)),
        ("Changed by", format!("{}, {}", given.modified_by, viewer.when(given.modified_at).text)),
    ]
}

fn used(viewer: &Viewer, usage: &DeviceUsageView) -> Facts {
    // Carriers count in thousands.
    let megabytes = usage.data_bytes / 1_000_000;
    let tenth = usage.data_bytes % 1_000_000 / 100_000;
    let mut facts = vec![("Data, cycle to date", format!("{megabytes}.{tenth} MB"))];
    facts.extend(usage.sms_count.map(|count| ("Messages", count.to_string())));
    facts.extend(usage.voice_seconds.map(|seconds| ("Voice", format!("{} min", seconds.div_euclid(60)))));
    facts.push(("Read", viewer.when(usage.at).text));
    facts
}

fn billed(viewer: &Viewer, service: LineService, names: &Names) -> ServiceShown {
    let customer =
        names.rev_customers.get(&service.rev_customer_id).cloned().unwrap_or_else(|| service.rev_customer_id.to_string());
    let since = service.activated_date.map(|at| format!(", since {}", viewer.when(at).text)).unwrap_or_default();
    let mut charged: Vec<String> = service.products.into_iter().map(charge).collect();
    if service.has_package && charged.is_empty() {
        charged.push("a package".to_owned());
    }
    ServiceShown { name: format!("Service {} of {customer}{since}", service.rev_service_id), charged }
}

fn charge(product: LineProduct) -> String {
    let LineProduct { rev_product_id, package_id, rate, quantity, status, description } = product;
    let what = description.unwrap_or_else(|| format!("product {rev_product_id}"));
    let package = package_id.map(|id| format!(" of package {id}")).unwrap_or_default();
    let price = match (rate, quantity) {
        (Some(rate), Some(quantity)) => format!("{quantity} x {rate}"),
        (Some(rate), None) => rate.to_string(),
        (None, _) => "rate unknown".to_owned(),
    };
    format!("{what}{package}: {price} ({})", status.to_lowercase())
}
