//! The request of an order (B4.2, B4.3).

use std::path::Path;

use anyhow::{Context as _, Result};
use lineshift_web::views::{Page, ServiceProviderView};
use serde_json::{Map, Number, Value, json};

use super::lines::{read_input, read_lines};
use super::{OrderArgs, OrderType, Request};
use crate::client::Client;
use crate::exit::WrongCall;

/// A body as it stands in a file; `ChangeType` says that it is a `BulkChange`.
pub(super) fn of_file(file: &Path) -> Result<Request> {
    let body = read_input(file)?;
    let parsed = serde_json::from_slice::<Map<String, Value>>(&body);
    let fields = parsed.map_err(|error| WrongCall(format!("{} is no JSON object: {error}", file.display())))?;
    let is_bulk_change = fields.keys().any(|name| name.eq_ignore_ascii_case("ChangeType"));
    Ok(Request { endpoint: if is_bulk_change { "BulkChange" } else { "AssociateCustomer" }, body })
}

/// A body made of flags.
pub(super) async fn of_flags(client: &Client, kind: OrderType, order: &OrderArgs) -> Result<Request> {
    check(kind, order)?;
    let provider = order.provider.as_deref().context("--type comes with --provider")?;
    let mut body = Fields::default();
    body.set("ServiceProviderId", Some(provider_id(client, provider).await?));
    let (lines, file) = match (&order.iccids_file, &order.numbers_file) {
        (Some(file), _) => ("Devices", file),
        (None, Some(file)) => ("Numbers", file),
        (None, None) => {
            return Err(WrongCall("name the lines: --iccids-file or --numbers-file, - is standard input".to_owned()).into());
        }
    };
    body.set(lines, Some(read_lines(file)?));
    body.set("ProcessChanges", order.hold.then_some(false));
    body.set("Name", order.name.clone());
    body.set("Reason", order.reason.clone());
    let endpoint = match kind {
        OrderType::Assign => {
            assignment(&mut body, order)?;
            "AssociateCustomer"
        }
        OrderType::Plan => {
            body.set("ChangeType", Some(4));
            body.set("CustomerRatePlanUpdate", Some(plan_change(order)?));
            "BulkChange"
        }
        OrderType::CarrierPlan => {
            body.set("ChangeType", Some(7));
            body.set("CarrierRatePlanUpdate", Some(carrier_plan_change(order)));
            "BulkChange"
        }
        OrderType::Status => {
            body.set("ChangeType", Some(2));
            body.set("StatusUpdate", Some(status_update(order)));
            "BulkChange"
        }
    };
    Ok(Request { endpoint, body: serde_json::to_vec(&body.0).context("writing the order")? })
}

fn check(kind: OrderType, order: &OrderArgs) -> Result<()> {
    let has_carrier_plan = order.carrier_plan.is_some() || order.comm_plan.is_some();
    let has_plan = order.plan.is_some() || order.pool.is_some() || order.allocation.is_some();
    let has_customer = order.customer.is_some() || order.site.is_some();
    let has_status = order.target_status.is_some() || order.reason_code.is_some();
    let problem = match kind {
        OrderType::Assign | OrderType::Plan | OrderType::CarrierPlan if has_status => {
            "--target-status and --reason-code go with --type status"
        }
        OrderType::Plan | OrderType::Status if has_carrier_plan => {
            "--carrier-plan and --comm-plan go with --type carrier-plan or assign"
        }
        OrderType::CarrierPlan | OrderType::Status if has_plan || has_customer || order.replace_scheduled => {
            "--customer, --site, --plan, --pool, --allocation and --replace-scheduled go with --type assign or plan"
        }
        OrderType::CarrierPlan if !has_carrier_plan => "--type carrier-plan changes --carrier-plan or --comm-plan; give one",
        OrderType::Status if order.target_status.is_none() => "--type status moves lines to --target-status; give it",
        OrderType::Status if order.date.is_some() => "a status changes at once; leave --date out",
        OrderType::Plan if has_customer => {
            "--customer and --site go with --type assign; a plan change leaves the customer as it is"
        }
        OrderType::Plan if !has_plan => "--type plan changes --plan, --pool or --allocation; give one",
        OrderType::Assign if order.customer.is_none() && order.site.is_none() => {
            "--type assign hands lines to --customer (in Rev.io) or to --site; give one"
        }
        _ => return Ok(()),
    };
    Err(WrongCall(problem.to_owned()).into())
}

fn assignment(body: &mut Fields, order: &OrderArgs) -> Result<()> {
    let with_plan = order.plan.is_some() || order.pool.is_some() || order.allocation.is_some();
    body.set("RevCustomerId", Some(order.customer.map(|id| id.to_string()).unwrap_or_default()));
    body.set("SiteId", order.site);
    body.set("AddCustomerRatePlan", with_plan.then_some(true));
    body.set("CustomerRatePlan", order.plan);
    body.set("CustomerRatePool", order.pool);
    body.set("CustomerDataAllocationMB", allocation(order)?);
    let with_carrier_plan = order.carrier_plan.is_some() || order.comm_plan.is_some();
    body.set("AddCarrierRatePlan", with_carrier_plan.then_some(true));
    body.set("CarrierRatePlan", order.carrier_plan.clone());
    body.set("CommPlan", order.comm_plan.clone());
    body.set("EffectiveDate", order.date.clone());
    body.set("ReplaceScheduled", order.replace_scheduled.then_some(true));
    Ok(())
}

fn carrier_plan_change(order: &OrderArgs) -> Value {
    let mut update = Fields::default();
    update.set("CarrierRatePlan", order.carrier_plan.clone());
    update.set("CommPlan", order.comm_plan.clone());
    update.set("EffectiveDate", order.date.clone());
    Value::Object(update.0)
}

fn status_update(order: &OrderArgs) -> Value {
    let mut update = Fields::default();
    update.set("TargetStatus", order.target_status.clone());
    update.set("ReasonCode", order.reason_code.clone());
    Value::Object(update.0)
}

fn plan_change(order: &OrderArgs) -> Result<Value> {
    let mut update = Fields::default();
    update.set("CustomerRatePlanId", order.plan);
    update.set("CustomerPoolId", order.pool);
    update.set("CustomerDataAllocationMB", allocation(order)?);
    update.set("EffectiveDate", order.date.clone());
    update.set("ReplaceScheduled", order.replace_scheduled.then_some(true));
    Ok(Value::Object(update.0))
}

/// The allocation with the digits that were typed, not those of a binary fraction.
fn allocation(order: &OrderArgs) -> Result<Option<Number>> {
    let number = |amount: rust_decimal::Decimal| amount.to_string().parse().context("writing --allocation");
    order.allocation.map(number).transpose()
}

async fn provider_id(client: &Client, named: &str) -> Result<i64> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let mut known = Vec::new();
    let mut after = String::new();
    loop {
        let page: Page<ServiceProviderView> = client.get(&format!("/api/v1/service-providers?limit=1000{after}")).await?;
        for provider in page.items {
            if provider.name == named {
                return Ok(provider.id);
            }
            known.push(format!("{:?}", provider.name));
        }
        let Some(next) = page.next else { break };
        after = format!("&after={next}");
    }
    Err(WrongCall(format!("there is no service provider {named:?}; there are: {}", known.join(", "))).into())
}

/// Fields of a body; what is not given is left out.
#[derive(Debug, Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, name: &str, value: Option<impl serde::Serialize>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), json!(value));
        }
    }
}
