//! What an order would do, before anything is stored: counts, reasons, charges and calls of all its lines together, and what would become
//! of each line for a page of them.
//!
//! A preview of a million lines keeps no text a line. What stands beside a line, from what to what, is judged again for the lines of the
//! page that is shown: it is a few hundred look-ups, and a preview need not be kept between two requests.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;

use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use lineshift_domain::codes::Code;
use lineshift_domain::dates::is_later;
use lineshift_domain::ids::{CustomerRatePlanId, DeviceId, TenantId};
use lineshift_domain::judge::Verdict;
use lineshift_domain::order::{Order, RevCharge, Setting, StoredOrder};
use lineshift_domain::reach::Reach;
use lineshift_domain::scopes::{Action, Module};
use lineshift_domain::terms::{IntegrationKind, PortalType};
use lineshift_store::bulk_changes::IdempotencyClaim;
use lineshift_store::devices::Charges;
use lineshift_store::paging::MAX_PAGE_ITEMS;
use rust_decimal::Decimal;

use super::Submission;
use super::judgement::{Judgement, JudgementDigest, LineValues, is_judgement_changed};
use super::lines::JudgedLines;
use crate::estimate::Estimate;
use crate::{Caller, Engine, Result};

/// Lines whose charges are summed up at a time.
const SUMMED_LINES: usize = 5_000;

/// How many such sums are asked for side by side.
const SUMS_AT_ONCE: usize = 2;

/// Examples of a reason.
const EXAMPLES: usize = 5;

/// What an order would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The order with what was derived for it.
    pub order: StoredOrder,
    /// Lines that would be changed.
    pub accepted: i64,
    /// Lines that stand as asked already.
    pub already_so: i64,
    /// Lines that would be refused, by reason, the most first.
    pub refused: Vec<RefusedLines>,
    /// Repeated mentions of lines.
    pub duplicates: usize,
    /// The refused lines: the first place of each in the request, from 0, and why.
    pub refused_places: Vec<(u32, Code)>,
    /// What the customer rate plans of the accepted lines cost; none: the order changes no plan.
    pub plans: Option<Monthly>,
    /// What is charged for the accepted lines in Rev.io, within reach; none: the order has nothing to do with it.
    pub billed: Option<Monthly>,
    /// Services that would be found or opened in Rev.io.
    pub services: i64,
    /// The accounts that would be called.
    pub calls: Vec<CalledAccount>,
    /// Open plan queue entries of the accepted lines, within reach; none: the order leaves customers and plans alone. Those that were made for another
    /// customer than a line will have do not take effect (B8.3).
    pub open_entries: Option<i64>,
    /// Those of them that the order would cancel (B8.2).
    pub canceled_entries: i64,
    /// What this judgement is known by.
    pub digest: JudgementDigest,
}

/// Lines that are refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLines {
    /// Why.
    pub code: Code,
    /// How many.
    pub count: i64,
    /// Some of them: the line as it was named, and what was found and expected.
    pub examples: Vec<(String, String)>,
}

/// Money a month, before and after the order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Monthly {
    /// As it is.
    pub before: Amount,
    /// As it will be.
    pub after: Amount,
}

/// Money a month, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// What is known.
    pub known: Decimal,
    /// How many charges there are beside of which no price is known.
    pub unknown: i64,
}

/// An account that would be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalledAccount {
    /// Its name.
    pub name: String,
    /// The system behind it.
    pub integration_kind: IntegrationKind,
    /// How many calls, and how long they take.
    pub estimate: Estimate,
}

/// What would become of one line.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewedLine {
    /// Its first place in the request, from 0.
    pub position: u32,
    /// The line; none: it was not found, or several were.
    pub device_id: Option<DeviceId>,
    /// The verdict. Of an entry that is no line the reason has no text.
    pub verdict: Verdict,
    /// What it has of that which the order touches.
    pub before: LineValues,
    /// What it will have; the same where nothing is done.
    pub after: LineValues,
}

/// What would become of some lines.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewedLines {
    /// The order with what was derived for it.
    pub order: StoredOrder,
    /// Each line once, in the order of the request.
    pub lines: Vec<PreviewedLine>,
}

/// What became of an order that was previewed.
#[derive(Debug, Clone, PartialEq)]
pub enum Previewed {
    /// It was stored as it was seen, now or by the same request before.
    Submitted(Submission),
    /// Something has changed since: nothing was stored, and this is how it looks now.
    Changed(Box<Preview>),
}

