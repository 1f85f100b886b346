//! Steps `carrier_rate_plan` and `carrier_status`: a line moved at its carrier (section 6, step 2; B9.1, B9.2).
//!
//! The carrier says what is to be sent next and how; here is what makes that safe: every act has its intent stored before it and its
//! outcome after it (B7.1), an act that creates is read back before it is sent again (B7.3), what was accepted is waited for (B5.6),
//! and what cannot be finished is said as it is.

mod decide;
mod finish;
mod half_way;
mod line;
mod parts;
mod read;
mod send;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use lineshift_connectors::carrier::{Act, Carrier, CarrierKind};
use lineshift_domain::carrier::{Abilities, CarrierChange};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::log_text::CarrierAction;
use lineshift_domain::terms::StepState;
use lineshift_store::Result as StoreResult;
use lineshift_store::billing::StepBatch;

use crate::boundary::Boundary;
use crate::outside::{Calling, LineEnd, System};
use decide::Do;
pub(crate) use finish::policy_of;
pub(crate) use line::CarrierRun;
pub(crate) use parts::{failed_at_carrier, is_own, is_unheard, is_unknown_part, stands_by_now};

/// One page's work at one carrier's account.
pub(crate) struct CarrierPage<'a> {
    pub(crate) calling: Calling<'a>,
    pub(crate) carrier: &'a dyn Carrier,
    pub(crate) kind: &'static dyn CarrierKind,
    pub(crate) asked: &'a CarrierChange,
}

/// A carrier as texts and codes name it.
pub(crate) const fn system_of(abilities: &Abilities) -> System {
    System {
        name: abilities.name,
        refused: Code::CarrierRefused,
        unavailable: Code::CarrierUnavailable,
        unknown: "what the carrier did",
    }
}

impl CarrierPage<'_> {
    /// Brings each line as far as it goes, in parallel up to what the account allows, as many lines a call as the carrier takes.
    ///
    /// # Errors
    /// Store errors; `LeaseLost` when the page is in other hands by now. What was sent until then is stored or will be read back.
    pub(crate) async fn run(&self, mut lines: Vec<CarrierRun>) -> StoreResult<Vec<(DeviceChangeId, LineEnd)>> {
        self.recover(&mut lines).await?;
        self.calling.pass(Boundary::Recovered, None).await;
        let at_once = self.calling.account.limits().concurrency;
        let together = self.abilities().devices_a_call.max(1);
        let unfinished = AtomicUsize::new(lines.len());
        let few = (at_once / 8).max(1) * together;
        let mut groups: Vec<Vec<CarrierRun>> = Vec::with_capacity(lines.len().div_ceil(together));
        while !lines.is_empty() {
            let rest = lines.split_off(lines.len().min(together));
            groups.push(std::mem::replace(&mut lines, rest));
        }
        let work: Vec<_> = groups.into_iter().map(|group| self.run_group(group, &unfinished, few)).collect();
        let ends: Vec<_> = stream::iter(work).buffer_unordered(at_once).try_collect().await?;
        Ok(ends.into_iter().flatten().collect())
    }

    async fn run_group(
        &self,
        mut group: Vec<CarrierRun>,
        unfinished: &AtomicUsize,
        few: usize,
    ) -> StoreResult<Vec<(DeviceChangeId, LineEnd)>> {
        self.advance(&mut group).await?;
        let left = unfinished.fetch_sub(group.len(), Ordering::Relaxed).saturating_sub(group.len());
        if left <= few && self.calling.holding.make_room() {
            self.calling.engine.events.wake_workers();
        }
        Ok(group.into_iter().map(CarrierRun::into_end).collect())
    }

    /// Turns until every line of the group has its end: whoever must be read is read, then what is to be sent is sent, together where
    /// the carrier takes that.
    async fn advance(&self, group: &mut [CarrierRun]) -> StoreResult<()> {
        loop {
            let mut to_read = Vec::new();
            let mut to_send: BTreeMap<&'static str, Vec<(&mut CarrierRun, Act)>> = BTreeMap::new();
            let mut alone = Vec::new();
            for line in group.iter_mut().filter(|line| line.end.is_none()) {
                match self.decide(line) {
                    Do::Ended => {}
                    Do::Read => to_read.push(line),
                    // What an undo puts back differs from line to line.
                    Do::Send(act) if line.is_undoing() => alone.push((line, act)),
                    Do::Send(act) => to_send.entry(act.what).or_default().push((line, act)),
                }
            }
            if to_read.is_empty() && to_send.is_empty() && alone.is_empty() {
                break;
            }
            if !to_read.is_empty() {
                self.flush(&mut to_read).await?;
                for read in join_all(to_read.into_iter().map(|line| self.read(line))).await {
                    read?;
                }
            }
            for acts in to_send.into_values() {
                self.send(acts).await?;
            }
            for act in alone {
                self.send(vec![act]).await?;
            }
        }
        self.flush(&mut group.iter_mut().collect::<Vec<_>>()).await
    }

    /// Stores what these lines have to say and is not stored yet.
    async fn flush(&self, lines: &mut [&mut CarrierRun]) -> StoreResult<()> {
        let mut batch = StepBatch::default();
        for line in lines.iter_mut() {
            batch.append(line.take_unwritten());
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.calling.journal.write(batch).await?;
        self.calling.pass(Boundary::Recorded, lines.first().map(|line| line.row)).await;
        Ok(())
    }

    /// What a worker that was lost had sent, or had not, is unknown (B7.3).
    async fn recover(&self, lines: &mut [CarrierRun]) -> StoreResult<()> {
        let now = self.calling.now();
        for line in lines.iter_mut() {
            for (part, intended) in line.intended() {
                let since = self.calling.unknown_since(intended);
                line.write(part, now, |record| {
                    record.state = StepState::Ambiguous;
                    record.unknown_since = Some(since);
                    // A code beside what is unknown would say that it was refused since.
                    record.code = None;
                    record.outcome = Some("the worker that sent it was lost".to_owned());
                });
            }
        }
        self.flush(&mut lines.iter_mut().collect::<Vec<_>>()).await
    }

    fn abilities(&self) -> &'static Abilities {
        self.kind.abilities()
    }

    fn name(&self) -> &'static str {
        self.abilities().name
    }

    const fn action(&self) -> CarrierAction {
        match self.asked {
            CarrierChange::RatePlan { .. } => CarrierAction::UpdateRatePlan,
            CarrierChange::Status { .. } => CarrierAction::UpdateStatus,
        }
    }
}
