//! The lines that somebody has chosen: shown, added to, taken out of.

use std::collections::BTreeSet;

use askama::Template;
use axum::Json;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};
use lineshift_domain::ids::{DeviceId, ServiceProviderId};
use lineshift_domain::reach::Reach;
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_store::catalogue::Unnamed;
use lineshift_store::selections::{SELECTED_AT_ONCE, SelectedLine, SelectedPart, SelectionWindow};
use serde::Serialize;

use crate::audit::AuditNote;
use crate::cursor::Cursor as _;
use crate::portal::address::{given, with_parameter};
use crate::portal::choosing::{Chosen, key, selecting};
use crate::portal::form::Form;
use crate::portal::line_filter;
use crate::portal::page::{answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::query::Parameters;

/// Lines of a page.
const LINES: usize = 100;

#[derive(Template)]
#[template(path = "selection.html")]
struct SelectionPage {
    frame: Frame,
    chosen: Chosen,
    address: String,
    providers: Vec<ProviderTab>,
    /// Whether those of all service providers are shown.
    is_all: bool,
    lines: Vec<SelectedRow>,
    next: Option<String>,
    back: String,
    by_number: bool,
}

/// How many are chosen of a service provider.
struct ProviderTab {
    name: String,
    count: String,
    address: String,
    is_shown: bool,
}

/// A chosen line in its table.
struct SelectedRow {
    id: i64,
    iccid: String,
    number: String,
    provider: String,
}

/// `GET /{portal}/selection`
pub(in crate::portal) async fn show(viewer: Viewer, Path(portal): Path<String>, uri: Uri) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    viewer.caller.require(portal.into(), Action::Create)?;
    let given = given(&uri);
    let mut asked = Parameters::of_pairs(given.clone());
    let provider = asked.id("service_provider_id", ServiceProviderId);
    let after: Option<DeviceId> = asked.cursor("after");
    asked.finish()?;
    let (store, tenant, reach) = (viewer.web.engine.store(), viewer.caller.tenant, &viewer.caller.rights.reach);
    let key = key(&viewer, portal);
    let counts = viewer.web.selection_counts.by_provider(&viewer, portal).await?;
    let mut lines = store.list_selected(tenant, &key, reach, provider, SelectedPart::after(after, LINES + 1)).await?;
    let are_more = lines.len() > LINES;
    lines.truncate(LINES);
    let providers: BTreeSet<ServiceProviderId> = counts.iter().map(|(id, _)| *id).collect();
    let unnamed = Unnamed { service_providers: providers, ..Unnamed::default() };
    let names = store.find_names(tenant, &unnamed).await?.service_providers;
    let name = |id: &ServiceProviderId| names.get(id).cloned().unwrap_or_default();
    let address = format!("/{}/selection", segment(portal));
    let of_provider = |id: &ServiceProviderId| with_parameter(&address, &[], "service_provider_id", &id.to_string());
    let last = lines.last().filter(|_| are_more).map(|line| line.device_id.encode());
    let page = SelectionPage {
        frame: viewer.frame("Chosen lines", Some(portal), Place::Lines)?,
        chosen: Chosen::of(&viewer, portal).await?.ok_or_else(ApiProblem::not_found)?,
        providers: counts
            .iter()
            .map(|(id, count)| ProviderTab {
                name: name(id),
                count: thousands(*count),
                address: of_provider(id),
                is_shown: provider == Some(*id),
            })
            .collect(),
        is_all: provider.is_none(),
        next: last.map(|last| with_parameter(&address, &given, "after", &last)),
        back: uri.path_and_query().map_or_else(|| address.clone(), ToString::to_string),
        lines: lines.into_iter().map(|line| row(line, name)).collect(),
        by_number: portal.first_identifier() == LineIdentifier::Number,
        address,
    };
    Ok(answer(&page))
}

fn row(line: SelectedLine, name: impl Fn(&ServiceProviderId) -> String) -> SelectedRow {
    SelectedRow {
        id: line.device_id.0,
        iccid: line.iccid,
        number: line.subscriber_number.unwrap_or_default(),
        provider: name(&line.service_provider_id),
    }
}