impl Preview {
    /// The date given, and whether it lies ahead of `now`.
    #[must_use]
    pub fn date(&self, now: DateTime<Utc>) -> Option<(DateTime<Utc>, bool)> {
        let at = match &self.order {
            StoredOrder::CustomerAssignment(assignment) => assignment.effective_at,
            StoredOrder::CustomerRatePlanChange(plan) => plan.effective_at,
            StoredOrder::CarrierRatePlanChange(plan) => plan.effective_at,
            StoredOrder::StatusUpdate(_) => None,
        }?;
        Some((at, is_later(Some(at), now)))
    }

    /// How many lines would be refused.
    #[must_use]
    pub fn rejected(&self) -> i64 {
        self.refused.iter().map(|reason| reason.count).sum()
    }
}

impl Engine {
    /// Says what `submit` would do, all lines together, and stores nothing. Refused as a whole, it is refused alike (B4.4).
    pub async fn preview(&self, caller: &Caller, order: &Order) -> Result<Preview> {
        caller.require(Module::from(order.portal), Action::Create)?;
        let resolved = self.resolve(caller, order).await?;
        let mut lines = JudgedLines::read(order.identifier, &order.lines);
        let mut judgement = Judgement::of(order, &resolved);
        self.judge_lines(caller, order, &resolved, &mut lines, None, Some(&mut judgement)).await?;
        let stored = resolved.order;
        let accepted: Vec<DeviceId> = lines.accepted(0..lines.len()).collect();
        let entries = judgement.open_entries();
        let count = i64::try_from(accepted.len()).unwrap_or(i64::MAX);
        let charges = self.sum_up_charges(caller, &stored, &accepted).await?;
        let plans = self.plan_charges(caller.tenant, &stored, judgement.plans_before()).await?;
        let called = self.estimate_order(caller.tenant, &stored, count.unsigned_abs()).await?;
        let replaces = stored.plan().is_some_and(|plan| plan.replace_scheduled);
        Ok(Preview {
            accepted: count,
            already_so: i64::try_from(lines.count_already_so()).unwrap_or(i64::MAX),
            refused: refused_by_code(&lines, order),
            duplicates: lines.duplicates(),
            refused_places: lines.refused_places().collect(),
            plans,
            billed: stored.assignment().map(|_| billed(&stored, &charges, count)),
            services: if stored.rev_service().is_some() { count } else { 0 },
            calls: called
                .into_iter()
                .map(|called| CalledAccount {
                    name: called.account.name,
                    integration_kind: called.account.integration_kind,
                    estimate: called.estimate,
                })
                .collect(),
            open_entries: entries.map(|entries| entries.count),
            canceled_entries: entries.filter(|_| replaces).map_or(0, |entries| entries.later),
            digest: judgement.digest(),
            order: stored,
        })
    }

    /// What would become of each of the order's lines, in the order of the request: for a page of them.
    pub async fn preview_lines(&self, caller: &Caller, order: &Order) -> Result<PreviewedLines> {
        caller.require(Module::from(order.portal), Action::Create)?;
        let resolved = self.resolve(caller, order).await?;
        let mut lines = JudgedLines::read(order.identifier, &order.lines);
        let mut judgement = Judgement::of(order, &resolved).keeping();
        self.judge_lines(caller, order, &resolved, &mut lines, None, Some(&mut judgement)).await?;
        Ok(PreviewedLines { lines: judgement.into_kept(), order: resolved.order })
    }

    /// Submits an order that was previewed: it is stored if it is judged as it was seen, and only once for a claim. `read` makes the order; it
    /// is asked only if the request was not answered before, since what it is made of may be gone by then.
    pub async fn submit_previewed(
        &self,
        caller: &Caller,
        portal: PortalType,
        claim: &IdempotencyClaim,
        seen: JudgementDigest,
        read: impl Future<Output = Result<Order>>,
    ) -> Result<Previewed> {
        caller.require(Module::from(portal), Action::Create)?;
        let mut changed = None;
        let submitted = self
            .once(caller, claim, async {
                let order = read.await?;
                caller.require(Module::from(order.portal), Action::Create)?;
                let submitted = self.submit_once(caller, &order, Some(claim), Some(seen)).await;
                if submitted.as_ref().is_err_and(is_judgement_changed) {
                    changed = Some(order);
                }
                submitted
            })
            .await;
        match (submitted, changed) {
            (Ok(submission), _) => Ok(Previewed::Submitted(submission)),
            (Err(_), Some(order)) => Ok(Previewed::Changed(Box::new(self.preview(caller, &order).await?))),
            (Err(error), None) => Err(error),
        }
    }

