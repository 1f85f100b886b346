//! The lines of a tenant: a grid that costs the same on its first and its last page, whatever is sought.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};
use lineshift_domain::ids::DeviceId;
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_store::catalogue::{Names, Unnamed};
use lineshift_store::devices::{CountedLines, DeviceView, LOOKED_AT, LineFilter, LineOrder, SoughtLines};

use crate::cursor::Cursor as _;
use crate::portal::address::{given, with_parameter};
use crate::portal::choosing::{Chosen, key};
use crate::portal::line_filter::{self, Field, FoundByName, Meant, Named};
use crate::portal::page::{answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::query::Parameters;

/// Lines of a page.
const LINES: usize = 50;

/// Lines that are counted; beyond that it is said that there are more.
const COUNTED: usize = 10_000;

#[derive(Template)]
#[template(path = "lines.html")]
struct LinesPage {
    frame: Frame,
    address: String,
    fields: Vec<Field>,
    is_sought: bool,
    is_newest_first: bool,
    /// Whether lines come in the order of their ICCIDs.
    is_by_iccid: bool,
    trouble: Vec<Trouble>,
    /// How many lines there are, in words.
    count: String,
    lines: Vec<LineRow>,
    next: Option<String>,
    /// How many lines were looked at, where the page ended because of that.
    looked_at: Option<String>,
    /// Whether lines of this portal are known by their numbers first.
    by_number: bool,
    /// What the viewer has chosen; none: they may choose nothing.
    chosen: Option<Chosen>,
    /// The filter, as a form sends it on.
    filter: Vec<(String, String)>,
    back: String,
}

/// What is wrong with what is sought, and what may have been meant.
struct Trouble {
    text: String,
    /// Names with the addresses that seek them.
    meant: Vec<(String, String)>,
}

/// A line in the grid.
struct LineRow {
    id: i64,
    iccid: String,
    number: String,
    status: String,
    customer: String,
    site: String,
    provider: String,
    plan: String,
    pool: String,
    carrier_plan: String,
    is_archived: bool,
    is_chosen: bool,
}

/// `GET /{portal}/lines`
pub(in crate::portal) async fn list(viewer: Viewer, Path(portal): Path<String>, uri: Uri) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    viewer.caller.require(portal.into(), Action::View)?;
    let given = given(&uri);
    let address = format!("/{}/lines", segment(portal));
    let (resolved, mut trouble) = resolve(&viewer, &address, &given).await?;
    if !resolved.is_empty() && trouble.is_empty() {
        return Ok(Redirect::to(&sought_by(&address, &given, &resolved)).into_response());
    }
    if let Some(respelled) = line_filter::respelled(&viewer, &given).await? {
        return Ok(Redirect::to(&sought_by(&address, &respelled, &[])).into_response());
    }
    let plain: Vec<(String, String)> =
        given.iter().filter(|(name, _)| Named::ALL.iter().all(|named| named.typed() != name)).cloned().collect();
    let mut asked = Parameters::of_pairs(plain);
    let (filter, order) = (line_filter::read(&mut asked), line_filter::read_order(&mut asked));
    let after: Option<DeviceId> = asked.cursor("after");
    // What is sought wrongly is said beside the fields, and they keep it.
    if let Err(problem) = asked.finish() {
        if !problem.has_errors() {
            return Err(problem.into());
        }
        trouble.push(Trouble { text: problem.detail(), meant: Vec::new() });
    }
    let (found, counted) = if trouble.is_empty() {
        look(&viewer, &filter, order, after).await?
    } else {
        (SoughtLines::default(), CountedLines::default())
    };
    let (names, chosen, fields) = tokio::join!(
        names_of(&viewer, &found.items),
        Chosen::of(&viewer, portal),
        line_filter::fields(&viewer, portal, &given, &filter),
    );
    let (names, chosen, fields) = (names?, chosen?, fields?);
    let ticked = ticked_of(&viewer, portal, chosen.is_some(), &found.items).await?;
    let page = LinesPage {
        frame: viewer.frame("Lines", Some(portal), Place::Lines)?,
        fields,
        is_sought: given.iter().any(|(name, _)| name != "after" && name != "order"),
        is_by_iccid: filter.is_by_iccid() && viewer.caller.rights.reach.is_everything(),
        is_newest_first: order == LineOrder::NewestFirst,
        trouble,
        count: in_words(counted),
        next: found.next.map(|next| with_parameter(&address, &given, "after", &next.encode())),
        looked_at: found.is_cut.then(|| thousands(LOOKED_AT as i64)),
        lines: found.items.into_iter().map(|line| row(line, &names, &ticked)).collect(),
        by_number: portal.first_identifier() == LineIdentifier::Number,
        chosen,
        filter: given.iter().filter(|(name, _)| name != "after" && name != "order").cloned().collect(),
        back: uri.path_and_query().map_or_else(|| address.clone(), ToString::to_string),
        address,
    };
    Ok(answer(&page))
}

