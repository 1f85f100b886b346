//! Somebody who books a line elsewhere in the midst of its page.

use std::sync::Arc;

use lineshift_domain::ids::{SiteId, TenantId};
use lineshift_engine::{AtBoundary, Boundary, Clock as _};
use lineshift_store::Store;
use lineshift_store::import::ImportAssignment;

use crate::clock::TestClock;
use crate::operator::{Operator, iccid};

/// Books a line elsewhere, as another system would, once every call of a page was made.
#[derive(Clone)]
pub struct Meddler {
    /// Through which it is stored.
    pub store: Arc<dyn Store>,
    /// When it is.
    pub clock: Arc<TestClock>,
    /// Whose line it is.
    pub tenant: TenantId,
    /// Where it is booked.
    pub site: SiteId,
    /// Which line.
    pub line: u64,
}

impl Meddler {
    /// To the operator's AMOP customer.
    #[must_use]
    pub fn of(operator: &Operator, line: u64) -> Self {
        let (store, clock) = (Arc::clone(&operator.store), Arc::clone(&operator.clock));
        Self { store, clock, tenant: operator.tenant(), site: operator.amop_site, line }
    }

    /// Does so where every call was made.
    pub async fn pass(&self, boundary: Boundary) {
        if boundary == Boundary::Called {
            let row = ImportAssignment {
                iccid: iccid(self.line),
                rev_customer_id: None,
                site_id: self.site,
                customer_rate_plan_id: None,
                customer_rate_pool_id: None,
                customer_data_allocation_mb: None,
                effective_date: None,
            };
            self.store.import_assignments(self.tenant, &[row], "elsewhere", self.clock.now()).await.expect("booked");
        }
    }

    /// For an engine.
    #[must_use]
    pub fn boundaries(self) -> Arc<AtBoundary> {
        Arc::new(move |boundary, _| {
            let meddler = self.clone();
            Box::pin(async move { meddler.pass(boundary).await })
        })
    }
}
