//! What would become of each line, page by page.

use askama::Template;
use axum::response::Response;
use lineshift_domain::judge::Verdict;
use lineshift_domain::order::{Order, StoredOrder};
use lineshift_engine::{LineValues, PreviewedLine};
use lineshift_store::catalogue::Names;

use super::chosen::{ChosenLines, with_lines};
use super::form::Asked;
use super::summary::unnamed;
use crate::portal::page::{answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, segment};
use crate::problem::ApiProblem;

/// Lines of a page.
pub(super) const LINES: usize = 100;

/// A page of lines with what would become of them.
pub(super) struct LinesShown {
    /// What the order touches, as the heads of the columns.
    pub(super) heads: Vec<&'static str>,
    pub(super) rows: Vec<RowShown>,
    /// From which line on the next page begins.
    pub(super) next: Option<usize>,
    /// Of how many lines which are shown.
    pub(super) range: String,
}

/// A line, and what would become of it.
pub(super) struct RowShown {
    pub(super) line: String,
    pub(super) address: Option<String>,
    /// What is done with it, or why nothing is.
    pub(super) verdict: String,
    pub(super) is_refused: bool,
    /// What the order touches: before and after; the same where it stays.
    pub(super) values: Vec<(String, String)>,
}

/// The lines from a place on.
pub(super) async fn shown(
    viewer: &Viewer,
    asked: &Asked,
    order: &Order,
    stored: &StoredOrder,
    chosen: &ChosenLines,
    from: usize,
) -> Result<LinesShown, ApiProblem> {
    let written = chosen.page(from, LINES);
    let page = with_lines(order, written.clone());
    let lines = viewer.web.engine.preview_lines(&viewer.caller, &page).await?;
    let values = lines.iter().flat_map(|line| [&line.before, &line.after]);
    let names = viewer.web.engine.store().find_names(viewer.caller.tenant, &unnamed(stored, values)).await?;
    let columns = columns(stored);
    let to = from + written.len();
    let rows = lines.into_iter().map(|line| {
        let text = written.get(line.position as usize).unwrap_or_default().to_owned();
        row(line, text, asked, &columns, &names)
    });
    Ok(LinesShown {
        heads: columns.iter().map(|(head, _)| *head).collect(),
        rows: rows.collect(),
        next: (to < chosen.ids.len()).then_some(to),
        range: format!("{} to {} of {}", whole(from + 1), whole(to), whole(chosen.ids.len())),
    })
}

fn whole(count: usize) -> String {
    thousands(i64::try_from(count).unwrap_or(i64::MAX))
}

/// How a value of a line is read for its column.
type Column = fn(&LineValues, &Names) -> String;

/// The columns of what an order touches.
fn columns(order: &StoredOrder) -> Vec<(&'static str, Column)> {
    let mut columns: Vec<(&'static str, Column)> = Vec::new();
    if order.assignment().is_some() {
        columns.push(("Customer", |it, names| match (it.rev_customer_id, it.site_id) {
            (Some(id), _) => names.rev_customers.get(&id).cloned().unwrap_or_else(|| id.to_string()),
            // Without one of Rev.io's the site is the customer.
            (None, Some(id)) => names.sites.get(&id).cloned().unwrap_or_else(|| id.to_string()),
            (None, None) => String::new(),
        }));
        columns.push(("Site", |it, names| {
            it.site_id.map(|id| names.sites.get(&id).cloned().unwrap_or_else(|| id.to_string())).unwrap_or_default()
        }));
    }
    if order.plan().is_some() {
        columns.push(("Customer rate plan", |it, names| {
            let named = |id| names.customer_rate_plans.get(&id).cloned().unwrap_or_else(|| id.to_string());
            it.customer_rate_plan_id.map(named).unwrap_or_default()
        }));
        columns.push(("Pool", |it, names| {
            let named = |id| names.customer_rate_pools.get(&id).cloned().unwrap_or_else(|| id.to_string());
            it.customer_rate_pool_id.map(named).unwrap_or_default()
        }));
        columns.push(("Allocation", |it, _| it.customer_data_allocation_mb.map(|mb| format!("{mb} MB")).unwrap_or_default()));
    }
    if matches!(order, StoredOrder::StatusUpdate(_)) {
        columns.push(("Status", |it, _| it.status.clone().unwrap_or_default()));
    } else if order.carrier_change().is_some() {
        columns.push(("Carrier rate plan", |it, _| it.carrier_rate_plan.clone().unwrap_or_default()));
        columns.push(("Communication plan", |it, _| it.communication_plan.clone().unwrap_or_default()));
    }
    columns
}

fn row(line: PreviewedLine, text: String, asked: &Asked, columns: &[(&'static str, Column)], names: &Names) -> RowShown {
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    let of = |values: &LineValues, column: Column| or_none(column(values, names));
    let values = match line.device_id {
        None => vec![(String::new(), String::new()); columns.len()],
        Some(_) => columns.iter().map(|(_, column)| (of(&line.before, *column), of(&line.after, *column))).collect(),
    };
    let (verdict, is_refused) = match line.verdict {
        Verdict::Accepted => ("is changed".to_owned(), false),
        Verdict::AlreadySo => ("is so already".to_owned(), false),
        Verdict::Refused(reason) if reason.text.is_empty() => (reason.code.to_string(), true),
        Verdict::Refused(reason) => (reason.text, true),
    };
    let address = line.device_id.map(|id| format!("/{}/lines/{id}", segment(asked.portal)));
    RowShown { line: if text.is_empty() { "no number".to_owned() } else { text }, address, verdict, is_refused, values }
}

#[derive(Template)]
#[template(path = "order_lines.html")]
struct LinesPage {
    frame: Frame,
    address: String,
    title: &'static str,
    provider_id: i64,
    typed: Vec<(String, String)>,
    lines: LinesShown,
}

/// A further page of the lines of a preview.
pub(super) fn page(viewer: &Viewer, asked: &Asked, lines: LinesShown) -> Result<Response, PageRefused> {
    let page = LinesPage {
        frame: viewer.frame(asked.act.title(), Some(asked.portal), Place::Lines)?,
        address: asked.address(),
        title: asked.act.title(),
        provider_id: asked.provider.id.0,
        typed: asked.typed.all().to_vec(),
        lines,
    };
    Ok(answer(&page))
}
