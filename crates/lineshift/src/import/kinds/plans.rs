//! Customer rate plans, with the ids given.

use anyhow::Result;
use lineshift_domain::ids::CustomerRatePlanId;
use lineshift_store::catalogue::CustomerRatePlan;
use lineshift_store::import::Imported;

use super::super::cells::Seen;
use super::super::header::{optional, required};
use super::super::{Cells, Column, Kind, Target};

/// See the module.
#[derive(Default)]
pub(super) struct Plans {
    ids: Seen<i64>,
}

impl Kind for Plans {
    type Row = CustomerRatePlan;

    const COLUMNS: &'static [Column] = &[
        required("id"),
        required("name"),
        optional("monthly_price"),
        optional("allocation_default_mb"),
        optional("allocation_bound_mb"),
        optional("rev_product_id"),
        optional("is_active"),
    ];

    async fn begin(_: &Target<'_>) -> Result<Self> {
        Ok(Self::default())
    }

    fn read(&mut self, cells: &mut Cells<'_, '_>) -> Option<Self::Row> {
        let id = cells.required_id("id");
        let name = cells.required("name", "a name");
        let monthly_price = cells.amount("monthly_price");
        let allocation_default_mb = cells.amount("allocation_default_mb");
        let allocation_bound_mb = cells.amount("allocation_bound_mb");
        if let Some(bound) = allocation_bound_mb.filter(|bound| allocation_default_mb.is_some_and(|default| default > *bound)) {
            cells.report("allocation_default_mb", format!("at most allocation_bound_mb, which is {bound}"));
        }
        let rev_product_id = cells.id("rev_product_id");
        let is_active = cells.flag("is_active", true);
        let id = id?;
        cells.only_once(&mut self.ids, "id", id);
        Some(CustomerRatePlan {
            id: CustomerRatePlanId(id),
            name: name?.to_owned(),
            monthly_price,
            allocation_default_mb,
            allocation_bound_mb,
            rev_product_id,
            is_active,
        })
    }

    async fn store(target: &Target<'_>, rows: &[Self::Row]) -> Result<Imported> {
        Ok(target.store.import_plans(target.tenant.id, rows, target.now).await?)
    }
}
