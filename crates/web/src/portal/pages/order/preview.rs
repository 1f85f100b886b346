//! What an order would do, before anything of it is stored.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use lineshift_domain::ids::DeviceId;
use lineshift_domain::order::Order;
use lineshift_engine::{Amount, EngineError, Monthly, Preview, RefusedLines};

use super::choose;
use super::chosen::{self, ChosenLines, SetAside, with_lines};
use super::form::{self, Asked};
use super::lines::{self, LinesShown};
use super::offers::Offers;
use super::summary;
use super::taken_out::{DROP, NO_NUMBER, REPEATED_NUMBER, mark, marks, without};
use super::typed::Said;
use crate::api_key::random_word;
use crate::portal::form::Form;
use crate::portal::page::{answer, thousands};
use crate::portal::refused::{PageRefused, with_body_of};
use crate::portal::viewer::{Frame, Place, Viewer, segment};
use crate::problem::ApiProblem;

/// What a form is sent for; none: to see the preview.
const STEP: &str = "step";

/// To see further lines of the preview.
const LINES: &str = "lines";

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
    changed: Option<Changed>,
    figures: Vec<(&'static str, String)>,
    facts: Vec<(&'static str, String)>,
    /// What, before, after.
    charges: Vec<(&'static str, String, String)>,
    calls: Vec<String>,
    notes: Vec<String>,
    refused: Vec<RefusedShown>,
    /// Chosen lines that no order is made of.
    set_aside: Vec<SetAsideShown>,
    lines: LinesShown,
    /// How many lines are chosen.
    count: i64,
    /// What the button says; none: there is nothing to order.
    act: Option<String>,
    held: bool,
    digest: String,
    key: String,
    seen: String,
}

/// What is different from what was seen, so that what was asked for was not done.
pub(super) struct Changed {
    /// That it was not.
    pub(super) nothing: &'static str,
    pub(super) what: String,
}

impl Changed {
    /// What is different from a preview with those figures.
    pub(super) fn since(seen: &str, preview: &Preview) -> Self {
        Self { nothing: "Nothing was ordered.", what: difference(seen, preview) }
    }
}

/// Lines that are refused for one reason.
struct RefusedShown {
    code: &'static str,
    /// What these lines are known by.
    mark: String,
    count: String,
    lines: String,
    examples: Vec<(String, String)>,
}

/// Lines that cannot be ordered here, and stay chosen.
struct SetAsideShown {
    code: &'static str,
    /// What these lines are known by.
    mark: String,
    why: &'static str,
    count: String,
    lines: String,
    /// By ICCID.
    examples: Vec<String>,
}

/// `POST /{portal}/order/{act}`: the preview of what was typed, or the form again with what is wrong.
pub(in crate::portal) async fn look(
    viewer: Viewer,
    Path(place): Path<(String, String)>,
    form: Form,
) -> Result<Response, PageRefused> {
    let step = form.text(STEP).unwrap_or_default();
    let asked =
        if step == LINES { Asked::of_page(&viewer, &place, &form).await? } else { Asked::of(&viewer, &place, &form).await? };
    let Some(mut asked) = asked else {
        let portal = crate::portal::viewer::portal_of(&place.0)?;
        return choose::page(&viewer, portal).await;
    };
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
    let looked = if step == LINES {
        lines::shown(&viewer, &asked, &order, from(&form), asked.count).await.map(Looked::Lines)
    } else {
        let _turn = match viewer.web.large_bodies.turn_of_lines(viewer.caller.tenant, asked.count).await {
            Ok(turn) => turn,
            Err(problem) => return later(&viewer, &asked, said, problem).await,
        };
        match form.text(DROP) {
            Some(code) => without(&viewer, &asked, order, &form, code).await,
            None => judged(&viewer, &asked, order).await.map(|judged| (judged, None)),
        }
        .map(|(judged, changed)| Looked::Preview(Box::new(judged), changed))
    };
    match looked {
        // The lines were taken out, or ordered, in another window.
        Ok(Looked::Lines(lines)) if lines.rows.is_empty() => choose::page(&viewer, asked.portal).await,
        Ok(Looked::Lines(lines)) => lines::page(&viewer, &asked, lines),
        Ok(Looked::Preview(judged, _)) if judged.chosen.is_empty() => choose::page(&viewer, asked.portal).await,
        Ok(Looked::Preview(judged, changed)) => page(&viewer, &asked, &judged, changed).await,
        Err(EngineError::Refused(refusal)) => {
            said.take(refusal, asked.act, &asked.typed)?;
            form::page(&viewer, &asked, &said, None).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The form with all that was typed, where there is no turn to look at its lines now.
async fn later(viewer: &Viewer, asked: &Asked, mut said: Said, problem: ApiProblem) -> Result<Response, PageRefused> {
    said.whole.push(problem.detail());
    let form = form::page(viewer, asked, &said, None).await?;
    Ok(with_body_of(problem, form))
}

/// What was looked at.
enum Looked {
    Preview(Box<Judged>, Option<Changed>),
    Lines(LinesShown),
}

/// After which line a page begins; what is none of ours begins at the first.
fn from(form: &Form) -> lines::From {
    let after = form.text("after").and_then(|id| id.parse().ok()).map(DeviceId);
    let place = form.text("from").and_then(|place| place.parse().ok()).filter(|_| after.is_some()).unwrap_or(0);
    lines::From { after, place }
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

/// The page of a preview, with what has changed since one was seen.
pub(super) async fn page(
    viewer: &Viewer,
    asked: &Asked,
    judged: &Judged,
    changed: Option<Changed>,
) -> Result<Response, PageRefused> {
    let Judged { order, chosen, preview } = judged;
    let status = if changed.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let mut marks = marks(judged);
    let store = viewer.web.engine.store();
    let names = store.find_names(viewer.caller.tenant, &summary::unnamed(&preview.order, std::iter::empty())).await?;
    let billed_to = preview.order.assignment().filter(|it| it.rev_service.is_some()).and_then(|it| it.rev_customer_id);
    let offers = Offers::of(viewer, billed_to).await?;
    let now = viewer.web.engine.clock().now();
    let date = preview.date(now).map(|(at, ahead)| (viewer.when(at), ahead));
    let act = summary::act(&preview.order, preview.accepted, &names);
    let count = count(chosen.ids.len() + chosen.unnamed.ids.len() + chosen.repeated.ids.len());
    let page = PreviewPage {
        frame: viewer.frame(asked.act.title(), Some(asked.portal), Place::Lines)?,
        address: asked.address(),
        selection: format!("/{}/selection", segment(asked.portal)),
        title: asked.act.title(),
        provider: asked.provider.name.clone(),
        provider_id: asked.provider.id.0,
        typed: asked.typed.all().to_vec(),
        changed,
        figures: figures(preview, chosen),
        facts: summary::facts(preview, (&names, &offers), date.as_ref().map(|(when, ahead)| (when, *ahead))),
        charges: charges(preview),
        calls: summary::calls(preview),
        notes: summary::notes(preview, now),
        refused: preview
            .refused
            .iter()
            .map(|lines| refused(lines, marks.remove(lines.code.as_str()).unwrap_or_default()))
            .collect(),
        set_aside: set_aside(chosen),
        lines: lines::shown(viewer, asked, order, lines::From::default(), count).await?,
        count,
        act: (preview.accepted > 0).then_some(act),
        held: !order.process_changes,
        digest: preview.digest.to_string(),
        key: random_word().map_err(|_| ApiProblem::internal())?,
        seen: seen_figures(preview),
    };
    Ok((status, answer(&page)).into_response())
}

fn count(lines: usize) -> i64 {
    i64::try_from(lines).unwrap_or(i64::MAX)
}

fn figures(preview: &Preview, chosen: &ChosenLines) -> Vec<(&'static str, String)> {
    let mut figures = vec![
        ("Would be changed", thousands(preview.accepted)),
        ("Are so already", thousands(preview.already_so)),
        ("Are refused", thousands(preview.rejected())),
    ];
    let aside = chosen.unnamed.ids.len() + chosen.repeated.ids.len();
    if aside > 0 {
        figures.push(("Are set aside", thousands(count(aside))));
    }
    figures
}

fn set_aside(chosen: &ChosenLines) -> Vec<SetAsideShown> {
    let groups = [
        (NO_NUMBER, "no number: cannot be ordered here, where orders name lines by number", &chosen.unnamed),
        (REPEATED_NUMBER, "has the same number as another chosen line, and an order names a number once", &chosen.repeated),
    ];
    let shown = |(code, why, aside): (&'static str, &'static str, &SetAside)| SetAsideShown {
        code,
        mark: mark(&aside.ids),
        why,
        count: thousands(count(aside.ids.len())),
        lines: summary::lines(count(aside.ids.len())),
        examples: aside.examples.clone(),
    };
    groups.into_iter().filter(|(_, _, aside)| !aside.ids.is_empty()).map(shown).collect()
}

/// The figures, to be compared with those of another look.
fn seen_figures(preview: &Preview) -> String {
    let figures = figures_to_compare(preview).map(|figure| figure.to_string());
    figures.join(" ")
}

fn figures_to_compare(preview: &Preview) -> [i64; 5] {
    let Preview { accepted, already_so, open_entries, canceled_entries, .. } = preview;
    [*accepted, *already_so, preview.rejected(), open_entries.unwrap_or_default(), *canceled_entries]
}

/// What is different from what was seen.
fn difference(seen: &str, preview: &Preview) -> String {
    let was: Vec<i64> = seen.split(' ').filter_map(|figure| figure.parse().ok()).collect();
    let words = [
        "would be changed",
        "are so already",
        "are refused",
        "of their scheduled changes are open",
        "of their scheduled changes would be canceled",
    ];
    let changed: Vec<String> = was
        .iter()
        .zip(figures_to_compare(preview))
        .zip(words)
        .filter(|((was, now), _)| **was != *now)
        .map(|((was, now), word)| format!("{} {word}, {} before", thousands(now), thousands(*was)))
        .collect();
    if changed.is_empty() {
        return "As many lines would be changed, but some of them are other ones, or stand otherwise than before, or other changes \
                are scheduled for them, or for other dates."
            .to_owned();
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

fn refused(refused: &RefusedLines, mark: String) -> RefusedShown {
    RefusedShown {
        mark,
        code: refused.code.as_str(),
        count: thousands(refused.count),
        lines: summary::lines(refused.count),
        examples: refused.examples.clone(),
    }
}