    /// What is charged for lines in Rev.io within reach, where the order has to do with it.
    async fn sum_up_charges(&self, caller: &Caller, order: &StoredOrder, lines: &[DeviceId]) -> Result<Charges> {
        let mut sum = Charges::default();
        if order.assignment().is_none() {
            return Ok(sum);
        }
        for lines in lines.chunks(SUMMED_LINES * SUMS_AT_ONCE) {
            let sums =
                lines.chunks(SUMMED_LINES).map(|lines| self.store.sum_up_charges(caller.tenant, &caller.rights.reach, lines));
            sum = try_join_all(sums).await?.into_iter().fold(sum, Charges::and);
        }
        Ok(sum)
    }

    /// What the customer rate plans cost; none: the order leaves the plan as it is.
    async fn plan_charges(
        &self,
        tenant: TenantId,
        order: &StoredOrder,
        before: &BTreeMap<Option<CustomerRatePlanId>, i64>,
    ) -> Result<Option<Monthly>> {
        let Some(asked) = order.plan().map(|plan| plan.values.plan).filter(|plan| *plan != Setting::Keep) else {
            return Ok(None);
        };
        let prices = self.prices(tenant, before.keys().copied().chain([asked.value()]).flatten()).await?;
        let mut monthly = Monthly::default();
        for (plan, lines) in before {
            monthly.before.add(plan.map(|plan| prices.get(&plan).copied()), *lines);
            monthly.after.add(asked.value().map(|plan| prices.get(&plan).copied()), *lines);
        }
        Ok(Some(monthly))
    }

    /// The monthly prices of those plans that have one.
    async fn prices(
        &self,
        tenant: TenantId,
        plans: impl Iterator<Item = CustomerRatePlanId>,
    ) -> Result<HashMap<CustomerRatePlanId, Decimal>> {
        let mut missing: BTreeSet<CustomerRatePlanId> = plans.collect();
        let mut prices = HashMap::new();
        // By id: the list begins right before the first that is wanted.
        while let Some(first) = missing.first().copied() {
            let after = Some(CustomerRatePlanId(first.0 - 1));
            let listed = self.store.list_customer_rate_plans(tenant, &Reach::Everything, after, MAX_PAGE_ITEMS).await?;
            let through = listed.items.last().map_or(first, |plan| plan.id);
            for plan in listed.items {
                if missing.contains(&plan.id)
                    && let Some(price) = plan.monthly_price
                {
                    prices.insert(plan.id, price);
                }
            }
            missing.retain(|plan| *plan > through);
        }
        Ok(prices)
    }
}

impl Amount {
    /// Adds the price of something that so many lines have. None: they have nothing; `Some(None)`: nobody knows its price.
    fn add(&mut self, price: Option<Option<Decimal>>, lines: i64) {
        match price {
            None => {}
            Some(None) => self.unknown += lines,
            Some(Some(price)) => self.known = self.known.saturating_add(price.saturating_mul(Decimal::from(lines))),
        }
    }
}

/// What is charged in Rev.io: the order opens services, and disconnects none.
fn billed(order: &StoredOrder, charges: &Charges, lines: i64) -> Monthly {
    let before = Amount { known: charges.known, unknown: charges.unknown };
    let mut after = before;
    match order.rev_service().map(|service| &service.charge) {
        None => {}
        // What a package charges is Rev.io's to know.
        Some(RevCharge::Package(_)) => after.unknown += lines,
        Some(RevCharge::Products(products)) => {
            for product in products {
                after.add(Some(Some(product.rate.saturating_mul(product.quantity))), lines);
            }
        }
    }
    Monthly { before, after }
}

fn refused_by_code(lines: &JudgedLines, order: &Order) -> Vec<RefusedLines> {
    let mut refused: Vec<RefusedLines> =
        lines.count_refused().into_iter().map(|(code, count)| RefusedLines { code, count, examples: Vec::new() }).collect();
    refused.sort_unstable_by_key(|reason| (std::cmp::Reverse(reason.count), reason.code.as_str()));
    let mut wanting = refused.iter().map(|reason| EXAMPLES.min(usize::try_from(reason.count).unwrap_or(EXAMPLES))).sum::<usize>();
    for (code, line, text) in lines.refused_lines(&order.lines) {
        if wanting == 0 {
            break;
        }
        let Some(reason) = refused.iter_mut().find(|reason| reason.code == code && reason.examples.len() < EXAMPLES) else {
            continue;
        };
        reason.examples.push((line, text));
        wanting -= 1;
    }
    refused
}
