//! What is set for the tenant and for the server, and where it is set.

use askama::Template;
use axum::response::Response;
use serde_json::Value;

use super::fact;
use super::kinds::in_json;
use crate::portal::page::answer;
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Viewer};
use crate::query::NoParameters;
use crate::views::LimitsView;

#[derive(Template)]
#[template(path = "admin_settings.html")]
struct SettingsPage {
    frame: Frame,
    tenant: Vec<(String, String)>,
    sign_in: Vec<(String, String)>,
    limits: Vec<(String, String)>,
}

/// `GET /admin/settings`
pub(in crate::portal) async fn show(viewer: Viewer, _: NoParameters) -> Result<Response, PageRefused> {
    let frame = viewer.admin_frame("Settings", "settings")?;
    let sessions = &viewer.web.sign_in.settings;
    let provider = viewer.web.sign_in.openid.as_ref().map_or_else(|| "none".to_owned(), |openid| openid.label().to_owned());
    let page = SettingsPage {
        frame,
        tenant: vec![
            fact("Name", &viewer.tenant.name),
            fact("Id", viewer.tenant.id.to_string()),
            fact("Time zone", viewer.tenant.time_zone.to_string()),
            fact("Made", viewer.when(viewer.tenant.created_at).text),
        ],
        sign_in: vec![
            fact("OpenID provider", provider),
            fact("A session ends without a request after", format!("{} minutes", sessions.idle.num_minutes())),
            fact("A session ends at the latest after", format!("{} hours", sessions.absolute.num_hours())),
        ],
        limits: limits(&in_json(LimitsView::from(viewer.web.engine.limits()))?),
    };
    Ok(answer(&page))
}

/// The limits in force by their names in the configuration.
fn limits(limits: &Value) -> Vec<(String, String)> {
    let fields = limits.as_object().into_iter().flatten();
    fields.map(|(name, value)| fact(name, value.to_string())).collect()
}
