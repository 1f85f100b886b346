//! Carrier rate plans: what a synchronisation brought from the carrier of each service provider. Nobody changes them here.

use askama::Template;
use axum::http::Uri;
use axum::response::Response;
use lineshift_domain::ids::ServiceProviderId;
use lineshift_store::catalogue::CarrierRatePlan;

use super::kinds::{self, Kind};
use super::{CHOICES, all};
use crate::portal::address::{given, with_parameter};
use crate::portal::page::answer;
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Viewer};
use crate::problem::ApiProblem;
use crate::query::Parameters;

const ADDRESS: &str = "/admin/carrier-rate-plans";

#[derive(Template)]
#[template(path = "admin_carrier_rate_plans.html")]
struct PlansPage {
    frame: Frame,
    providers: Vec<ProviderLink>,
    plans: Vec<CarrierRatePlan>,
    next: Option<String>,
}

/// A service provider whose plans may be looked at.
struct ProviderLink {
    id: i64,
    address: String,
    name: String,
    is_shown: bool,
}

/// `GET /admin/carrier-rate-plans`: those of the first service provider, or of `service_provider_id`.
pub(in crate::portal) async fn list(viewer: Viewer, uri: Uri) -> Result<Response, PageRefused> {
    let frame = viewer.admin_frame("Carrier rate plans", "carrier-rate-plans")?;
    let mut asked = Parameters::of_pairs(given(&uri));
    let (wanted, after) = (asked.id("service_provider_id", |id| id), asked.text("after"));
    asked.finish()?;
    let mut providers = Vec::new();
    for it in kinds::list(Kind::ServiceProviders, &viewer, all()).await?.items {
        let id = it["id"].as_i64().ok_or_else(ApiProblem::internal)?;
        let name = it["name"].as_str().unwrap_or_default().to_owned();
        let address = with_parameter(ADDRESS, &[], "service_provider_id", &id.to_string());
        providers.push(ProviderLink { id, address, name, is_shown: false });
    }
    let shown = match wanted {
        Some(wanted) => Some(providers.iter_mut().find(|it| it.id == wanted).ok_or_else(ApiProblem::not_found)?),
        None => providers.first_mut(),
    };
    let (plans, next) = match shown {
        Some(shown) => {
            shown.is_shown = true;
            let store = viewer.web.engine.store();
            let provider = ServiceProviderId(shown.id);
            let listed = store.list_carrier_rate_plans(viewer.caller.tenant, provider, after.as_deref(), CHOICES).await?;
            let of = [("service_provider_id".to_owned(), shown.id.to_string())];
            (listed.items, listed.next.map(|next| with_parameter(ADDRESS, &of, "after", &next)))
        }
        None => (Vec::new(), None),
    };
    Ok(answer(&PlansPage { frame, providers, plans, next }))
}
