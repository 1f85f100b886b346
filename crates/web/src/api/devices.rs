//! Lines: lists, one with its assignment, its history.

use axum::Json;
use axum::extract::State;
use lineshift_domain::ids::{CustomerRatePlanId, DeviceId, RevCustomerId, ServiceProviderId, SiteId};
use lineshift_domain::lines::read_line;
use lineshift_domain::reading::codes;
use lineshift_domain::terms::LineIdentifier;
use lineshift_engine::Caller;
use lineshift_store::StoreError;
use lineshift_store::devices::DeviceFilter;
use utoipa::IntoParams;

use crate::Web;
use crate::auth::require_any_view;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PageParams, Parameters, PathId};
use crate::views::{DeviceUsageView, DeviceView, HistoryEntryView, Page};

/// The parameters, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one, so that all problems are found")]
pub(crate) struct DeviceParams {
    /// The line with this ICCID.
    iccid: Option<String>,
    /// Lines with this subscriber number.
    number: Option<String>,
    /// Lines of this carrier account.
    service_provider_id: Option<i64>,
    /// Only lines of this customer.
    rev_customer_id: Option<i64>,
    /// Lines booked at this site.
    site_id: Option<i64>,
    /// Lines on this customer rate plan.
    customer_rate_plan_id: Option<i64>,
}

/// Lists lines
///
/// By id, archived ones included; all of them, or those that one parameter chooses.
#[utoipa::path(get, path = "/api/v1/devices", tag = super::tag::DEVICES, params(DeviceParams, PageParams),
    responses((status = 200, description = "A page", body = Page<DeviceView>)))]
pub(crate) async fn list_devices(
    State(web): State<Web>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<DeviceView>>, ApiProblem> {
    require_any_view(&caller)?;
    let filter = read_filter(&mut parameters);
    let (limit, after) = (parameters.limit(), parameters.cursor("after"));
    parameters.finish()?;
    let listed = web.engine.store().list_devices(caller.tenant, &caller.rights.reach, &filter, after, limit).await?;
    let zone = web.time_zone(caller.tenant).await?;
    Ok(Json(Page::of(listed, |device| DeviceView::of(device, zone))))
}

fn read_filter(parameters: &mut Parameters) -> DeviceFilter {
    let line = |identifier| move |text: &str| read_line(identifier, text).ok().map(|digits| digits.to_string());
    let iccid = parameters.parsed("iccid", "18 to 22 digits", line(LineIdentifier::Iccid)).map(DeviceFilter::Iccid);
    let number = parameters.parsed("number", "10 to 15 digits", line(LineIdentifier::Number)).map(DeviceFilter::Number);
    let provider = parameters.id("service_provider_id", ServiceProviderId).map(DeviceFilter::ServiceProvider);
    let customer = parameters.id("rev_customer_id", RevCustomerId).map(DeviceFilter::Customer);
    let site = parameters.id("site_id", SiteId).map(DeviceFilter::Site);
    let plan = parameters.id("customer_rate_plan_id", CustomerRatePlanId).map(DeviceFilter::CustomerRatePlan);
    let mut chosen: Vec<DeviceFilter> = [iccid, number, provider, customer, site, plan].into_iter().flatten().collect();
    if chosen.len() > 1 {
        let message = "lines are chosen by one of iccid, number, service_provider_id, rev_customer_id, site_id and customer_rate_plan_id; give one";
        parameters.report("", codes::CONFLICTING_FIELDS, message);
    }
    chosen.pop().unwrap_or_default()
}

/// Shows a line
///
/// With what the tenant decided about it.
#[utoipa::path(get, path = "/api/v1/devices/{id}", tag = super::tag::DEVICES, params(("id" = i64, Path, description = "The line")),
    responses((status = 200, description = "The line", body = DeviceView)))]
pub(crate) async fn get_device(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<Json<DeviceView>, ApiProblem> {
    require_any_view(&caller)?;
    let device = web.engine.get_device(&caller, DeviceId(id)).await?;
    let zone = web.time_zone(caller.tenant).await?;
    Ok(Json(DeviceView::of(device, zone)))
}

/// Shows what a line used
///
/// In its carrier's cycle to date, as it was read last; 404 when it was not. A synchronisation reads it when `usage` is asked for.
#[utoipa::path(get, path = "/api/v1/devices/{id}/usage", tag = super::tag::DEVICES, params(("id" = i64, Path, description = "The line")),
    responses((status = 200, description = "What it used", body = DeviceUsageView)))]
pub(crate) async fn get_device_usage(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<Json<DeviceUsageView>, ApiProblem> {
    require_any_view(&caller)?;
    web.engine.get_device(&caller, DeviceId(id)).await?;
    let usage = web.engine.store().find_device_usage(caller.tenant, DeviceId(id)).await?;
    let usage = usage.ok_or_else(|| StoreError::not_found("usage of device", id))?;
    Ok(Json(usage.into()))
}

/// Lists what happened to a line
///
/// Newest first: each change of customer, plan, pool or allocation with old and new value; as far as the line has been within your reach
/// without a break.
#[utoipa::path(get, path = "/api/v1/devices/{id}/history", tag = super::tag::DEVICES,
    params(("id" = i64, Path, description = "The line"), PageParams),
    responses((status = 200, description = "A page", body = Page<HistoryEntryView>)))]
pub(crate) async fn list_device_history(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    mut parameters: Parameters,
) -> Result<Json<Page<HistoryEntryView>>, ApiProblem> {
    require_any_view(&caller)?;
    let device = web.engine.get_device(&caller, DeviceId(id)).await?;
    let (limit, after) = (parameters.limit(), parameters.cursor("after"));
    parameters.finish()?;
    let listed = web.engine.store().list_device_history(caller.tenant, &caller.rights.reach, device.id, after, limit).await?;
    Ok(Json(Page::of(listed, HistoryEntryView::from)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::FromRequestParts as _;
    use axum::http::Request;

    async fn filter_of(query: &str) -> Result<DeviceFilter, ApiProblem> {
        let (mut parts, ()) = Request::get(format!("/x?{query}")).body(()).expect("a request").into_parts();
        let mut parameters = Parameters::from_request_parts(&mut parts, &()).await?;
        let filter = read_filter(&mut parameters);
        parameters.finish().map(|()| filter)
    }

    #[tokio::test]
    async fn lines_are_chosen_by_one_parameter() {
        assert_eq!(filter_of("").await.expect("all"), DeviceFilter::All);
        let iccid = filter_of("iccid=8901-2602-1012-3456-7890").await.expect("an ICCID");
        assert_eq!(iccid, DeviceFilter::Iccid("89012602101234567890".to_owned()));
        assert_eq!(filter_of("site_id=4").await.expect("a site"), DeviceFilter::Site(SiteId(4)));
        let problem = filter_of("site_id=4&number=5550001234").await.expect_err("two");
        assert_eq!(problem.view().errors[0].code, "conflicting_fields");
        assert_eq!(filter_of("iccid=8.9E19").await.expect_err("no ICCID").view().errors[0].field, "iccid");
    }
}
