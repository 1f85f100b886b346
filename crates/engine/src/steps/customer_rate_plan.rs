//! Step `customer_rate_plan`: plan, pool and allocation, now, by number, or by the plan queue (section 8).

use async_trait::async_trait;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::{PlanValues, Setting, StoredPlan};
use lineshift_domain::terms::{LineIdentifier, Step};
use lineshift_store::work::{OrderFacts, PageWork, PlanWrite, StepLog};
use lineshift_store::{Result, StoreError};

use super::{SetStep, StepReport};

/// Puts the lines on their plan, pool and allocation.
#[derive(Debug, Clone, Copy)]
pub struct CustomerRatePlan;

/// How the step is done (B8.1, B8.2).
#[derive(Clone, Copy)]
enum Way {
    Now,
    ByNumber,
    Queued,
}

#[async_trait]
impl SetStep for CustomerRatePlan {
    fn name(&self) -> Step {
        Step::CustomerRatePlan
    }

    async fn apply(&self, order: &OrderFacts, page: &mut dyn PageWork) -> Result<StepReport> {
        let asked = order.change.order.plan().ok_or_else(|| StoreError::internal("a step that was not ordered"))?;
        let way = match (asked.queued, order.change.identifier) {
            (true, _) => Way::Queued,
            (false, LineIdentifier::Number) => Way::ByNumber,
            (false, LineIdentifier::Iccid) => Way::Now,
        };
        let write = PlanWrite {
            values: asked.values,
            effective_at: asked.effective_at,
            replace_scheduled: asked.replace_scheduled,
            log: log(order, asked, way),
        };
        let lines_changed = match way {
            Way::Now => page.usp_devicebulkchange_customerrateplanchange_updatedevices(&write).await?,
            Way::ByNumber => page.usp_devicebulkchange_customerrateplanchange_updatedevicebynumber(&write).await?,
            Way::Queued => page.schedule_customer_rate_plan(&write).await?,
        };
        Ok(StepReport { lines_changed })
    }

    async fn revert(&self, page: &mut dyn PageWork, rows: &[DeviceChangeId]) -> Result<StepReport> {
        Ok(StepReport { lines_changed: page.revert_customer_rate_plan(rows).await? })
    }
}

fn log(order: &OrderFacts, asked: &StoredPlan, way: Way) -> StepLog {
    let alone = order.change.order.assignment().is_none();
    let values = describe(&asked.values);
    let (text, action, response) = match way {
        Way::Now | Way::ByNumber => (
            if alone { LogText::ChangeCustomerRatePlan } else { LogText::AssociateCustomerRatePlan },
            if matches!(way, Way::Now) {
                "usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDevices"
            } else {
                "usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDeviceByNumber"
            },
            format!("now {values}"),
        ),
        Way::Queued => (
            if alone { LogText::ScheduleRatePlan } else { LogText::AssociateScheduleRatePlan },
            "Device_CustomerRatePlanOrRatePool_Queue",
            scheduled_for(order, asked).unwrap_or_default(),
        ),
    };
    let response = match (asked.replace_scheduled, way) {
        (false, _) => response,
        (true, Way::Queued) => format!("{response}, open entries from then on canceled"),
        (true, Way::Now | Way::ByNumber) => format!("{response}, open entries canceled"),
    };
    StepLog { text, request: format!("{action}\n{values}, line "), response }
}

/// "scheduled for" and its date in the tenant's zone, for an order that the plan queue will apply (B8.2).
pub(crate) fn scheduled_for(order: &OrderFacts, asked: &StoredPlan) -> Option<String> {
    let at = asked.effective_at.filter(|_| asked.queued)?;
    Some(format!("scheduled for {}", at.with_timezone(&order.time_zone).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)))
}

fn describe(values: &PlanValues) -> String {
    fn part<T: std::fmt::Display>(name: &str, setting: Setting<T>, unit: &str) -> String {
        match setting {
            Setting::Keep => format!("{name} kept"),
            Setting::Clear => format!("{name} none"),
            Setting::Set(value) => format!("{name} {value}{unit}"),
        }
    }
    let parts = [part("plan", values.plan, ""), part("pool", values.pool, ""), part("allocation", values.allocation_mb, " MB")];
    parts.join(", ")
}
