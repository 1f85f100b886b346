//! What a worker does beside the page that it runs: pages that wait for answers from outside (B5.2), and the completion of pages
//! that it has run.

use std::collections::HashMap;
use std::sync::Arc;

use lineshift_connectors::http::AccountKey;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{self, JoinSet};

use crate::worker::Shutdown;

/// What a worker does beside the page that it runs.
pub(crate) struct Beside {
    pub(crate) outside: OutsidePages,
    pub(crate) completing: CompletingPages,
    pub(crate) shutdown: Shutdown,
}

impl Beside {
    pub(crate) fn new(shutdown: Shutdown) -> Self {
        Self { outside: OutsidePages::default(), completing: CompletingPages::default(), shutdown }
    }

    /// Waits until all of it has ended.
    pub(crate) async fn all_ended(mut self) {
        while !self.outside.running.is_empty() {
            self.outside.ended().await;
        }
        while !self.completing.0.is_empty() {
            self.completing.ended().await;
        }
    }
}

/// Pages whose history and links are written while the next page is run: a second connection is busy with what nobody waits for.
#[derive(Default)]
pub(crate) struct CompletingPages(JoinSet<()>);

impl CompletingPages {
    /// Completes a page beside, once there is place for it.
    pub(crate) async fn begin(&mut self, completing: impl Future<Output = ()> + Send + 'static) {
        while self.0.len() >= MOST_COMPLETING {
            self.ended().await;
        }
        self.0.spawn(completing);
    }

    /// Waits until one of them has ended; for ever when there is none.
    pub(crate) async fn ended(&mut self) {
        let Some(ended) = self.0.join_next().await else { return std::future::pending().await };
        if let Err(error) = ended {
            tracing::error!(%error, "completing a page panicked; its lease will run out");
        }
    }
}

/// Pages that a worker completes at a time: more would only take their turn from other workers.
const MOST_COMPLETING: usize = 1;

/// Pages that wait for answers from outside, beside those that do not (B5.2).
#[derive(Default)]
pub(crate) struct OutsidePages {
    running: JoinSet<()>,
    /// Whose each of them is.
    accounts: HashMap<task::Id, AccountKey>,
    by_account: HashMap<AccountKey, AccountPages>,
}

/// The pages of one account that a worker holds.
struct AccountPages {
    /// Places for pages with many lines under work; a page gives its place up when few are left.
    busy: Arc<Semaphore>,
    held: usize,
}

/// Pages of one account with many lines under work: while the last calls of one are made, the next has begun.
const BUSY_PAGES: usize = 3;

/// Pages of one account that a worker holds at most: those whose last lines wait for a slow answer count, too.
const MOST_PAGES: usize = 12;

impl Default for AccountPages {
    fn default() -> Self {
        Self { busy: Arc::new(Semaphore::new(BUSY_PAGES)), held: 0 }
    }
}

impl OutsidePages {
    /// A place for one more page of the account, if there is one.
    pub(crate) fn room(&mut self, account: AccountKey) -> Option<OwnedSemaphorePermit> {
        let pages = self.by_account.entry(account).or_default();
        if pages.held >= MOST_PAGES { None } else { Arc::clone(&pages.busy).try_acquire_owned().ok() }
    }

    pub(crate) fn begin(&mut self, account: AccountKey, page: impl Future<Output = ()> + Send + 'static) {
        self.by_account.entry(account).or_default().held += 1;
        let task = self.running.spawn(page);
        self.accounts.insert(task.id(), account);
    }

    /// Waits until one of them has ended; for ever when there is none.
    pub(crate) async fn ended(&mut self) {
        let Some(ended) = self.running.join_next_with_id().await else { return std::future::pending().await };
        self.count_off(ended);
    }

    /// Counts those off that have ended by now: a worker that always finds another page to run never waits for one.
    pub(crate) fn count_off_ended(&mut self) {
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.count_off(ended);
        }
    }

    fn count_off(&mut self, ended: std::result::Result<(task::Id, ()), task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "a page panicked; its lease will run out");
                error.id()
            }
        };
        let account = self.accounts.remove(&id);
        if let Some(pages) = account.and_then(|account| self.by_account.get_mut(&account)) {
            pages.held -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use lineshift_domain::ids::{IntegrationAuthenticationId, TenantId};

    use super::*;

    const ACCOUNT: AccountKey =
        AccountKey { tenant_id: TenantId(1), integration_authentication_id: IntegrationAuthenticationId(1) };

    #[tokio::test]
    async fn pages_that_ended_make_room_also_when_nobody_waits_for_them() {
        let mut pages = OutsidePages::default();
        for _ in 0..MOST_PAGES {
            pages.begin(ACCOUNT, async {});
        }
        assert!(pages.room(ACCOUNT).is_none(), "as many as may be are held");
        tokio::task::yield_now().await;
        pages.count_off_ended();
        assert!(pages.room(ACCOUNT).is_some(), "they have ended");
    }

    #[tokio::test]
    async fn a_page_that_panics_is_counted_off_alone() {
        let mut pages = OutsidePages::default();
        let (go, waits) = tokio::sync::oneshot::channel::<()>();
        pages.begin(ACCOUNT, async move { drop(waits.await) });
        pages.begin(ACCOUNT, async { panic!("a page") });
        pages.ended().await;
        assert_eq!(pages.by_account[&ACCOUNT].held, 1);
        drop(go);
        pages.ended().await;
        assert_eq!(pages.by_account[&ACCOUNT].held, 0);
    }
}
