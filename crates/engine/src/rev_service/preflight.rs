//! What can be known before anything is created: whether customer, provider, service type, products or package can be billed at all.
//! Cached look-ups (B7.6): a line that would fail half-way is refused before its service is opened.

use lineshift_connectors::{CallError, Called};
use lineshift_domain::codes::Code;
use lineshift_domain::judge::Reason;
use lineshift_domain::order::RevCharge;
use lineshift_domain::terms::StepState;
use lineshift_store::Result as StoreResult;

use super::{LineRun, RevServicePage, SERVICE};
use crate::outside::{Flow, Goal};

impl RevServicePage<'_> {
    /// Why no line of this page may create anything now, if so. Asked only when a line would.
    pub(super) async fn preflight(&self, lines: &[LineRun]) -> StoreResult<Option<Flow>> {
        let creates = |line: &LineRun| matches!(line.goal, Goal::Do) && !line.stands();
        if !lines.iter().any(creates) {
            return Ok(None);
        }
        let refused = match self.check_references().await {
            Ok(refused) => refused.map(Flow::Fail),
            Err(error) => Some(self.calling.after_failed_read(error).await?),
        };
        Ok(refused)
    }

    async fn check_references(&self) -> Result<Option<Reason>, CallError> {
        let billing = self.billing;
        let customer = billing.find_customer(self.customer).await.result?;
        if customer.is_none_or(|customer| customer.is_closed) {
            let text = format!("customer {} is closed in Rev.io or unknown there; nothing can be billed to it", self.customer);
            return Ok(Some(Reason::new(Code::CustomerClosed, text)));
        }
        let asked = self.asked;
        let provider = active(billing.find_provider(asked.provider_id).await, |provider| provider.is_active)?;
        let service_type = active(billing.find_service_type(asked.service_type_id).await, |service_type| service_type.is_active)?;
        for (what, id, is_active) in
            [("provider", asked.provider_id, provider), ("service type", asked.service_type_id, service_type)]
        {
            if !is_active {
                return Ok(Some(inactive(what, id)));
            }
        }
        match &asked.charge {
            RevCharge::Products(products) => {
                for product in products {
                    if !active(billing.find_product(product.product_id).await, |product| product.is_active)? {
                        return Ok(Some(inactive("product", product.product_id)));
                    }
                }
            }
            RevCharge::Package(id) => {
                let package = billing.find_package(*id).await.result?;
                let Some(package) = package.filter(|package| package.is_active) else {
                    return Ok(Some(inactive("package", *id)));
                };
                if package.products == 0 {
                    let text = format!("package {id} has no products in Rev.io, so that nothing would be billed; order another");
                    return Ok(Some(Reason::new(Code::PackageWithoutProducts, text)));
                }
            }
        }
        Ok(None)
    }

    /// Whether this line may not create anything because of what was found before.
    pub(super) fn stopped_by(line: &LineRun, obstacle: Option<Flow>) -> Option<Flow> {
        // What stands as a whole needs nothing any more.
        obstacle.filter(|_| !line.stands() && line.state(SERVICE) != StepState::Ambiguous)
    }
}

fn active<T>(called: Called<Option<T>>, is_active: impl Fn(&T) -> bool) -> Result<bool, CallError> {
    Ok(called.result?.is_some_and(|found| is_active(&found)))
}

fn inactive(what: &str, id: i64) -> Reason {
    let text = format!("{what} {id} is inactive in Rev.io or unknown there; order another, or make it active");
    Reason::new(Code::BillingReferenceInactive, text)
}
