//! What an order is judged by, as far as whoever previews it has seen it: one digest over every line, its verdict, and the values from
//! which it would be moved; and, where it touches customers or plans, what is scheduled for the lines. What does not matter to the order,
//! such as usage, or the plan of a line whose status is to change, is no part of it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use lineshift_domain::codes::Code;
use lineshift_domain::facts::LineFacts;
use lineshift_domain::ids::{CustomerRatePlanId, CustomerRatePoolId, DeviceId, RevCustomerId, SiteId};
use lineshift_domain::judge::{Reason, Verdict};
use lineshift_domain::lines::Digits;
use lineshift_domain::order::{Order, StoredOrder};
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_store::devices::OpenEntries;
use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};

use super::preview::PreviewedLine;
use super::resolve::Resolved;
use crate::EngineError;

/// The code of a refusal: lines are judged otherwise than the orderer has seen.
const JUDGEMENT_CHANGED: &str = "judgement_changed";

/// What a judgement is known by: SHA-256, written as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgementDigest([u8; 32]);

impl fmt::Display for JudgementDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits")]
pub struct NoDigest;

impl FromStr for JudgementDigest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NoDigest);
        }
        for (nth, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * nth..2 * nth + 2], 16).map_err(|_| NoDigest)?;
        }
        Ok(Self(bytes))
    }
}

/// What an order may change of a line. What the order leaves alone is none on both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineValues {
    /// Rev customer.
    pub rev_customer_id: Option<RevCustomerId>,
    /// Site.
    pub site_id: Option<SiteId>,
    /// Whether the assignment is in force; true on the far side of every assignment.
    pub is_active: bool,
    /// Customer rate plan.
    pub customer_rate_plan_id: Option<CustomerRatePlanId>,
    /// Customer rate pool.
    pub customer_rate_pool_id: Option<CustomerRatePoolId>,
    /// Data allocation in MB.
    pub customer_data_allocation_mb: Option<Decimal>,
    /// The carrier's plan, by its code.
    pub carrier_rate_plan: Option<String>,
    /// The carrier's communication plan.
    pub communication_plan: Option<String>,
    /// The carrier's status.
    pub status: Option<String>,
}

impl LineValues {
    /// What a line has of that which the order touches.
    fn of(order: &StoredOrder, asks_carrier: bool, facts: &LineFacts) -> Self {
        let here = &facts.assignment;
        let mut values = Self::default();
        if order.assignment().is_some() {
            values.rev_customer_id = here.rev_customer_id;
            values.site_id = here.site_id;
            values.is_active = here.is_active;
        }
        if order.plan().is_some() {
            values.customer_rate_plan_id = here.plan;
            values.customer_rate_pool_id = here.pool;
            values.customer_data_allocation_mb = here.allocation_mb.map(|mb| mb.normalize());
        }
        match order {
            StoredOrder::StatusUpdate(_) => values.status = Some(facts.status.to_string()),
            _ if asks_carrier => {
                values.carrier_rate_plan = facts.carrier_rate_plan.as_deref().map(str::to_owned);
                values.communication_plan = facts.communication_plan.as_deref().map(str::to_owned);
            }
            _ => {}
        }
        values
    }

