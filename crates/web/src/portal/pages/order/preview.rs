//! What an order would do, before anything of it is stored.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::DeviceId;
use lineshift_domain::order::Order;
use lineshift_engine::{Amount, EngineError, Monthly, Preview, RefusedLines};

use super::choose;
use super::chosen::{self, ChosenLines, unselect, with_lines};
use super::form::{self, Asked};
use super::lines::{self, LinesShown};
use super::summary;
use super::typed::Said;
use crate::api_key::random_word;
use crate::portal::form::Form;
use crate::portal::page::{answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, segment};
use crate::problem::ApiProblem;

/// What a form is sent for; none: to see the preview.
const STEP: &str = "step";

/// The reason whose lines leave the selection.
const DROP: &str = "drop";

/// The figures of the preview that was seen, to say what is different now.
pub(super) const SEEN: &str = "seen";

#[derive(Template)]
#[template(path = "order_preview.html")]
struct PreviewPage {
    frame: Frame,
    address: String,
    /// Where the chosen lines are listed.
    selection: String,
    title: &'static str,
    provider: String,
    provider_id: i64,
    /// The fields of the form, carried on.
    typed: Vec<(String, String)>,
    /// What has changed since it was seen.
    changed: Option<String>,
    figures: Vec<(&'static str, String)>,
    facts: Vec<(&'static str, String)>,
    /// What, before, after.
    charges: Vec<(&'static str, String, String)>,
    calls: Vec<String>,
    notes: Vec<String>,
    refused: Vec<RefusedShown>,
    lines: LinesShown,
    /// What the button says; none: there is nothing to order.
    act: Option<String>,
    held: bool,
    digest: String,
    key: String,
    seen: String,
}

/// Lines that are refused for one reason.
struct RefusedShown {
    code: &'static str,
    count: String,
    lines: String,
    examples: Vec<(String, String)>,
}

/// `POST /{portal}/order/{act}`: the preview of what was typed, or the form again with what is wrong.
pub(in crate::portal) async fn look(
    viewer: Viewer,
    Path(place): Path<(String, String)>,
    form: Form,
) -> Result<Response, PageRefused> {
    let Some(mut asked) = Asked::of(&viewer, &place, &form).await? else {
        let portal = crate::portal::viewer::portal_of(&place.0)?;
        return choose::page(&viewer, portal).await;
    };
    let step = form.text(STEP).unwrap_or_default();
    if step == "edit" {
        return form::page(&viewer, &asked, &Said::default(), None).await;
    }
    let mut said = Said::default();
    let (customer, found) = asked.customer(&viewer, &mut said).await?;
    if ["find", "more"].contains(&step) {
        let said = if step == "find" { said } else { Said::default() };
        return form::page(&viewer, &asked, &said, found).await;
    }
    let order = match asked.read(&viewer, customer.as_ref()) {
        Ok(order) => Some(order),
        Err(refusal) => {
            said.take(refusal, asked.act, &asked.typed)?;
            None
        }
    };
    let Some(order) = order.filter(|_| said.is_empty()) else { return form::page(&viewer, &asked, &said, found).await };
    let _turn = viewer.web.large_bodies.turn_of_lines(viewer.caller.tenant, asked.count).await?;
    let from = form.text("from").and_then(|from| from.parse().ok()).unwrap_or(0);
    let looked = match form.text(DROP) {
        Some(code) => without_refused(&viewer, &asked, order, code).await,
        None if step == "lines" => return further_lines(&viewer, &asked, &order, from).await,
        None => judged(&viewer, &asked, order).await,
    };
    match looked {
        Ok(judged) if judged.chosen.ids.is_empty() => choose::page(&viewer, asked.portal).await,
        Ok(judged) => page(&viewer, &asked, &judged, None).await,
        Err(EngineError::Refused(refusal)) => {
            said.take(refusal, asked.act, &asked.typed)?;
            form::page(&viewer, &asked, &said, None).await
        }
        Err(error) => Err(error.into()),
    }
}

/// An order with its lines, and what it would do.
pub(super) struct Judged {
    pub(super) order: Order,
    pub(super) chosen: ChosenLines,
    pub(super) preview: Preview,
}

pub(super) async fn judged(viewer: &Viewer, asked: &Asked, order: Order) -> Result<Judged, EngineError> {
    let chosen = chosen::lines(viewer, asked.portal, asked.provider.id).await?;
    let order = with_lines(&order, chosen.written.clone());
    let preview = viewer.web.engine.preview(&viewer.caller, &order).await?;
    Ok(Judged { order, chosen, preview })
}

/// Takes the lines that are refused for one reason out of the selection, and looks at what is left.
async fn without_refused(viewer: &Viewer, asked: &Asked, order: Order, code: &str) -> Result<Judged, EngineError> {
    let before = judged(viewer, asked, order).await?;
    let is_dropped = |refused: Code| code == "all" || refused.as_str() == code;
    let places = before.preview.refused_places.iter().filter(|(_, refused)| is_dropped(*refused));
    let dropped: Vec<DeviceId> = places.filter_map(|(place, _)| before.chosen.ids.get(*place as usize).copied()).collect();
    unselect(viewer, asked.portal, &dropped).await?;
    judged(viewer, asked, before.order).await
}

async fn further_lines(viewer: &Viewer, asked: &Asked, order: &Order, from: usize) -> Result<Response, PageRefused> {
    let chosen = chosen::lines(viewer, asked.portal, asked.provider.id).await?;
    let from = from.min(chosen.ids.len().saturating_sub(1)) / lines::LINES * lines::LINES;
    let resolved = with_lines(order, chosen.page(from, 1));
    let stored = viewer.web.engine.preview(&viewer.caller, &resolved).await?.order;
    let shown = lines::shown(viewer, asked, order, &stored, &chosen, from).await?;
    lines::page(viewer, asked, shown)
}

/// The page of a preview; `seen` are the figures of the one that was seen before, if it has changed since.
pub(super) async fn page(viewer: &Viewer, asked: &Asked, judged: &Judged, seen: Option<&str>) -> Result<Response, PageRefused> {
    let Judged { order, chosen, preview } = judged;
    let store = viewer.web.engine.store();
    let names = store.find_names(viewer.caller.tenant, &summary::unnamed(&preview.order, std::iter::empty())).await?;
    let now = viewer.web.engine.clock().now();
    let date = preview.date(now).map(|(at, ahead)| (viewer.when(at), ahead));
    let act = summary::act(&preview.order, preview.accepted, &names);
    let page = PreviewPage {
        frame: viewer.frame(asked.act.title(), Some(asked.portal), Place::Lines)?,
        address: asked.address(),
        selection: format!("/{}/selection", segment(asked.portal)),
        title: asked.act.title(),
        provider: asked.provider.name.clone(),
        provider_id: asked.provider.id.0,
        typed: asked.typed.all().to_vec(),
        changed: seen.map(|seen| difference(seen, preview)),
        figures: figures(preview),
        facts: summary::facts(preview, &names, date.as_ref().map(|(when, ahead)| (when, *ahead))),
        charges: charges(preview),
        calls: summary::calls(preview),
        notes: summary::notes(preview, now),
        refused: preview.refused.iter().map(refused).collect(),
        lines: lines::shown(viewer, asked, order, &preview.order, chosen, 0).await?,
        act: (preview.accepted > 0).then_some(act),
        held: !order.process_changes,
        digest: preview.digest.to_string(),
        key: random_word().map_err(|_| ApiProblem::internal())?,
        seen: seen_figures(preview),
    };
    let status = if seen.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok((status, answer(&page)).into_response())
}

fn figures(preview: &Preview) -> Vec<(&'static str, String)> {
    vec![
        ("Would be changed", thousands(preview.accepted)),
        ("Are so already", thousands(preview.already_so)),
        ("Are refused", thousands(preview.rejected())),
    ]
}

/// The figures, to be compared with those of another look.
fn seen_figures(preview: &Preview) -> String {
    format!("{} {} {}", preview.accepted, preview.already_so, preview.rejected())
}

/// What is different from what was seen.
fn difference(seen: &str, preview: &Preview) -> String {
    let was: Vec<i64> = seen.split(' ').filter_map(|figure| figure.parse().ok()).collect();
    let now = [preview.accepted, preview.already_so, preview.rejected()];
    let words = ["would be changed", "are so already", "are refused"];
    let changed: Vec<String> = was
        .iter()
        .zip(now)
        .zip(words)
        .filter(|((was, now), _)| **was != *now)
        .map(|((was, now), word)| format!("{} {word}, {} before", thousands(now), thousands(*was)))
        .collect();
    if changed.is_empty() {
        return "As many lines would be changed, but some of them are other ones, or stand otherwise than before.".to_owned();
    }
    format!("Now {}.", changed.join("; "))
}

fn charges(preview: &Preview) -> Vec<(&'static str, String, String)> {
    let row = |(what, monthly): (&'static str, Option<Monthly>)| {
        // Where nothing is charged before or after there is nothing to tell.
        let monthly = monthly.filter(|monthly| [monthly.before, monthly.after] != [Amount::default(); 2])?;
        Some((what, summary::amount(monthly.before), summary::amount(monthly.after)))
    };
    [("Customer rate plans", preview.plans), ("Products in Rev.io", preview.billed)].into_iter().filter_map(row).collect()
}

fn refused(refused: &RefusedLines) -> RefusedShown {
    RefusedShown {
        code: refused.code.as_str(),
        count: thousands(refused.count),
        lines: summary::lines(refused.count),
        examples: refused.examples.clone(),
    }
}