/// What became of ticks: a script shows it in their boxes, and goes to no other page.
#[derive(Serialize)]
struct Ticked {
    lines: i64,
    count: String,
    /// Those of the ticked lines that are chosen now.
    chosen: Vec<String>,
    /// Why others are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// What a selection that is full has left out.
#[derive(Template)]
#[template(path = "left_out.html")]
struct LeftOutPage {
    frame: Frame,
    chosen: Chosen,
    added: String,
    refused: String,
    back: String,
}

/// Where a form leads back to: a page of that portal.
fn back(portal: PortalType, form: &Form) -> String {
    let pages = format!("/{}/", segment(portal));
    let back = form.text("back").filter(|back| back.starts_with(&pages) && !back.contains(['\\', '\r', '\n']));
    back.map_or_else(|| format!("{pages}selection"), ToOwned::to_owned)
}

/// Leads back to where a form was, with a note of how many lines it changed.
fn leads_back(portal: PortalType, form: &Form, devices: i64) -> Response {
    (AuditNote { devices }, Redirect::to(&back(portal, form))).into_response()
}

/// Says what was left out, and what can be done.
pub(super) async fn left_out(
    viewer: &Viewer,
    portal: PortalType,
    form: &Form,
    added: i64,
    refused: String,
) -> Result<Response, PageRefused> {
    let page = LeftOutPage {
        frame: viewer.frame("The selection is full", Some(portal), Place::Lines)?,
        chosen: Chosen::of(viewer, portal).await?.ok_or_else(ApiProblem::not_found)?,
        added: thousands(added),
        refused,
        back: back(portal, form),
    };
    Ok((AuditNote { devices: added }, answer(&page)).into_response())
}

/// In words, that the selection is full and what is to be done.
pub(super) fn is_full(viewer: &Viewer, what: &str) -> String {
    let most = thousands(viewer.web.engine.limits().devices_per_change as i64);
    format!(
        "The selection is full: it holds {most} lines, as many as one order takes, and {what}. Order for those that are chosen, or take \
         some out first."
    )
}

/// Why ticked lines are not chosen after all, and whether it is because the selection is full. None: all of them are.
pub(super) async fn refused(
    viewer: &Viewer,
    portal: PortalType,
    ticked: &[DeviceId],
    chosen: &[DeviceId],
) -> Result<Option<(bool, String)>, ApiProblem> {
    let ticked: BTreeSet<&DeviceId> = ticked.iter().collect();
    let missing = ticked.len().saturating_sub(chosen.len());
    if missing == 0 {
        return Ok(None);
    }
    // What is beyond reach by now takes room all the same.
    let key = key(viewer, portal);
    let all = viewer.web.engine.store().find_selection(viewer.caller.tenant, &key, &Reach::Everything).await?;
    let missing = thousands(missing as i64);
    if all.is_some_and(|all| all.lines >= viewer.web.engine.limits().devices_per_change as i64) {
        return Ok(Some((true, is_full(viewer, &format!("{missing} of the ticked lines were left out")))));
    }
    Ok(Some((
        false,
        format!("{missing} of the ticked lines cannot be chosen: they are not there any more, or not for you to see."),
    )))
}

/// What a script is told of the lines it has sent.
async fn told(
    viewer: &Viewer,
    portal: PortalType,
    devices: i64,
    chosen: &[DeviceId],
    refused: Option<String>,
) -> Result<Response, PageRefused> {
    let all = Chosen::of(viewer, portal).await?.ok_or_else(ApiProblem::not_found)?;
    let chosen = chosen.iter().map(|line| line.0.to_string()).collect();
    Ok((AuditNote { devices }, Json(Ticked { lines: all.lines, count: all.count, chosen, refused })).into_response())
}

/// The portal, for those who may choose lines there.
pub(super) fn choosing(viewer: &Viewer, portal: &str) -> Result<PortalType, ApiProblem> {
    let portal = portal_of(portal)?;
    viewer.caller.require(portal.into(), Action::Create)?;
    Ok(portal)
}

/// The lines that were ticked.
fn ticked(form: &Form) -> Result<Vec<DeviceId>, ApiProblem> {
    let ids: Option<Vec<DeviceId>> = form.all("line").map(|id| id.parse().ok().map(DeviceId)).collect();
    let ids = ids.ok_or_else(|| ApiProblem::unreadable("line", "wrong_form", "a ticked line is not named by its id"))?;
    if ids.len() > SELECTED_AT_ONCE {
        let message = format!("{} lines are ticked; at most {SELECTED_AT_ONCE} are taken at once", ids.len());
        return Err(ApiProblem::unreadable("line", "too_many", message));
    }
    Ok(ids)
}

/// `POST /{portal}/selection/add`
pub(in crate::portal) async fn add(viewer: Viewer, Path(portal): Path<String>, form: Form) -> Result<Response, PageRefused> {
    let (portal, lines) = (choosing(&viewer, &portal)?, ticked(&form)?);
    let (tenant, reach, key) = (viewer.caller.tenant, &viewer.caller.rights.reach, key(&viewer, portal));
    let store = viewer.web.engine.store();
    let added = store.select_lines(tenant, &key, reach, &lines, selecting(&viewer)).await?;
    let chosen = store.find_selected(tenant, &key, &lines).await?;
    let refused = refused(&viewer, portal, &lines, &chosen).await?;
    if form.text("quiet").is_some() {
        return told(&viewer, portal, added, &chosen, refused.map(|(_, why)| why)).await;
    }
    match refused {
        Some((true, why)) => left_out(&viewer, portal, &form, added, why).await,
        _ => Ok(leads_back(portal, &form, added)),
    }
}

/// `POST /{portal}/selection/remove`
pub(in crate::portal) async fn remove(viewer: Viewer, Path(portal): Path<String>, form: Form) -> Result<Response, PageRefused> {
    let (portal, lines) = (choosing(&viewer, &portal)?, ticked(&form)?);
    let (store, now) = (viewer.web.engine.store(), viewer.web.engine.clock().now());
    let removed = store.unselect_lines(viewer.caller.tenant, &key(&viewer, portal), &lines, now).await?;
    if form.text("quiet").is_some() {
        return told(&viewer, portal, removed, &[], None).await;
    }
    Ok(leads_back(portal, &form, removed))
}

/// `POST /{portal}/selection/clear`: all of them, or those of one service provider.
pub(in crate::portal) async fn clear(viewer: Viewer, Path(portal): Path<String>, form: Form) -> Result<Response, PageRefused> {
    let portal = choosing(&viewer, &portal)?;
    let mut fields = form.clone().without(&["back"]).parameters();
    let provider = fields.id("service_provider_id", ServiceProviderId);
    fields.finish()?;
    viewer.web.engine.store().clear_selection(viewer.caller.tenant, &key(&viewer, portal), provider).await?;
    Ok(leads_back(portal, &form, 0))
}

/// `POST /{portal}/selection/matching`: all lines that a filter finds, some thousands at a time, so that nobody else waits.
pub(in crate::portal) async fn matching(viewer: Viewer, Path(portal): Path<String>, form: Form) -> Result<Response, PageRefused> {
    let portal = choosing(&viewer, &portal)?;
    let mut fields = form.clone().without(&["back"]).parameters();
    let filter = line_filter::read(&mut fields);
    fields.finish()?;
    let (store, tenant, reach) = (viewer.web.engine.store(), viewer.caller.tenant, &viewer.caller.rights.reach);
    let (key, mut after, mut selected) = (key(&viewer, portal), None, 0);
    loop {
        let window = SelectionWindow { after, limit: SELECTED_AT_ONCE };
        let some = store.select_matching(tenant, &key, reach, &filter, window, selecting(&viewer)).await?;
        selected += some.selected;
        after = some.last;
        if some.left_out {
            let refused = is_full(&viewer, "not all lines that match were chosen");
            return left_out(&viewer, portal, &form, selected, refused).await;
        }
        if after.is_none() {
            break;
        }
    }
    Ok(leads_back(portal, &form, selected))
}
