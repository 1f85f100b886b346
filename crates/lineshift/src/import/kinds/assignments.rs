//! Present assignments of lines, by ICCID.

use anyhow::Result;
use lineshift_domain::lines::Digits;
use lineshift_store::import::{ImportAssignment, Imported};

use super::super::cells::Seen;
use super::super::header::{optional, required};
use super::super::{Cells, Column, Kind, References, Target};

/// See the module.
pub(super) struct Assignments {
    references: References,
    iccids: Seen<Digits>,
}

impl Kind for Assignments {
    type Row = ImportAssignment;

    const COLUMNS: &'static [Column] = &[
        required("iccid"),
        required("site_id"),
        optional("customer_id"),
        optional("plan_id"),
        optional("pool_id"),
        optional("allocation_mb"),
        optional("effective_date"),
    ];

    async fn begin(target: &Target<'_>) -> Result<Self> {
        let references = References::default().with_customers(target).await?.with_sites(target).await?;
        Ok(Self { references: references.with_plans_and_pools(target).await?, iccids: Seen::default() })
    }

    fn read(&mut self, cells: &mut Cells<'_, '_>) -> Option<Self::Row> {
        let iccid = cells.iccid("iccid");
        let rev_customer_id = self.references.customer(cells, "customer_id");
        // A customer that is not there was reported; what belongs to it cannot be said then.
        let site_id = if cells.is_sound() { self.references.site(cells, "site_id", rev_customer_id) } else { None };
        let plan = cells.id("plan_id");
        let customer_rate_plan_id = self.references.plan(cells, "plan_id", plan);
        let pool = cells.id("pool_id");
        let customer_rate_pool_id = self.references.pool(cells, "pool_id", pool);
        let customer_data_allocation_mb = cells.amount("allocation_mb");
        let effective_date = cells.date("effective_date");
        let iccid = iccid?;
        cells.only_once(&mut self.iccids, "iccid", iccid);
        Some(ImportAssignment {
            iccid: iccid.to_string(),
            rev_customer_id,
            site_id: site_id?,
            customer_rate_plan_id,
            customer_rate_pool_id,
            customer_data_allocation_mb,
            effective_date,
        })
    }

    fn lines_needed(chunk: &[(u64, Self::Row)]) -> Vec<(usize, &str)> {
        chunk.iter().enumerate().map(|(place, (_, row))| (place, row.iccid.as_str())).collect()
    }

    async fn store(target: &Target<'_>, rows: &[Self::Row]) -> Result<Imported> {
        Ok(target.store.import_assignments(target.tenant.id, rows, target.by, target.now).await?)
    }
}
