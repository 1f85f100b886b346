//! What would become of each line, page by page.

use std::collections::HashMap;

use askama::Template;
use axum::response::Response;
use lineshift_domain::ids::DeviceId;
use lineshift_domain::judge::Verdict;
use lineshift_domain::order::{Order, StoredOrder};
use lineshift_domain::terms::PortalType;
use lineshift_engine::{EngineError, LineValues, PreviewedLine};
use lineshift_store::catalogue::Names;
use lineshift_store::selections::SelectedLine;

use super::chosen::{self, named, with_lines};
use super::form::Asked;
use super::summary::unnamed;
use crate::portal::page::{answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, segment};

/// Lines of a page.
pub(super) const LINES: usize = 100;

/// A page of lines with what would become of them.
pub(super) struct LinesShown {
    /// What the order touches, as the heads of the columns.
    pub(super) heads: Vec<&'static str>,
    pub(super) rows: Vec<RowShown>,
    /// The last of these lines, and its place: after it the next page begins.
    pub(super) next: Option<(DeviceId, usize)>,
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

/// From where on lines are shown: after that one, which is at that place of all that are chosen.
#[derive(Clone, Copy, Default)]
pub(super) struct From {
    pub(super) after: Option<DeviceId>,
    pub(super) place: usize,
}

/// A page of the chosen lines: read by their ids from there on, so that the last page costs what the first does.
/// `count` is how many there are.
pub(super) async fn shown(
    viewer: &Viewer,
    asked: &Asked,
    order: &Order,
    from: From,
    count: i64,
) -> Result<LinesShown, EngineError> {
    let by = asked.portal.first_identifier();
    let (chosen, more) = chosen::page(viewer, asked.portal, asked.provider.id, from.after, LINES).await?;
    let page = with_lines(order, chosen.iter().filter_map(|line| named(line, by)).collect());
    let previewed = viewer.web.engine.preview_lines(&viewer.caller, &page).await?;
    let values = previewed.lines.iter().flat_map(|line| [&line.before, &line.after]);
    let names = viewer.web.engine.store().find_names(viewer.caller.tenant, &unnamed(&previewed.order, values)).await?;
    let columns = columns(&previewed.order);
    // A number that several of these lines have was looked at once.
    let of_name: HashMap<&str, &PreviewedLine> =
        previewed.lines.iter().filter_map(|line| Some((page.lines.get(line.position as usize)?, line))).collect();
    let rows = chosen.iter().map(|line| match named(line, by) {
        Some(name) => row(name, of_name.get(name).copied(), line.device_id, asked.portal, &columns, &names),
        None => without_number(line, asked.portal, columns.len()),
    });
    // The place is what an address or a form says.
    let to = from.place.saturating_add(chosen.len());
    let last = chosen.last().map(|line| line.device_id).filter(|_| more);
    Ok(LinesShown {
        heads: columns.iter().map(|(head, _)| *head).collect(),
        rows: rows.collect(),
        next: last.map(|last| (last, to)),
        range: format!(
            "{} to {} of {}",
            whole(from.place.saturating_add(1)),
            whole(to),
            thousands(count.max(i64::try_from(to).unwrap_or(i64::MAX)))
        ),
    })
}

/// A line that an order cannot name.
fn without_number(line: &SelectedLine, portal: PortalType, columns: usize) -> RowShown {
    RowShown {
        line: line.iccid.clone(),
        address: Some(format!("/{}/lines/{}", segment(portal), line.device_id)),
        verdict: "is set aside: it has no number".to_owned(),
        is_refused: true,
        values: vec![(String::new(), String::new()); columns],
    }
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

fn row(
    name: &str,
    line: Option<&PreviewedLine>,
    chosen: DeviceId,
    portal: PortalType,
    columns: &[(&'static str, Column)],
    names: &Names,
) -> RowShown {
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    let of = |values: &LineValues, column: Column| or_none(column(values, names));
    let values = match line.filter(|line| line.device_id.is_some()) {
        None => vec![(String::new(), String::new()); columns.len()],
        Some(line) => columns.iter().map(|(_, column)| (of(&line.before, *column), of(&line.after, *column))).collect(),
    };
    let (verdict, is_refused) = match line.map(|line| &line.verdict) {
        Some(Verdict::Accepted) => ("is changed".to_owned(), false),
        Some(Verdict::AlreadySo) => ("is so already".to_owned(), false),
        Some(Verdict::Refused(reason)) if reason.text.is_empty() => (reason.code.to_string(), true),
        Some(Verdict::Refused(reason)) => (reason.text.clone(), true),
        // The engine takes it for a line that was named before in other signs.
        None => ("is named already by another chosen line".to_owned(), true),
    };
    let address = Some(format!("/{}/lines/{chosen}", segment(portal)));
    RowShown { line: name.to_owned(), address, verdict, is_refused, values }
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
    /// How many lines are chosen.
    count: i64,
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
        count: asked.count,
    };
    Ok(answer(&page))
}
