//! Running one page: judge its rows again on locked facts, settle those that fail, do the steps for the rest (B5.3).

mod named;
mod rights;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use lineshift_domain::carrier::Abilities;
use lineshift_domain::codes::Code;
use lineshift_domain::facts::LineFacts;
use lineshift_domain::ids::{DeviceChangeId, ServiceProviderId};
use lineshift_domain::judge::{ActiveStatuses, Judge, Reason, Verdict};
use lineshift_domain::order::StoredOrder;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{DeviceChangeStatus, IntegrationKind};
use lineshift_store::Result as StoreResult;
use lineshift_store::devices::FactsQuery;
use lineshift_store::work::{AccountFacts, OrderFacts, PageClaim, PageLine, PageResult, PageWork, Settled};

use crate::Engine;
use crate::outside::{Holding, Lease};
use crate::steps::{apply_measured, scheduled_for, set_steps};
use crate::submit::ambiguous;
use named::{is_named_anew, look_up_named};
pub(crate) use rights::reaches_line;
use rights::{has_rights, rights_lost};

impl Engine {
    /// Runs a claimed page, which stays claimed, to be completed, unless rows of it wait. Workers do this by themselves; it is open to
    /// tests and measurements.
    pub async fn run_page(&self, claim: &PageClaim) -> StoreResult<PageResult> {
        let lease = Lease::new(self.clock.now() + self.limits.lease(), Arc::clone(&self.clock));
        self.run_page_holding(claim, Holding::alone(lease)).await
    }

    /// Runs a claimed page: in one transaction when nobody outside is called for it.
    pub(crate) async fn run_page_holding(&self, claim: &PageClaim, holding: Holding) -> StoreResult<PageResult> {
        // Read before the page's transaction, which has a connection: were all of them open pages that wait for one more, each would
        // wait for the others.
        let statuses = self.active_statuses().await?;
        let page = self.store.open_page(claim, self.clock.now()).await?;
        if page.order().change.order.calls_outside() {
            return Box::pin(self.run_outside_page(claim, page, holding, &statuses)).await;
        }
        self.run_set_page(page, &statuses).await
    }

    async fn run_set_page(&self, mut page: Box<dyn PageWork>, statuses: &ActiveStatuses) -> StoreResult<PageResult> {
        let started = Instant::now();
        let order = page.order().clone();
        let judged = judge_rows(page.as_mut(), &order, &DoneOutside::default(), statuses, None).await?;
        let settled: Vec<Settled> = judged.rows.iter().filter_map(|(row, judged)| judged.settle(*row)).collect();
        page.settle(&settled).await?;
        if settled.len() < judged.rows.len() {
            for step in set_steps(&order) {
                apply_measured(step.as_ref(), &order, page.as_mut()).await?;
            }
        }
        let details = order.change.order.plan().and_then(|plan| scheduled_for(&order, plan));
        let result = page.finish(details.as_deref()).await?;
        metrics::histogram!("lineshift_page_seconds").record(started.elapsed().as_secs_f64());
        measure_outcomes(&settled, result);
        Ok(result)
    }
}

/// What a change has done outside for the rows of a page, as far as it bears on judging them again.
#[derive(Debug, Default)]
pub(crate) struct DoneOutside {
    /// Rows whose Rev service this change found or created: rule 7 does not count it against them.
    pub(crate) own: HashSet<DeviceChangeId>,
    /// Rows of which something stands, or may stand: a cancel does not end them (B10.1), and they are judged as ever.
    pub(crate) sent: HashSet<DeviceChangeId>,
}

