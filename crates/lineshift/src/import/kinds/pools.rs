//! Customer rate pools, with the ids given.

use anyhow::Result;
use lineshift_domain::ids::CustomerRatePoolId;
use lineshift_store::catalogue::CustomerRatePool;
use lineshift_store::import::Imported;

use super::super::cells::Seen;
use super::super::header::{optional, required};
use super::super::{Cells, Column, Kind, Target};

/// See the module.
#[derive(Default)]
pub(super) struct Pools {
    ids: Seen<i64>,
}

impl Kind for Pools {
    type Row = CustomerRatePool;

    const COLUMNS: &'static [Column] = &[required("id"), required("name"), optional("is_active")];

    async fn begin(_: &Target<'_>) -> Result<Self> {
        Ok(Self::default())
    }

    fn read(&mut self, cells: &mut Cells<'_, '_>) -> Option<Self::Row> {
        let id = cells.required_id("id");
        let name = cells.required("name", "a name");
        let is_active = cells.flag("is_active", true);
        let id = id?;
        cells.only_once(&mut self.ids, "id", id);
        Some(CustomerRatePool { id: CustomerRatePoolId(id), name: name?.to_owned(), is_active })
    }

    async fn store(target: &Target<'_>, rows: &[Self::Row]) -> Result<Imported> {
        Ok(target.store.import_pools(target.tenant.id, rows, target.now).await?)
    }
}
