//! Pages that call outside: judged and committed, called without a transaction, then written (B5.1, B5.3, B7.1).

mod calling;
mod close;
mod journal;
mod judged;
mod lease;
mod line;
mod no_account;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock};

use lineshift_connectors::http::AccountKey;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::judge::ActiveStatuses;
use lineshift_store::work::{OrderFacts, OutsideLine, PageClaim, PageResult, PageWork};
use lineshift_store::{Result as StoreResult, StoreError};
use tokio::sync::OwnedSemaphorePermit;

pub(crate) use self::calling::{Calling, Flow, System, UNREACHED, concerns_account};
pub(crate) use self::journal::Journal;
pub(crate) use self::lease::Lease;
pub(crate) use self::line::{Entries, Goal, LineEnd};
use crate::Engine;
use crate::boundary::Boundary;
use crate::error::EngineError;
use crate::rev_service::{LineRun, REV_IO, RevServicePage};
use crate::worker::Shutdown;

/// Under what a page's calls are made.
#[derive(Clone)]
pub(crate) struct Holding {
    pub(crate) lease: Arc<Lease>,
    pub(crate) shutdown: Option<Shutdown>,
    /// The page's place among those of its worker with many lines under work.
    pub(crate) room: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Holding {
    /// Of a page that nobody runs others beside.
    pub(crate) fn alone(lease: Arc<Lease>) -> Self {
        Self { lease, shutdown: None, room: Arc::default() }
    }

    /// Few lines are left: another page may begin. True when this gave up a place.
    pub(crate) fn make_room(&self) -> bool {
        self.room.lock().expect("never held over a panic").take().is_some()
    }
}

impl Engine {
    /// Runs a claimed page that calls outside.
    pub(crate) async fn run_outside_page(
        &self,
        claim: &PageClaim,
        page: Box<dyn PageWork>,
        holding: Holding,
        statuses: &ActiveStatuses,
    ) -> StoreResult<PageResult> {
        let opened = self.judge_for_calls(page, statuses).await?;
        self.boundaries.pass(Boundary::Judged, None).await;
        let ends = self.call(claim, &opened.order, opened.lines, holding).await?;
        self.boundaries.pass(Boundary::Called, None).await;
        let result = self.close_page(claim, ends).await?;
        self.boundaries.pass(Boundary::Finished, None).await;
        Ok(result)
    }

    async fn call(
        &self,
        claim: &PageClaim,
        order: &OrderFacts,
        lines: Vec<(OutsideLine, Goal)>,
        holding: Holding,
    ) -> StoreResult<Vec<(DeviceChangeId, LineEnd)>> {
        let assignment = order.change.order.assignment();
        let asked = assignment.and_then(|assignment| Some((assignment.rev_customer_id?, assignment.rev_service.as_ref()?)));
        let (Some(facts), Some((customer, asked))) = (&order.billing, asked) else {
            return Err(StoreError::internal("a page that calls outside without an account"));
        };
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let key = AccountKey { tenant_id: claim.tenant_id, integration_authentication_id: facts.id };
        let account = self.open_billing(key).await.map_err(store_error)?;
        let now = self.clock.now();
        let runs: Vec<LineRun> = lines.into_iter().map(|(line, goal)| LineRun::new(line, goal, order, asked, now)).collect();
        let account = match account {
            Ok(account) => account,
            Err(reason) => return self.end_without_account(claim, order, runs, &reason).await,
        };
        let calling = Calling {
            engine: self,
            claim,
            order,
            key,
            version: account.stored.version,
            account: account.connector.account(),
            system: REV_IO,
            holding,
            journal: Journal::new(self.clone(), claim.clone()),
            refused: OnceLock::new(),
        };
        let page = RevServicePage { calling, billing: &*account.connector, asked, customer };
        page.run(runs).await
    }
}

/// A page knows store errors only.
fn store_error(error: EngineError) -> StoreError {
    match error {
        EngineError::Store(error) => error,
        other => StoreError::internal(other.to_string()),
    }
}

/// Rows whose service this change found or created, or may have: rule 7 does not count it against them (B5.3). What is stored for
/// one that is unknown, by a synchronisation say, is what its read-back will find.
pub(crate) fn with_own_service(lines: &[OutsideLine]) -> HashSet<DeviceChangeId> {
    lines.iter().filter(|line| judged::has_service(line) || judged::is_unknown(line)).map(|line| line.id).collect()
}
