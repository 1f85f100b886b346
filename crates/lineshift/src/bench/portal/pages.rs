//! Which pages are measured, and what is behind each.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use chrono::{Datelike as _, Months, NaiveDate, TimeDelta};
use lineshift_domain::dates::start_of_day;
use lineshift_domain::ids::{DeviceId, SiteId};
use lineshift_domain::terms::PortalType;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::devices::LineFilter;
use lineshift_store::plan_queue::EntryFilter;
use reqwest::StatusCode;

use super::behind::{Behind, Call, GRID_LINES};
use super::browser::{Answer, Browser};
use super::prepare::{Prepared, ZONE};
use crate::bench::fleet::{self, Kind, OTHER_PLAN};

/// Whose lines are listed: a site, which is the customer itself.
const SITE: i64 = 7;

/// What a page is asked for by.
enum Ask {
    /// Its address.
    Get(String),
    /// A form with these fields.
    Form(String, Vec<(&'static str, String)>),
}

/// A page, and the calls behind it: the first one answers what the page is about, the others what stands there as well.
pub(super) struct Page {
    pub(super) name: &'static str,
    ask: Ask,
    pub(super) behind: Vec<Call>,
    /// Whether it shows counts that are kept.
    pub(super) is_counted: bool,
    /// Whether it takes so long that it is asked for less often.
    pub(super) is_seldom: bool,
}

/// How long a page took, and the bytes that came.
pub(super) struct Asked {
    pub(super) took: Duration,
    pub(super) bytes: usize,
}

impl Page {
    fn new(name: &'static str, address: impl Into<String>, behind: Vec<Call>) -> Self {
        Self { name, ask: Ask::Get(address.into()), behind, is_counted: false, is_seldom: false }
    }

    /// Asks for it, and for what is behind it.
    pub(super) async fn ask(&self, browser: &Browser, behind: &Behind) -> Result<()> {
        self.ask_page(browser).await?;
        self.ask_behind(browser, behind).await?;
        Ok(())
    }

    pub(super) async fn ask_page(&self, browser: &Browser) -> Result<Asked> {
        let Answer { status, body, took } = match &self.ask {
            Ask::Get(address) => browser.get(address).await?,
            Ask::Form(address, fields) => {
                let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, &**value)).collect();
                browser.send_form(address, &fields).await?
            }
        };
        ensure!(status == StatusCode::OK, "the page {} answered {status}", self.name);
        Ok(Asked { took, bytes: body.len() })
    }

    /// How long each of the calls behind it took, one after the other.
    pub(super) async fn ask_behind(&self, browser: &Browser, behind: &Behind) -> Result<Vec<Duration>> {
        let mut took = Vec::with_capacity(self.behind.len());
        for call in &self.behind {
            took.push(call.make(browser, behind).await?);
        }
        Ok(took)
    }
}

fn get(path: impl Into<String>) -> Call {
    Call::Get(path.into())
}

/// Where the API has no call for what a page is about: who asks, which every call finds out.
fn who() -> Call {
    get("/api/v1/me")
}

/// All of them but home that is counted anew.
pub(super) async fn pages(prepared: &Prepared, browser: &Browser, behind: &Behind) -> Result<Vec<Page>> {
    let mut pages = grids(browser, prepared).await?;
    let (line, change) = (prepared.line, prepared.change);
    pages.push(Page::new(
        "one line",
        format!("/m2m/lines/{line}"),
        vec![
            get(format!("/api/v1/devices/{line}")),
            Call::GetIfAny(format!("/api/v1/devices/{line}/usage")),
            get(format!("/api/v1/devices/{line}/history?limit=50")),
            get(format!("/api/v1/plan-queue?device_id={line}&limit=50")),
            Call::Services(DeviceId(line)),
            Call::Asked(DeviceId(line)),
        ],
    ));
    let providers = || get("/api/v1/service-providers");
    let list = vec![get("/api/v1/bulk-changes?limit=50"), providers()];
    pages.push(Page::new("bulk changes", "/m2m/bulk-changes", list));
    let rows = |status: &str| {
        let calls = [get(format!("/api/v1/bulk-changes/{change}")), get(rows_of(change, status)), providers()];
        calls.into_iter().chain([get(format!("/api/v1/customer-rate-plans/{OTHER_PLAN}"))]).collect()
    };
    let address = format!("/m2m/bulk-changes/{change}");
    pages.push(Page::new("one bulk change, its failures", address.as_str(), rows("?status=ERROR")));
    pages.push(Page::new("one bulk change, all rows", format!("{address}?status=all"), rows("")));
    pages.extend(scheduled(prepared));
    pages.push(Page { is_counted: true, ..Page::new("home, counts kept", "/", home_calls(prepared)) });
    pages.push(preview(browser, prepared, behind).await?);
    Ok(pages)
}

fn rows_of(change: i64, status: &str) -> String {
    format!("/api/v1/bulk-changes/{change}/devices{status}")
}