/// Judges every open row of a page again, on locked facts (B5.3). It asks the page alone: whatever else the store is asked would need a
/// second connection while the page has one.
pub(crate) async fn judge_rows(
    page: &mut dyn PageWork,
    order: &OrderFacts,
    done: &DoneOutside,
    statuses: &ActiveStatuses,
    abilities: Option<&Abilities>,
) -> StoreResult<JudgedRows> {
    let stored = &order.change.order;
    let query = FactsQuery::of(stored);
    let lines = page.list_open_lines(query).await?;
    let canceled = order.change.canceled_at.is_some();
    let (carried_on, ended): (Vec<PageLine>, Vec<PageLine>) =
        lines.into_iter().partition(|line| !canceled || done.sent.contains(&line.id));
    let ended = ended.into_iter().map(|line| (line.id, Judged::Stopped(Stop::Canceled)));
    let mut judged = match stopped(order) {
        Some(stop @ (Stop::Canceled | Stop::Refused(_))) => {
            let rows = carried_on.iter().map(|line| (line.id, Judged::Stopped(stop.clone()))).collect();
            JudgedRows { rows, found_anew: false }
        }
        no_calls => {
            let judge = judge_of(stored, order.change.service_provider_id, order.integration_kind, statuses, abilities);
            let mut judged = judge_page(page, order, &carried_on, &judge, query, &done.own).await?;
            // Rows that need no call any more go on in spite of it: whether their lines still may is judged as ever, and a right that was
            // lost is no matter of an account. A line that stands as asked, and for which nothing was sent, needs nobody (B4.6).
            for (row, verdict) in &mut judged.rows {
                let calls = match verdict {
                    Judged::Accepted => true,
                    Judged::AlreadySo => done.sent.contains(row),
                    Judged::Refused(_) | Judged::Stopped(_) => false,
                };
                if let Some(stop) = no_calls.as_ref().filter(|_| calls) {
                    *verdict = Judged::Stopped(stop.clone());
                }
            }
            judged
        }
    };
    judged.rows.extend(ended);
    judged.rows.sort_by_key(|(row, _)| *row);
    Ok(judged)
}

/// Judges lines by a stored order.
pub(crate) fn judge_of<'a>(
    order: &'a StoredOrder,
    provider: ServiceProviderId,
    kind: IntegrationKind,
    statuses: &'a ActiveStatuses,
    abilities: Option<&'a Abilities>,
) -> Judge<'a> {
    let judge = Judge::new(order, provider, kind, statuses);
    let judge = match abilities {
        Some(abilities) => judge.at_carrier(abilities),
        None => judge,
    };
    if order.rev_service().is_some() { judge.creating_rev_service() } else { judge }
}

/// What a page's open rows are worth.
pub(crate) struct JudgedRows {
    /// In device order.
    pub(crate) rows: Vec<(DeviceChangeId, Judged)>,
    /// Whether rows found their lines only now (B10.2).
    pub(crate) found_anew: bool,
}

/// What one row is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judged {
    Accepted,
    AlreadySo,
    Refused(Reason),
    Stopped(Stop),
}

impl Judged {
    /// How a row ends on which nothing was sent; none: its steps are to be done.
    fn settle(&self, row: DeviceChangeId) -> Option<Settled> {
        match self {
            Self::Accepted => None,
            Self::AlreadySo => Some(Settled::AlreadySo(row)),
            Self::Stopped(Stop::Canceled) => Some(Settled::Canceled(row)),
            Self::Refused(reason) | Self::Stopped(Stop::Refused(reason)) => Some(Settled::Refused(row, reason.clone())),
            Self::Stopped(Stop::NoCalls(no)) => no.reason().map(|reason| Settled::Refused(row, reason.clone())),
        }
    }
}

/// Why none of the page's rows may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    Canceled,
    Refused(Reason),
    /// Only the rows that would call somebody who may not be called (B5.3).
    NoCalls(NoCalls),
}

/// Why the billing system or the carrier may not be called for the order; none: it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoCalls {
    pub(crate) billing: Option<Reason>,
    pub(crate) carrier: Option<Reason>,
}

impl NoCalls {
    /// Either reason, the billing system's first.
    fn reason(&self) -> Option<&Reason> {
        self.billing.as_ref().or(self.carrier.as_ref())
    }
}

/// What has changed about the order as a whole since it was submitted.
fn stopped(order: &OrderFacts) -> Option<Stop> {
    let refused = |code: Code, text: &str| Some(Stop::Refused(Reason::new(code, text)));
    if !has_rights(order) {
        return Some(rights_lost());
    }
    let targets = order.targets;
    if !targets.customer {
        return refused(Code::CustomerInactive, "the customer was made inactive after this was ordered");
    }
    if !targets.site {
        return refused(Code::SiteInactive, "the site was made inactive after this was ordered");
    }
    // A plan that is queued is looked at when it falls due (B8.3).
    let plan_now = order.change.order.plan().is_some_and(|plan| !plan.queued);
    if plan_now && !targets.plan {
        return refused(Code::PlanInactive, "the customer rate plan was made inactive after this was ordered");
    }
    if plan_now && !targets.pool {
        return refused(Code::PoolInactive, "the customer rate pool was made inactive after this was ordered");
    }
    let no = NoCalls {
        billing: order.billing.as_ref().and_then(no_account),
        carrier: order.carrier.as_ref().and_then(no_account).or_else(|| no_carrier_plan(order)),
    };
    no.reason().is_some().then_some(Stop::NoCalls(no))
}

