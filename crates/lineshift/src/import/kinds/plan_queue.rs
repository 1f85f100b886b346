//! Open plan queue entries: customer-plan changes that another system had scheduled.

use anyhow::Result;
use lineshift_domain::terms::PortalType;
use lineshift_store::import::{ImportQueueEntry, Imported};

use super::super::header::{optional, required};
use super::super::{Cells, Column, Kind, References, Target};

const PORTALS: &[(&str, PortalType)] = &[("M2M", PortalType::M2M), ("LNP", PortalType::Lnp), ("Mobility", PortalType::Mobility)];

/// See the module.
pub(super) struct PlanQueue {
    references: References,
}

impl Kind for PlanQueue {
    type Row = ImportQueueEntry;

    const COLUMNS: &'static [Column] = &[
        required("iccid"),
        required("effective_date"),
        required("portal"),
        optional("plan_id"),
        optional("pool_id"),
        optional("allocation_mb"),
    ];

    async fn begin(target: &Target<'_>) -> Result<Self> {
        Ok(Self { references: References::default().with_plans_and_pools(target).await? })
    }

    fn read(&mut self, cells: &mut Cells<'_, '_>) -> Option<Self::Row> {
        let iccid = cells.iccid("iccid");
        cells.required("effective_date", "a date in ISO 8601, such as 2026-12-01");
        let effective_date = cells.date("effective_date");
        let portal = cells.choice("portal", PORTALS);
        let plan = cells.id_or_zero("plan_id");
        let plan = self.references.plan(cells, "plan_id", plan);
        let pool = cells.id_or_zero("pool_id");
        let pool = self.references.pool(cells, "pool_id", pool);
        let allocation = cells.amount("allocation_mb");
        if cells.is_sound() && plan.is_none() && pool.is_none() && allocation.is_none() {
            cells.report("plan_id", "something that changes: plan_id, pool_id or allocation_mb");
        }
        Some(ImportQueueEntry {
            iccid: iccid?.to_string(),
            customer_rate_plan_id: plan.map(|plan| plan.0),
            customer_rate_pool_id: pool.map(|pool| pool.0),
            customer_data_allocation_mb: allocation,
            effective_date: effective_date?,
            portal: portal?,
        })
    }

    fn lines_needed(chunk: &[(u64, Self::Row)]) -> Vec<(usize, &str)> {
        chunk.iter().enumerate().map(|(place, (_, row))| (place, row.iccid.as_str())).collect()
    }

    async fn store(target: &Target<'_>, rows: &[Self::Row]) -> Result<Imported> {
        Ok(target.store.import_queue_entries(target.tenant.id, rows, target.by, target.now).await?)
    }
}
