//! A carrier's rate plans and lines: lists, page by page, and each line that a whole list did not show.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use lineshift_connectors::CallError;
use lineshift_connectors::carrier::{LineRef, ListedLine};
use lineshift_domain::carrier::CarrierLine;
use lineshift_domain::lines::read_line;
use lineshift_domain::sync::SyncPhase;
use lineshift_domain::terms::LineIdentifier;
use lineshift_store::Result as StoreResult;
use lineshift_store::sync::{GoneLine, LinePart, RefusedLine, SyncBatch, SyncClaim, SyncLine, SyncPlace, SyncedLine, SyncedPlan};

use super::lists::{Brought, Cut, MOST_PAGES};
use super::unseen::in_order;
use crate::Engine;
use crate::accounts::OpenCarrier;

/// Lines asked for between two writes.
const ASK_AT_ONCE: usize = 50;

impl Engine {
    /// The carrier's rate plans, all at once.
    pub(super) async fn read_plans(&self, claim: &SyncClaim, account: &OpenCarrier) -> Result<Brought, Cut> {
        let next = SyncPlace::beginning(claim.run.phase.next(claim.run.what));
        let batch = match account.connector.list_rate_plans().await.result {
            Ok(plans) => {
                let plan = |plan: lineshift_connectors::carrier::ListedPlan| SyncedPlan { code: plan.code, name: plan.name };
                SyncBatch { carrier_plans: plans.map(|plans| plans.into_iter().map(plan).collect()), ..SyncBatch::default() }
            }
            // Carriers give their plans to some roles only, and say so as they say that credentials are wrong. If they are, the lines
            // that are listed next are refused, too.
            Err(error) if next.phase != SyncPhase::Finished && is_refusal(&error) => {
                SyncBatch { plans_refused: Some(error.to_string()), ..SyncBatch::default() }
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Brought { batch, next, cut: None })
    }

    /// The next page of the carrier's lines.
    pub(super) async fn read_lines(&self, claim: &SyncClaim, account: &OpenCarrier) -> Result<Brought, Cut> {
        let (run, carrier) = (&claim.run, &account.connector);
        let since = run.changed_since.filter(|_| carrier.lists_changes_only());
        let read_at = self.clock.now();
        let page = carrier.list_lines(since, run.page).await.result?;
        let lines = page.records.into_iter().filter_map(listed).collect();
        // A list that goes on for ever is stopped by the number of its pages, which no account has.
        let next = if page.has_more && run.page < MOST_PAGES {
            SyncPlace { phase: run.phase, page: run.page + 1, after: 0 }
        } else if since.is_none() {
            SyncPlace::beginning(SyncPhase::UnseenDevices)
        } else {
            // What did not change was not shown: it may still be there.
            SyncPlace::beginning(SyncPhase::UnseenDevices.next(run.what))
        };
        let batch = SyncBatch { lines, lines_read_at: Some(read_at), ..SyncBatch::default() };
        Ok(Brought { batch, next, cut: None })
    }

    /// Asks for lines that a whole list did not show.
    pub(super) async fn ask_for_lines(&self, claim: &SyncClaim, account: &OpenCarrier) -> StoreResult<Result<Brought, Cut>> {
        let part = self.store.list_unseen_lines(claim, ASK_AT_ONCE).await?;
        let read_at = self.clock.now();
        let calls = part.lines.iter().map(|line| {
            let (carrier, line) = (Arc::clone(&account.connector), line_ref(line));
            async move { carrier.read_line(&line).await.result }
        });
        let (answers, failed) = in_order(calls.collect()).await;
        let settled = answers.len();
        Ok(settle(claim, &part, settled, answered(&part, answers, read_at), failed.map(cut_by)))
    }
}

/// After so many failures in a row a run goes on without a line that is refused: fewer than those after which it is given up.
const FAILURES_AT_A_LINE: u32 = 8;

/// Why a line that is asked for by itself stops its part. What is refused of one line says nothing of the account.
pub(super) fn cut_by(error: CallError) -> Cut {
    match error {
        CallError::Rejected { .. } | CallError::NotFound { .. } => Cut::LineRefused(error),
        other => Cut::Failed(other),
    }
}

/// What was brought of a part. With nothing settled only why; but a line that was refused again and again is left out, so that the
/// others have their turn.
pub(super) fn settle(
    claim: &SyncClaim,
    part: &LinePart,
    settled: usize,
    mut batch: SyncBatch,
    cut: Option<Cut>,
) -> Result<Brought, Cut> {
    match cut {
        Some(Cut::LineRefused(error)) if settled == 0 && claim.run.failures >= FAILURES_AT_A_LINE => {
            let (line, there) = (&part.lines[0], error.to_string());
            batch.refused_lines.push(RefusedLine { device_id: line.id, iccid: line.iccid.clone(), there });
            Ok(Brought { batch, next: place_after(claim, part, 1), cut: None })
        }
        Some(cut) if settled == 0 => Err(cut),
        cut => Ok(Brought { batch, next: place_after(claim, part, settled), cut }),
    }
}

/// Whether the carrier refused what was asked, and not because nobody could be reached.
const fn is_refusal(error: &CallError) -> bool {
    matches!(error, CallError::Unauthorized { .. } | CallError::Rejected { .. } | CallError::NotFound { .. })
}

fn answered(part: &LinePart, answers: Vec<Option<CarrierLine>>, read_at: DateTime<Utc>) -> SyncBatch {
    let mut batch = SyncBatch { lines_read_at: Some(read_at), ..SyncBatch::default() };
    for (asked, answer) in part.lines.iter().zip(answers) {
        match answer {
            Some(line) => batch.lines.push(SyncedLine { iccid: asked.iccid.clone(), line: as_stored(line) }),
            None => batch.gone_lines.push(GoneLine { device_id: asked.id, there: "not there".to_owned() }),
        }
    }
    batch
}

/// Behind what was settled: the next line of this part, the next part, or the next phase.
fn place_after(claim: &SyncClaim, part: &LinePart, settled: usize) -> SyncPlace {
    let phase = claim.run.phase;
    if settled < part.lines.len() {
        let after = settled.checked_sub(1).map_or(claim.run.after, |last| part.lines[last].id.0);
        return SyncPlace { phase, page: 1, after };
    }
    part.next.map_or_else(|| SyncPlace::beginning(phase.next(claim.run.what)), |after| SyncPlace { phase, page: 1, after })
}

/// How the carrier is told of a line.
pub(super) fn line_ref(line: &SyncLine) -> LineRef {
    let SyncLine { iccid, subscriber_number, imei, carrier_device_id, .. } = line.clone();
    LineRef { iccid, subscriber_number, imei, carrier_device_id }
}

/// A listed line as it is stored; none: what stands there as its ICCID is none.
fn listed(listed: ListedLine) -> Option<SyncedLine> {
    match read_line(LineIdentifier::Iccid, &listed.iccid) {
        Ok(iccid) => Some(SyncedLine { iccid: iccid.to_string(), line: as_stored(listed.line) }),
        Err(_) => {
            tracing::warn!(iccid = %listed.iccid, "a carrier lists a line whose ICCID is none");
            None
        }
    }
}

/// With numbers as they are stored, digits only: what is no number is not said.
fn as_stored(mut line: CarrierLine) -> CarrierLine {
    line.subscriber_number = line
        .subscriber_number
        .and_then(|number| read_line(LineIdentifier::Number, &number).ok())
        .map(|number| number.to_string());
    line
}