    /// Writes them so that no two look alike: they are hashed for each of a million lines, and a text made for people costs more than
    /// the hash of it.
    fn write_to(&self, bytes: &mut Vec<u8>) {
        for id in [
            self.rev_customer_id.map(|id| id.0),
            self.site_id.map(|id| id.0),
            self.customer_rate_plan_id.map(|id| id.0),
            self.customer_rate_pool_id.map(|id| id.0),
        ] {
            bytes.push(u8::from(id.is_some()));
            bytes.extend(id.unwrap_or_default().to_be_bytes());
        }
        bytes.push(u8::from(self.is_active));
        bytes.push(u8::from(self.customer_data_allocation_mb.is_some()));
        bytes.extend(self.customer_data_allocation_mb.unwrap_or_default().serialize());
        for text in [&self.carrier_rate_plan, &self.communication_plan, &self.status] {
            bytes.push(u8::from(text.is_some()));
            let text = text.as_deref().unwrap_or_default();
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
    }

    /// What it has once the order was done, on whatever date.
    fn after(&self, order: &StoredOrder) -> Self {
        let mut after = self.clone();
        if let Some(asked) = order.assignment() {
            after.rev_customer_id = asked.rev_customer_id;
            after.site_id = Some(asked.site_id);
            after.is_active = true;
        }
        if let Some(plan) = order.plan() {
            after.customer_rate_plan_id = plan.values.plan.applied_to(self.customer_rate_plan_id);
            after.customer_rate_pool_id = plan.values.pool.applied_to(self.customer_rate_pool_id);
            let allocation = plan.values.allocation_mb.applied_to(self.customer_data_allocation_mb);
            after.customer_data_allocation_mb = allocation.map(|mb| mb.normalize());
        }
        match order {
            StoredOrder::StatusUpdate(status) => after.status = Some(status.target_status.clone()),
            StoredOrder::CarrierRatePlanChange(plan) => after.take_carrier_plan(plan),
            StoredOrder::CustomerAssignment(assignment) => {
                if let Some(plan) = &assignment.carrier_rate_plan {
                    after.take_carrier_plan(plan);
                }
            }
            StoredOrder::CustomerRatePlanChange(_) => {}
        }
        after
    }

    fn take_carrier_plan(&mut self, plan: &lineshift_domain::order::StoredCarrierRatePlan) {
        if plan.carrier_rate_plan.is_some() {
            self.carrier_rate_plan.clone_from(&plan.carrier_rate_plan);
        }
        if plan.comm_plan.is_some() {
            self.communication_plan.clone_from(&plan.comm_plan);
        }
    }
}

/// One line as it was judged.
pub(super) struct Heard<'a> {
    /// As it was named.
    pub(super) digits: Option<Digits>,
    /// Its first place in the request, from 0.
    pub(super) position: u32,
    /// What it was judged by; none: it was not found, or several were.
    pub(super) facts: Option<&'a LineFacts>,
    /// Whether it stands as asked.
    pub(super) already_so: bool,
    /// Why it was refused.
    pub(super) refused: Option<&'a Reason>,
}

/// A judgement while it is made: the digest so far, and what a preview keeps of it.
pub(super) struct Judgement {
    order: StoredOrder,
    /// Whether it asks something of the carrier.
    asks_carrier: bool,
    hash: Sha256,
    /// How a line is named and what it has, as they are hashed: their room is used again.
    digits: String,
    bytes: Vec<u8>,
    /// The customer rate plans that accepted lines have before, with how many have each.
    plans_before: BTreeMap<Option<CustomerRatePlanId>, i64>,
    /// The open plan queue entries of the accepted lines; none: the order leaves customers and plans alone.
    entries: Option<OpenEntries>,
    /// Every line with its values, where they are kept: a page of them.
    kept: Option<Vec<PreviewedLine>>,
}

impl Judgement {
    /// The judgement of an order, of whose lines nothing was heard yet.
    pub(super) fn of(order: &Order, resolved: &Resolved) -> Self {
        let mut hash = Sha256::new();
        let about =
            (order.portal, order.service_provider_id, order.identifier, order.process_changes, &order.name, &order.reason);
        // What an order is written as differs from version to version at most: then the preview is shown anew.
        put(&mut hash, format!("{about:?}").as_bytes());
        put(&mut hash, format!("{:?}", resolved.order).as_bytes());
        let asks_carrier = resolved.order.carrier_change().is_some();
        let touches_entries = resolved.order.plan().is_some() || resolved.order.assignment().is_some();
        let entries = touches_entries.then(OpenEntries::default);
        Self {
            order: resolved.order.clone(),
            asks_carrier,
            hash,
            digits: String::new(),
            bytes: Vec::new(),
            plans_before: [].into(),
            entries,
            kept: None,
        }
    }

    /// The same, which keeps what it hears of each line: for a page of them. What is scheduled is told of all lines together alone.
    pub(super) fn keeping(self) -> Self {
        Self { entries: None, kept: Some(Vec::new()), ..self }
    }

    /// Whether it is to hear of open plan queue entries.
    pub(super) const fn wants_entries(&self) -> bool {
        self.entries.is_some()
    }

    /// Open entries of some of the accepted lines.
    pub(super) fn hear_entries(&mut self, found: OpenEntries) {
        self.entries = self.entries.map(|entries| entries.and(found));
    }

