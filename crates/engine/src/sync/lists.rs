//! Lists, page by page. They may grow and shrink while they are read: what is shown twice counts once, and what is passed over is
//! asked for later.

use lineshift_connectors::CallError;
use lineshift_connectors::billing::{Batch, CustomerRecord, ServiceProductRecord, ServiceRecord};
use lineshift_domain::sync::SyncPhase;
use lineshift_store::billing::{RevServiceProductRow, RevServiceRow};
use lineshift_store::sync::{SyncBatch, SyncClaim, SyncPlace, SyncRun, SyncedCustomer};

use crate::Engine;
use crate::accounts::OpenBilling;

/// What a page of a run brought.
pub(super) struct Brought {
    /// What is to be written.
    pub(super) batch: SyncBatch,
    /// Where the run goes on.
    pub(super) next: SyncPlace,
    /// Why the page is not whole, if it is not.
    pub(super) cut: Option<Cut>,
}

/// Why a page is not whole, or none was brought.
pub(super) enum Cut {
    /// A call failed.
    Failed(CallError),
    /// The carrier refused one line; it may have been in the way of something else, so that it is asked again.
    LineRefused(CallError),
    /// Bulk changes call the account, and the run only takes what they leave.
    Wanted,
}

impl From<CallError> for Cut {
    fn from(error: CallError) -> Self {
        Self::Failed(error)
    }
}

impl Engine {
    /// The next page of the list that the run reads.
    pub(super) async fn read_list(&self, claim: &SyncClaim, account: &OpenBilling) -> Result<Brought, Cut> {
        let (run, billing) = (&claim.run, &account.connector);
        match run.phase {
            SyncPhase::Customers => {
                let page = billing.list_customers(run.since, run.page).await.result?;
                let customers = page.records.iter().map(synced_customer).collect();
                Ok(brought(run, &page, SyncBatch { customers, ..SyncBatch::default() }))
            }
            SyncPhase::Services => {
                let page = billing.list_services(run.page).await.result?;
                let services = page.records.iter().map(service_row).collect();
                Ok(brought(run, &page, SyncBatch { services, ..SyncBatch::default() }))
            }
            _ => {
                let page = billing.list_service_products(run.page).await.result?;
                let products = page.records.iter().map(product_row).collect();
                Ok(brought(run, &page, SyncBatch { products, ..SyncBatch::default() }))
            }
        }
    }
}

fn brought<T>(run: &SyncRun, page: &Batch<T>, batch: SyncBatch) -> Brought {
    // Customers that were not changed since are taken out of their pages, so that a page may be empty and not the last; a list
    // that goes on for ever is stopped by the number of its pages, which no account has.
    let goes_on = page.has_more && run.page < MOST_PAGES;
    let next = if goes_on {
        SyncPlace { phase: run.phase, page: run.page + 1, after: 0 }
    } else {
        SyncPlace::beginning(run.phase.next(run.what))
    };
    Brought { batch, next, cut: None }
}

/// Pages of 50 to 500 records.
pub(super) const MOST_PAGES: u32 = 100_000;

fn synced_customer(customer: &CustomerRecord) -> SyncedCustomer {
    SyncedCustomer {
        id: customer.id,
        name: customer.name.clone(),
        is_closed: customer.is_closed,
        updated_at: customer.updated_at,
    }
}

/// A service as it is stored. The line's ICCID is its second number; where that is missing, the first may be one.
pub(super) fn service_row(service: &ServiceRecord) -> RevServiceRow {
    let is_iccid = |number: &&String| (18..=22).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    RevServiceRow {
        rev_customer_id: service.customer_id,
        rev_service_id: service.id,
        number: service.number.clone(),
        iccid: service.number2.as_ref().or_else(|| service.number.as_ref().filter(is_iccid)).cloned(),
        rev_service_type_id: service.service_type_id,
        rev_provider_id: service.provider_id,
        activated_date: service.activated_date,
        disconnected_date: service.disconnected_date,
        has_package: service.package_id.is_some(),
        device_id: None,
        by: None,
    }
}

/// A service product as it is stored.
pub(super) fn product_row(product: &ServiceProductRecord) -> RevServiceProductRow {
    RevServiceProductRow {
        rev_customer_id: product.customer_id,
        rev_service_id: product.service_id,
        rev_service_product_id: product.id,
        rev_product_id: product.product_id,
        package_id: product.package_id,
        rate: product.rate,
        quantity: product.quantity,
        status: product.status,
        description: product.description.clone(),
    }
}
