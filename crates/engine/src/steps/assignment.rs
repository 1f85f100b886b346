//! Step `assignment`: customer, site, account number (section 6, step 3).

use async_trait::async_trait;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::StoredAssignment;
use lineshift_domain::terms::Step;
use lineshift_store::work::{AssignmentWrite, OrderFacts, PageWork, StepLog};
use lineshift_store::{Result, StoreError};

use super::{SetStep, StepReport};

/// Books the lines at their customer and site.
#[derive(Debug, Clone, Copy)]
pub struct Assignment;

#[async_trait]
impl SetStep for Assignment {
    fn name(&self) -> Step {
        Step::Assignment
    }

    async fn apply(&self, order: &OrderFacts, page: &mut dyn PageWork) -> Result<StepReport> {
        let asked = order.change.order.assignment().ok_or_else(|| StoreError::internal("a step that was not ordered"))?;
        let write = AssignmentWrite { assignment: asked.clone(), time_zone: order.time_zone, log: log(asked) };
        let lines_changed = if asked.rev_customer_id.is_some() {
            page.usp_assign_customer_update_site(&write).await?
        } else {
            page.usp_devicebulkchange_assign_non_rev_customer(&write).await?
        };
        Ok(StepReport { lines_changed })
    }

    async fn revert(&self, page: &mut dyn PageWork, rows: &[DeviceChangeId]) -> Result<StepReport> {
        Ok(StepReport { lines_changed: page.revert_assignment(rows).await? })
    }
}

fn log(asked: &StoredAssignment) -> StepLog {
    let site = asked.site_id;
    match asked.rev_customer_id {
        Some(customer) => StepLog {
            text: LogText::AmopCustomerAssignment,
            request: format!("usp_Assign_Customer_Update_Site\ncustomer {customer}, site {site}, line "),
            response: format!("assigned to customer {customer} at site {site}"),
        },
        None => StepLog {
            text: LogText::AssignNonRevCustomer,
            request: format!("usp_DeviceBulkChange_Assign_Non_Rev_Customer\nsite {site}, line "),
            response: format!("assigned to site {site}"),
        },
    }
}