    /// The open entries of which it heard; none: the order leaves customers and plans alone.
    pub(super) const fn open_entries(&self) -> Option<OpenEntries> {
        self.entries
    }

    pub(super) fn hear_malformed(&mut self, written: &str, code: Code, position: u32) {
        put(&mut self.hash, written.trim().as_bytes());
        put(&mut self.hash, code.as_str().as_bytes());
        if let Some(kept) = &mut self.kept {
            let verdict = Verdict::Refused(Reason::new(code, String::new()));
            kept.push(PreviewedLine {
                position,
                device_id: None,
                verdict,
                before: LineValues::default(),
                after: LineValues::default(),
            });
        }
    }

    pub(super) fn hear(&mut self, heard: &Heard<'_>) {
        let verdict = match (heard.refused, heard.already_so) {
            (Some(reason), _) => reason.code.as_str(),
            (None, true) => "already_so",
            (None, false) => "accepted",
        };
        self.digits.clear();
        if let Some(digits) = heard.digits {
            digits.write_to(&mut self.digits);
        }
        put(&mut self.hash, self.digits.as_bytes());
        put(&mut self.hash, verdict.as_bytes());
        let moved = heard.refused.is_none() && !heard.already_so;
        if moved && let Some(facts) = heard.facts {
            self.bytes.clear();
            self.bytes.extend(facts.device_id.0.to_be_bytes());
            LineValues::of(&self.order, self.asks_carrier, facts).write_to(&mut self.bytes);
            put(&mut self.hash, &self.bytes);
            *self.plans_before.entry(facts.assignment.plan).or_default() += 1;
        }
        if let Some(kept) = &mut self.kept {
            let before = heard.facts.map(|facts| LineValues::of(&self.order, self.asks_carrier, facts)).unwrap_or_default();
            let after = if moved { before.after(&self.order) } else { before.clone() };
            let verdict = match heard.refused {
                Some(reason) => Verdict::Refused(reason.clone()),
                None if heard.already_so => Verdict::AlreadySo,
                None => Verdict::Accepted,
            };
            let device_id: Option<DeviceId> = heard.facts.map(|facts| facts.device_id);
            kept.push(PreviewedLine { position: heard.position, device_id, verdict, before, after });
        }
    }

    /// What it is known by, once every line was heard of.
    pub(super) fn digest(mut self) -> JudgementDigest {
        if let Some(OpenEntries { count, later, last_id, dates }) = self.entries {
            for figure in [count, later, last_id, dates] {
                put(&mut self.hash, &figure.to_be_bytes());
            }
        }
        JudgementDigest(self.hash.finalize().into())
    }

    /// The customer rate plans that accepted lines have now, with how many have each.
    pub(super) const fn plans_before(&self) -> &BTreeMap<Option<CustomerRatePlanId>, i64> {
        &self.plans_before
    }

    /// What was kept, in the order of the request.
    pub(super) fn into_kept(self) -> Vec<PreviewedLine> {
        let mut kept = self.kept.unwrap_or_default();
        kept.sort_unstable_by_key(|line| line.position);
        kept
    }
}

/// Adds a value, with its length, so that no two lists of values look alike.
fn put(hash: &mut Sha256, value: &[u8]) {
    hash.update((value.len() as u64).to_be_bytes());
    hash.update(value);
}

/// The judgement is not the one that the orderer has seen.
pub(super) fn judgement_changed() -> Refusal {
    Refusal::one(
        RefusalClass::Conflict,
        "",
        JUDGEMENT_CHANGED,
        "lines, plans, customers or scheduled changes are not as they were in the preview; nothing was stored: look at the preview again",
    )
}

/// Whether that is why it failed.
pub(super) fn is_judgement_changed(error: &EngineError) -> bool {
    matches!(error, EngineError::Refused(refusal) if refusal.problems.iter().any(|problem| problem.code == JUDGEMENT_CHANGED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_and_read() {
        let digest = JudgementDigest(std::array::from_fn(|nth| u8::try_from(nth * 8 % 256).expect("a byte")));
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for wrong in ["", "00", &"g".repeat(64), &"0".repeat(63), &"0".repeat(65), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<JudgementDigest>(), Err(NoDigest), "{wrong:?}");
        }
    }
}