/// The page, and how many lines there are.
async fn look(
    viewer: &Viewer,
    filter: &LineFilter,
    order: LineOrder,
    after: Option<DeviceId>,
) -> Result<(SoughtLines, CountedLines), ApiProblem> {
    let (store, tenant, reach) = (viewer.web.engine.store(), viewer.caller.tenant, &viewer.caller.rights.reach);
    let page = store.find_lines(tenant, reach, filter, order, after, LINES);
    let count = store.count_sought(tenant, reach, filter, COUNTED);
    let (page, count) = tokio::join!(page, count);
    Ok((page?, count?))
}

fn in_words(counted: CountedLines) -> String {
    let lines = if counted.lines == 1 { "line" } else { "lines" };
    let count = thousands(counted.lines);
    match counted {
        CountedLines { is_all: true, .. } => format!("{count} {lines}"),
        CountedLines { lines, .. } if lines >= COUNTED as i64 => format!("more than {count} lines"),
        CountedLines { .. } => format!("{count} {lines} among the first {} that were looked at", thousands(LOOKED_AT as i64)),
    }
}

/// The ids of what was typed by its name, and what is not known or not clear.
async fn resolve(
    viewer: &Viewer,
    address: &str,
    given: &[(String, String)],
) -> Result<(Vec<(Named, Meant)>, Vec<Trouble>), ApiProblem> {
    let (mut resolved, mut trouble) = (Vec::new(), Vec::new());
    for named in Named::ALL {
        let Some((_, text)) = given.iter().find(|(name, _)| name == named.typed()) else { continue };
        let what = named.label().to_lowercase();
        match named.find(viewer, text).await? {
            FoundByName::One(meant) => resolved.push((named, meant)),
            FoundByName::Nothing => {
                trouble.push(Trouble { text: format!("No {what} is called {text:?}."), meant: Vec::new() });
            }
            FoundByName::Several { first, are_more } => {
                let more = if are_more { ", and more" } else { "" };
                let meant = first.into_iter().map(|meant| {
                    let name = format!("{} ({} {})", meant.name, meant.by.label().to_lowercase(), meant.id);
                    (name, sought_by(address, given, &[(named, meant)]))
                });
                trouble.push(Trouble { text: format!("Several fit the {what} {text:?}{more}:"), meant: meant.collect() });
            }
        }
    }
    if let Some(of_both) = at_two_sites(given, &resolved) {
        trouble.push(Trouble { text: of_both, meant: Vec::new() });
    }
    Ok((resolved, trouble))
}

/// Why no line is as it was sought, where a site that is a customer itself is sought as that, and another site beside it.
fn at_two_sites(given: &[(String, String)], resolved: &[(Named, Meant)]) -> Option<String> {
    let (_, customer) = resolved.iter().find(|(typed, meant)| *typed == Named::Customer && meant.by == Named::Site)?;
    let typed = resolved.iter().find(|(typed, _)| *typed == Named::Site).map(|(_, site)| site.id);
    let by_id = given.iter().find(|(name, _)| name == Named::Site.parameter()).and_then(|(_, id)| id.parse().ok());
    let other = typed.or(by_id).filter(|site| *site != customer.id)?;
    Some(format!(
        "No line is of the customer {:?} and at site {other}: that customer is a site itself, {}. Leave one of them out.",
        customer.name, customer.id
    ))
}

