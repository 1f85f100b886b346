//! What no list showed: each service, and the products of each service, are asked for by themselves before anything counts as gone.

use std::sync::Arc;

use futures::StreamExt as _;
use lineshift_connectors::CallError;
use lineshift_connectors::billing::{ServiceProductRecord, ServiceRecord};
use lineshift_domain::ids::RevServiceId;
use lineshift_domain::terms::ServiceProductStatus;
use lineshift_store::Result as StoreResult;
use lineshift_store::sync::{GoneProduct, GoneService, SyncBatch, SyncClaim, SyncPlace, Unseen, UnseenPart};

use super::lists::{Brought, Cut, product_row, service_row};
use crate::Engine;
use crate::accounts::OpenBilling;

/// Asked for between two writes.
const ASK_AT_ONCE: usize = 100;

/// Calls under way for it; changes need the account, too.
const CALLS_AT_ONCE: usize = 4;

impl Engine {
    /// Asks for services that are connected here and that no list showed.
    pub(super) async fn ask_for_services(&self, claim: &SyncClaim, account: &OpenBilling) -> StoreResult<Result<Brought, Cut>> {
        let part = self.store.list_unseen_services(claim, ASK_AT_ONCE).await?;
        let calls = part.items.iter().map(|unseen| {
            let (billing, id) = (Arc::clone(&account.connector), unseen.rev_service_id);
            async move { billing.find_service(id).await.result }
        });
        let (answers, failed) = in_order(calls.collect()).await;
        let today = self.clock.now().date_naive();
        let mut batch = SyncBatch::default();
        for (unseen, answer) in part.items.iter().zip(&answers) {
            match answer {
                Some(service) if is_connected(service, unseen) => batch.services.push(service_row(service)),
                gone => batch.gone_services.push(GoneService {
                    rev_customer_id: unseen.rev_customer_id,
                    rev_service_id: unseen.rev_service_id,
                    on: gone.as_ref().and_then(|service| service.disconnected_date).unwrap_or(today),
                    there: gone.as_ref().map_or_else(|| "not there".to_owned(), why_gone),
                }),
            }
        }
        Ok(settled_so_far(claim, &part, answers.len(), batch, failed))
    }

    /// Asks for service products that are charged here and that no list showed.
    pub(super) async fn ask_for_products(&self, claim: &SyncClaim, account: &OpenBilling) -> StoreResult<Result<Brought, Cut>> {
        // Searches may find what was created here only a while later, and products are found by searches only.
        let stored_before = claim.run.started_at - self.limits.settle_after();
        let part = self.store.list_unseen_products(claim, stored_before, ASK_AT_ONCE).await?;
        let mut services: Vec<RevServiceId> = Vec::new();
        for unseen in &part.items {
            if !services.contains(&unseen.rev_service_id) {
                services.push(unseen.rev_service_id);
            }
        }
        let calls = services.iter().map(|service| {
            let (billing, id) = (Arc::clone(&account.connector), *service);
            async move { billing.list_products_of(id).await.result }
        });
        let (answers, failed) = in_order(calls.collect()).await;
        let mut batch = SyncBatch::default();
        // Up to the first whose service was not answered for.
        let asked = &services[..answers.len()];
        let mut settled = 0;
        for unseen in &part.items {
            let Some(place) = asked.iter().position(|service| *service == unseen.rev_service_id) else { break };
            settle_product(unseen, &answers[place], &mut batch);
            settled += 1;
        }
        Ok(settled_so_far(claim, &part, settled, batch, failed))
    }
}

/// Makes the calls, several at a time; answers those before the first that failed, and why it did.
pub(super) async fn in_order<T>(calls: Vec<impl Future<Output = Result<T, CallError>>>) -> (Vec<T>, Option<CallError>) {
    let mut answers = Vec::with_capacity(calls.len());
    let mut calls = futures::stream::iter(calls).buffered(CALLS_AT_ONCE);
    while let Some(answer) = calls.next().await {
        match answer {
            Ok(answer) => answers.push(answer),
            Err(error) => return (answers, Some(error)),
        }
    }
    (answers, None)
}

/// What was brought; with nothing settled, only the failure.
fn settled_so_far(
    claim: &SyncClaim,
    part: &UnseenPart,
    settled: usize,
    batch: SyncBatch,
    failed: Option<CallError>,
) -> Result<Brought, Cut> {
    match failed {
        Some(error) if settled == 0 => Err(error.into()),
        failed => Ok(Brought { batch, next: place_after(claim, part, settled), cut: failed.map(Cut::Failed) }),
    }
}

/// Behind what was settled: the next item of this part, the next part, or the next phase.
fn place_after(claim: &SyncClaim, part: &UnseenPart, settled: usize) -> SyncPlace {
    let phase = claim.run.phase;
    if settled < part.items.len() {
        let after = settled.checked_sub(1).map_or(claim.run.after, |last| part.items[last].id);
        return SyncPlace { phase, page: 1, after };
    }
    part.next.map_or_else(|| SyncPlace::beginning(phase.next(claim.run.what)), |after| SyncPlace { phase, page: 1, after })
}

fn is_connected(service: &ServiceRecord, unseen: &Unseen) -> bool {
    service.disconnected_date.is_none() && service.customer_id == unseen.rev_customer_id
}

fn why_gone(service: &ServiceRecord) -> String {
    service
        .disconnected_date
        .map_or_else(|| format!("a service of customer {} now", service.customer_id), |day| format!("disconnected {day}"))
}

fn settle_product(unseen: &Unseen, products: &[ServiceProductRecord], batch: &mut SyncBatch) {
    let Some(id) = unseen.rev_service_product_id else { return };
    let found = products.iter().find(|product| product.id == id && product.customer_id == unseen.rev_customer_id);
    match found {
        Some(product) if matches!(product.status, ServiceProductStatus::Pending | ServiceProductStatus::Active) => {
            batch.products.push(product_row(product));
        }
        gone => batch.gone_products.push(GoneProduct {
            rev_customer_id: unseen.rev_customer_id,
            rev_service_id: unseen.rev_service_id,
            rev_service_product_id: id,
            there: gone.map_or_else(|| "not there".to_owned(), |product| product.status.to_string()),
        }),
    }
}