/// Why lines may not be moved to the order's carrier plan any more, if so. It binds those that are not moved yet: what stands at the
/// carrier stands.
fn no_carrier_plan(order: &OrderFacts) -> Option<Reason> {
    let text = "the carrier rate plan was made inactive after this was ordered";
    (!order.targets.carrier_rate_plan).then(|| Reason::new(Code::PlanInactive, text))
}

/// Why the account may not be called, if so (B5.3).
fn no_account(account: &AccountFacts) -> Option<Reason> {
    if !account.write_enabled {
        let text = "writing to this integration was disabled after this was ordered; enable it, then retry";
        return Some(Reason::new(Code::WritesDisabled, text));
    }
    if !account.has_credentials {
        return Some(Reason::new(Code::CredentialsMissing, "the integration has no credentials; store them, then retry"));
    }
    let said = account.refused.as_ref()?;
    let text = format!("the credentials of this integration are refused ({said}); store working ones or test them, then retry");
    Some(Reason::new(Code::CredentialsRefused, text))
}

/// Judges every line.
async fn judge_page(
    page: &mut dyn PageWork,
    order: &OrderFacts,
    lines: &[PageLine],
    judge: &Judge<'_>,
    query: FactsQuery,
    own: &HashSet<DeviceChangeId>,
) -> StoreResult<JudgedRows> {
    let nothing = Reach::nothing();
    let reach = order.orderer_rights.as_ref().map_or(&nothing, |rights| &rights.reach);
    let mut judged_anew = Vec::new();
    let mut named = look_up_named(page, order, reach, lines, query).await?;
    let mut rows: HashMap<DeviceChangeId, Judged> = named.refused.drain(..).collect();
    for line in lines {
        let (facts, version) = match &line.facts {
            Some(facts) if !is_named_anew(line, order.change.identifier) => (facts, line.judged_version),
            _ => match named.lines.get(&line.id) {
                Some(facts) => (facts, None),
                None => continue,
            },
        };
        if !reaches_line(reach, facts) {
            // Nothing of the line is taken note of: what its row says of it is what was within reach when it was ordered.
            rows.insert(line.id, Judged::Stopped(rights_lost()));
            continue;
        }
        let without_own = own.contains(&line.id).then(|| LineFacts { billed_to_customer: false, ..facts.clone() });
        let facts = without_own.as_ref().unwrap_or(facts);
        let with_number = named.lines_with_number(line);
        let verdict = match version {
            Some(_) if !line.number_unchanged => Verdict::Refused(Reason::new(
                Code::ModifiedMeanwhile,
                "the line has another number than the one it was ordered by; look at the line and order again",
            )),
            Some(_) if with_number > 1 => Verdict::Refused(ambiguous(with_number, order.change.identifier)),
            Some(version) => judge.judge_again(facts, version),
            None => judge.judge(facts),
        };
        let judged = match verdict {
            Verdict::Accepted => Judged::Accepted,
            Verdict::AlreadySo => Judged::AlreadySo,
            Verdict::Refused(reason) => Judged::Refused(reason),
        };
        if version.is_none() && !matches!(judged, Judged::Refused(_)) {
            judged_anew.push((line.id, facts.device_id, facts.version));
        }
        rows.insert(line.id, judged);
    }
    if !judged_anew.is_empty() {
        // Rows judged anew and not refused take the line and version that they were judged by.
        page.record_judged(&judged_anew).await?;
    }
    let in_order = lines.iter().filter_map(|line| Some((line.id, rows.remove(&line.id)?))).collect();
    Ok(JudgedRows { rows: in_order, found_anew: !judged_anew.is_empty() })
}

/// Counts device changes that became final, by outcome and code.
pub(crate) fn measure_final(outcome: DeviceChangeStatus, code: Option<Code>, rows: i64) {
    if rows > 0 {
        let code = code.map_or("", Code::as_str);
        metrics::counter!("lineshift_device_changes_total", "outcome" => outcome.as_str(), "code" => code)
            .increment(rows.unsigned_abs());
    }
}

/// Counts what a page settled and what it did.
pub(crate) fn measure_outcomes(settled: &[Settled], result: PageResult) {
    measure_final(DeviceChangeStatus::Processed, None, result.processed);
    measure_final(DeviceChangeStatus::Canceled, None, result.canceled);
    let mut by_code: HashMap<Code, i64> = HashMap::new();
    for row in settled {
        if let Settled::Refused(_, reason) | Settled::Unsettled(_, reason) = row {
            *by_code.entry(reason.code).or_default() += 1;
        }
    }
    for (code, rows) in by_code {
        measure_final(DeviceChangeStatus::Error, Some(code), rows);
    }
}
