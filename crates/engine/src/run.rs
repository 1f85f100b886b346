//! Running one page: judge its rows again on locked facts, settle those that fail, do the steps for the rest (B5.3).

use std::collections::HashMap;
use std::time::Instant;

use lineshift_domain::codes::Code;
use lineshift_domain::facts::LineFacts;
use lineshift_domain::ids::{DeviceChangeId, DeviceId};
use lineshift_domain::judge::{Judge, Reason, Verdict};
use lineshift_domain::lines::{Digits, read_line};
use lineshift_domain::scopes::{Action, Module, Scopes};
use lineshift_domain::steps::holds_of;
use lineshift_domain::terms::{DeviceChangeStatus, LineIdentifier};
use lineshift_store::Result as StoreResult;
use lineshift_store::devices::FactsQuery;
use lineshift_store::work::{OrderFacts, PageClaim, PageLine, PageResult, PageWork, Settled};

use crate::Engine;
use crate::steps::{apply_measured, scheduled_for, set_steps};
use crate::submit::{ambiguous, not_found};

impl Engine {
    /// Runs a claimed page in one transaction. Workers do this by themselves; it is open to tests and measurements.
    pub async fn run_page(&self, claim: &PageClaim) -> StoreResult<PageResult> {
        let started = Instant::now();
        let statuses = self.active_statuses().await?;
        let mut page = self.store.open_page(claim, self.clock.now()).await?;
        let order = page.order().clone();
        let query = FactsQuery {
            holds: holds_of(&order.change.order),
            rev_customer_id: order.change.order.assignment().and_then(|assignment| assignment.rev_customer_id),
        };
        let lines = page.list_open_lines(query).await?;
        let judge = Judge::new(&order.change.order, order.change.service_provider_id, order.integration_kind, &statuses);
        let settled = match stopped(&order) {
            Some(stop) => lines.iter().map(|line| stop.settle(line.id)).collect(),
            None => judge_page(page.as_mut(), &order, &lines, &judge, query).await?,
        };
        page.settle(&settled).await?;
        if settled.len() < lines.len() {
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

/// Why none of the page's rows may be done.
enum Stop {
    Canceled,
    Refused(Reason),
}

impl Stop {
    fn settle(&self, row: DeviceChangeId) -> Settled {
        match self {
            Self::Canceled => Settled::Canceled(row),
            Self::Refused(reason) => Settled::Refused(row, reason.clone()),
        }
    }
}

/// What has changed about the order as a whole since it was submitted.
fn stopped(order: &OrderFacts) -> Option<Stop> {
    if order.change.canceled_at.is_some() {
        return Some(Stop::Canceled);
    }
    let refused = |code: Code, text: &str| Some(Stop::Refused(Reason::new(code, text)));
    if !has_rights(order) {
        return refused(
            Code::RightsLost,
            "the key that ordered this was revoked, has expired or lost its scope; order with another",
        );
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
    None
}

/// Whether the orderer, or who started or retried the change, may still do so (B5.3).
fn has_rights(order: &OrderFacts) -> bool {
    let scopes = order.orderer_scopes.as_deref().and_then(|text| text.parse::<Scopes>().ok());
    let module = Module::from(order.change.portal);
    scopes.is_some_and(|scopes| scopes.allow(module, Action::Create) || scopes.allow(module, Action::Edit))
}

/// Judges every line; answers those that are not to be done.
async fn judge_page(
    page: &mut dyn PageWork,
    order: &OrderFacts,
    lines: &[PageLine],
    judge: &Judge<'_>,
    query: FactsQuery,
) -> StoreResult<Vec<Settled>> {
    let mut settled = Vec::new();
    let mut judged_anew = Vec::new();
    let named = look_up_named(page, order, lines, query, &mut settled).await?;
    for line in lines {
        let (facts, version) = match &line.facts {
            Some(facts) if !is_named_anew(line, order.change.identifier) => (facts, line.judged_version),
            _ => match named.get(&line.id) {
                Some(facts) => (facts, None),
                None => continue,
            },
        };
        let verdict = match version {
            Some(_) if !line.number_unchanged => Verdict::Refused(Reason::new(
                Code::ModifiedMeanwhile,
                "the line has another number than the one it was ordered by; look at the line and order again",
            )),
            Some(_) if line.lines_with_number > 1 => {
                Verdict::Refused(ambiguous(line.lines_with_number.unsigned_abs(), order.change.identifier))
            }
            Some(version) => judge.judge_again(facts, version),
            None => {
                judged_anew.push((line.id, facts.device_id, facts.version));
                judge.judge(facts)
            }
        };
        match verdict {
            Verdict::Accepted => {}
            Verdict::AlreadySo => settled.push(Settled::AlreadySo(line.id)),
            Verdict::Refused(reason) => settled.push(Settled::Refused(line.id, reason)),
        }
    }
    record_accepted(page, &judged_anew, &settled).await?;
    Ok(settled)
}

/// Whether a row is to be looked up by what it names: it was refused at submission, and found no line then, or found one by
/// a number, which may belong to another line by now (B10.2).
fn is_named_anew(line: &PageLine, identifier: LineIdentifier) -> bool {
    line.judged_version.is_none() && (line.facts.is_none() || identifier == LineIdentifier::Number)
}

/// Looks up rows that are named anew (B10.2); those that still name none, or several, are settled.
async fn look_up_named(
    page: &mut dyn PageWork,
    order: &OrderFacts,
    lines: &[PageLine],
    query: FactsQuery,
    settled: &mut Vec<Settled>,
) -> StoreResult<HashMap<DeviceChangeId, LineFacts>> {
    let identifier = order.change.identifier;
    let mut wanted: Vec<(DeviceChangeId, Digits)> = Vec::new();
    for line in lines.iter().filter(|line| is_named_anew(line, identifier)) {
        match read_line(identifier, line.named.as_deref().unwrap_or_default()) {
            Ok(digits) => wanted.push((line.id, digits)),
            Err(code) => settled.push(Settled::Refused(line.id, Reason::new(code, "what was named is still no line"))),
        }
    }
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let mut found: HashMap<DeviceChangeId, Vec<LineFacts>> = HashMap::new();
    for (id, facts) in page.look_up_named(&wanted, query).await? {
        found.entry(id).or_default().push(facts);
    }
    let mut one_each = HashMap::new();
    for (id, _) in wanted {
        match found.remove(&id) {
            None => settled.push(Settled::Refused(id, not_found(identifier))),
            Some(mut lines) if lines.len() == 1 => drop(one_each.insert(id, lines.remove(0))),
            Some(lines) => {
                settled.push(Settled::Refused(id, ambiguous(lines.len() as u64, identifier)));
            }
        }
    }
    Ok(one_each)
}

/// Rows judged anew and not refused take the line and version that they were judged by.
async fn record_accepted(
    page: &mut dyn PageWork,
    judged: &[(DeviceChangeId, DeviceId, i64)],
    settled: &[Settled],
) -> StoreResult<()> {
    if judged.is_empty() {
        return Ok(());
    }
    let refused: std::collections::HashSet<DeviceChangeId> = settled
        .iter()
        .filter_map(|row| match row {
            Settled::Refused(id, _) | Settled::Unsettled(id, _) => Some(*id),
            Settled::AlreadySo(_) | Settled::Canceled(_) => None,
        })
        .collect();
    let accepted: Vec<_> = judged.iter().filter(|(id, ..)| !refused.contains(id)).copied().collect();
    page.record_judged(&accepted).await
}

/// Counts device changes that became final, by outcome and code.
pub(crate) fn measure_final(outcome: DeviceChangeStatus, code: Option<Code>, rows: i64) {
    if rows > 0 {
        let code = code.map_or("", Code::as_str);
        metrics::counter!("lineshift_device_changes_total", "outcome" => outcome.as_str(), "code" => code)
            .increment(rows.unsigned_abs());
    }
}

fn measure_outcomes(settled: &[Settled], result: PageResult) {
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
