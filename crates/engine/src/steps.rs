//! Steps: one reversible effect each on a page of device changes (section 6).
//!
//! `apply` and `revert` may each run twice for the same rows and then have no further effect. What is here writes only to
//! the store, set by set, within the page's transaction: it happens whole or not at all.

mod assignment;
mod customer_rate_plan;

use std::time::Instant;

use async_trait::async_trait;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::steps::steps_of;
use lineshift_domain::terms::Step;
use lineshift_store::Result;
use lineshift_store::work::{OrderFacts, PageWork};

pub use assignment::Assignment;
pub use customer_rate_plan::CustomerRatePlan;
pub(crate) use customer_rate_plan::scheduled_for;

/// What a step did with a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepReport {
    /// Lines whose values differ now from before.
    pub lines_changed: u64,
}

/// One reversible effect on the accepted rows of a page.
#[async_trait]
pub trait SetStep: Send + Sync {
    /// Its stored name.
    fn name(&self) -> Step;

    /// Does it to every row of the page that is open and not settled. Lines that stand so already are left as they are.
    async fn apply(&self, order: &OrderFacts, page: &mut dyn PageWork) -> Result<StepReport>;

    /// Undoes what this change did to these rows, where its values still stand (B6.3).
    async fn revert(&self, page: &mut dyn PageWork, rows: &[DeviceChangeId]) -> Result<StepReport>;
}

/// The steps of an order, in the order of section 6.
#[must_use]
pub fn set_steps(order: &OrderFacts) -> Vec<Box<dyn SetStep>> {
    let step = |name: &Step| -> Option<Box<dyn SetStep>> {
        match name {
            Step::Assignment => Some(Box::new(Assignment)),
            Step::CustomerRatePlan => Some(Box::new(CustomerRatePlan)),
            // They call outside, before the page's transaction.
            Step::RevService | Step::CarrierRatePlan | Step::CarrierStatus => None,
        }
    };
    steps_of(&order.change.order).iter().filter_map(step).collect()
}

/// Applies a step and measures it.
pub(crate) async fn apply_measured(step: &dyn SetStep, order: &OrderFacts, page: &mut dyn PageWork) -> Result<StepReport> {
    let started = Instant::now();
    let report = step.apply(order, page).await?;
    metrics::histogram!("lineshift_step_seconds", "step" => step.name().as_str()).record(started.elapsed().as_secs_f64());
    Ok(report)
}