/// The lines: their first page, one from the middle of the fleet on, and those of a filter.
async fn grids(browser: &Browser, prepared: &Prepared) -> Result<Vec<Page>> {
    let of_site = LineFilter { site_id: Some(SiteId(SITE)), ..LineFilter::default() };
    let in_status = |status: &str| LineFilter { status: Some(status.to_owned()), ..LineFilter::default() };
    let both = LineFilter { status: Some("DEACTIVATED".to_owned()), ..of_site.clone() };
    // What the filter offers to choose among.
    let options = |first: Vec<Call>| {
        let lists = ["service-providers", "customer-rate-plans", "customer-rate-pools"];
        first.into_iter().chain(lists.map(|list| get(format!("/api/v1/{list}?limit=101")))).collect::<Vec<_>>()
    };
    let listed = |query: &str| get(format!("/api/v1/devices?limit={GRID_LINES}{query}"));
    let after = far_behind(browser, prepared.lines / 2).await?;
    let found = |filter: &LineFilter| options(vec![who(), Call::Lines(filter.clone()), Call::CountLines(filter.clone())]);
    let all = || Call::CountLines(LineFilter::default());
    Ok(vec![
        Page::new("lines, first page", "/m2m/lines", options(vec![listed(""), all()])),
        Page::new(
            "lines, from the middle on",
            format!("/m2m/lines?after={after}"),
            options(vec![listed(&format!("&after={after}")), all()]),
        ),
        Page::new(
            "lines of a customer",
            format!("/m2m/lines?site_id={SITE}"),
            options(vec![listed(&format!("&site_id={SITE}")), Call::CountLines(of_site)]),
        ),
        Page::new("lines in a status most are in", "/m2m/lines?status=ACTIVATED", found(&in_status("ACTIVATED"))),
        Page::new("lines in a status few are in", "/m2m/lines?status=DEACTIVATED", found(&in_status("DEACTIVATED"))),
        Page::new("lines of a customer in a status", format!("/m2m/lines?site_id={SITE}&status=DEACTIVATED"), found(&both)),
    ])
}

/// Where the list goes on behind so many lines.
async fn far_behind(browser: &Browser, lines: u64) -> Result<String> {
    let mut after = String::new();
    for _ in 0..lines.div_ceil(1_000).max(1) {
        let query = if after.is_empty() { String::new() } else { format!("&after={after}") };
        let limit = lines.clamp(1, 1_000);
        let listed = browser.read(&format!("/api/v1/devices?limit={limit}{query}")).await?;
        after = listed["next"].as_str().context("the list goes on")?.to_owned();
    }
    Ok(after)
}

/// The plan queue as a list and as a month.
fn scheduled(prepared: &Prepared) -> Vec<Page> {
    let first = prepared.due.with_day(1).unwrap_or(prepared.due);
    let next = first.checked_add_months(Months::new(1)).unwrap_or(first);
    let portal = Some(PortalType::M2M);
    let of_month = EntryFilter { portal, from: start_of_day(first, ZONE), until: start_of_day(next, ZONE), ..EntryFilter::ALL };
    vec![
        Page::new("scheduled, as a list", "/m2m/plan-queue", vec![get("/api/v1/plan-queue?limit=100")]),
        Page::new(
            "scheduled, as a month",
            format!("/m2m/plan-queue?month={}", first.format("%Y-%m")),
            vec![who(), Call::CountDue(of_month)],
        ),
    ]
}

fn home_calls(prepared: &Prepared) -> Vec<Call> {
    let day = |back: i64| start_of_day(today() - TimeDelta::days(back), ZONE);
    vec![
        who(),
        Call::Unfinished,
        Call::Failed(day(0)),
        Call::Days(day(29)),
        get("/api/v1/unsettled-steps?limit=100"),
        get("/api/v1/integration-authentications?limit=50"),
        get(format!("/api/v1/sites?limit={}", prepared.named)),
        get(format!("/api/v1/customer-rate-plans?limit={}", prepared.named)),
    ]
}

/// Home of a process that has counted nothing yet.
pub(super) fn home_counted_anew(prepared: &Prepared) -> Page {
    let soon = EntryFilter { until: SystemClock.now() + TimeDelta::days(10), ..EntryFilter::ALL };
    let mut behind = home_calls(prepared);
    behind.extend([Call::Figures, Call::CountDue(soon)]);
    Page { is_counted: true, ..Page::new("home, counted anew", "/", behind) }
}

/// A plan change of the chosen lines, looked at before it is ordered.
async fn preview(browser: &Browser, prepared: &Prepared, store: &Behind) -> Result<Page> {
    let body = fleet::body(Kind::PlanChange, prepared.provider, prepared.preview_plan, &prepared.chosen);
    let fields = vec![("CustomerRatePlanId", prepared.preview_plan.to_string())];
    let lines: Vec<DeviceId> = store.chosen(prepared.user).await?.into_iter().map(|line| line.device_id).collect();
    ensure!(lines.len() == prepared.chosen.len(), "{} lines are chosen, of {}", lines.len(), prepared.chosen.len());
    let behind = vec![
        Call::Post("/M2M/ValidateBulkChange".to_owned(), Bytes::from(body)),
        Call::Chosen(prepared.user),
        Call::OpenEntries(lines),
        get(format!("/api/v1/customer-rate-plans/{}", prepared.preview_plan)),
    ];
    let ask = Ask::Form("/m2m/order/customer-rate-plan".to_owned(), fields);
    let page = Page { ask, is_seldom: true, ..Page::new("preview of an order", "", behind) };
    page.ask_page(browser).await?;
    Ok(page)
}

/// The day on which it is now, where the tenant is.
pub(super) fn today() -> NaiveDate {
    SystemClock.now().with_timezone(&ZONE).date_naive()
}