/// The address that seeks the same with ids in the place of names, from the first page on.
fn sought_by(address: &str, given: &[(String, String)], resolved: &[(Named, Meant)]) -> String {
    let replaces = |name: &str, named: Named| name == named.typed() || name == named.parameter();
    let is_replaced = |name: &str| resolved.iter().any(|(typed, meant)| replaces(name, *typed) || name == meant.by.parameter());
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(given.iter().filter(|(name, _)| name != "after" && !is_replaced(name)));
    let mut ids: Vec<(&str, i64)> = resolved.iter().map(|(_, meant)| (meant.by.parameter(), meant.id)).collect();
    // A site that is a customer may stand in both fields.
    ids.dedup();
    query.extend_pairs(ids.into_iter().map(|(parameter, id)| (parameter, id.to_string())));
    format!("{address}?{}", query.finish())
}

/// The names of everything that stands by its id in those lines, asked for at once.
async fn names_of(viewer: &Viewer, lines: &[DeviceView]) -> Result<Names, ApiProblem> {
    fn all<T: Ord>(lines: &[DeviceView], of: impl Fn(&DeviceView) -> Option<T>) -> BTreeSet<T> {
        lines.iter().filter_map(of).collect()
    }
    let unnamed = Unnamed {
        rev_customers: all(lines, |line| line.rev_customer_id),
        sites: all(lines, |line| line.site_id),
        service_providers: all(lines, |line| Some(line.service_provider_id)),
        customer_rate_plans: all(lines, |line| line.customer_rate_plan_id),
        customer_rate_pools: all(lines, |line| line.customer_rate_pool_id),
    };
    Ok(viewer.web.engine.store().find_names(viewer.caller.tenant, &unnamed).await?)
}

/// Which of these lines are chosen.
async fn ticked_of(
    viewer: &Viewer,
    portal: PortalType,
    may_choose: bool,
    lines: &[DeviceView],
) -> Result<BTreeSet<DeviceId>, ApiProblem> {
    if !may_choose {
        return Ok(BTreeSet::new());
    }
    let ids: Vec<DeviceId> = lines.iter().map(|line| line.id).collect();
    let found = viewer.web.engine.store().find_selected(viewer.caller.tenant, &key(viewer, portal), &ids).await?;
    Ok(found.into_iter().collect())
}

fn row(line: DeviceView, names: &Names, ticked: &BTreeSet<DeviceId>) -> LineRow {
    let customer = line.rev_customer_id.and_then(|id| names.rev_customers.get(&id).cloned());
    let site = line.site_id.and_then(|id| names.sites.get(&id).cloned());
    let plan = line.customer_rate_plan_id.and_then(|id| names.customer_rate_plans.get(&id).cloned());
    let pool = line.customer_rate_pool_id.and_then(|id| names.customer_rate_pools.get(&id).cloned());
    LineRow {
        id: line.id.0,
        iccid: line.iccid,
        number: line.subscriber_number.unwrap_or_default(),
        status: line.status,
        // A site without a customer of Rev.io is one itself.
        customer: customer.or_else(|| site.clone().filter(|_| line.rev_customer_id.is_none())).unwrap_or_default(),
        site: site.unwrap_or_default(),
        provider: names.service_providers.get(&line.service_provider_id).cloned().unwrap_or_default(),
        plan: plan.unwrap_or_default(),
        pool: pool.unwrap_or_default(),
        carrier_plan: line.carrier_rate_plan.unwrap_or_default(),
        is_archived: line.is_archived,
        is_chosen: ticked.contains(&line.id),
    }
}
