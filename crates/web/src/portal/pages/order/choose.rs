//! What is to be done with the chosen lines.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use lineshift_domain::terms::PortalType;

use super::chosen::by_provider;
use super::{Act, address, require};
use crate::portal::page::{answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of};
use crate::query::NoParameters;

#[derive(Template)]
#[template(path = "order.html")]
struct ChoosePage {
    frame: Frame,
    providers: Vec<ProviderShown>,
}

/// The chosen lines of a service provider, and what can be ordered for them.
struct ProviderShown {
    name: String,
    count: String,
    acts: Vec<ActShown>,
}

struct ActShown {
    address: String,
    title: &'static str,
    purpose: &'static str,
}

/// `GET /{portal}/order`
pub(in crate::portal) async fn choose(
    viewer: Viewer,
    Path(portal): Path<String>,
    _: NoParameters,
) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    require(&viewer, portal)?;
    page(&viewer, portal).await
}

/// What is chosen, by service provider, with what can be ordered for it.
pub(super) async fn page(viewer: &Viewer, portal: PortalType) -> Result<Response, PageRefused> {
    let mut providers = Vec::new();
    for chosen in by_provider(viewer, portal).await? {
        let acts = Act::ALL.into_iter().filter(|act| act.is_offered(viewer, &chosen.provider));
        let shown = |act: Act| ActShown {
            address: format!("{}/{}?service_provider={}", address(portal), act.segment(), chosen.provider.id),
            title: act.title(),
            purpose: act.purpose(),
        };
        providers.push(ProviderShown {
            acts: acts.map(shown).collect(),
            count: thousands(chosen.count),
            name: chosen.provider.name,
        });
    }
    Ok(answer(&ChoosePage { frame: viewer.frame("Order", Some(portal), Place::Lines)?, providers }))
}
