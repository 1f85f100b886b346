//! Sites, with the ids given. One without a Rev customer is a customer without Rev.io.

use anyhow::Result;
use lineshift_domain::ids::SiteId;
use lineshift_store::catalogue::Site;
use lineshift_store::import::Imported;

use super::super::cells::Seen;
use super::super::header::{optional, required};
use super::super::{Cells, Column, Kind, References, Target};

/// See the module.
pub(super) struct Sites {
    references: References,
    ids: Seen<i64>,
}

impl Kind for Sites {
    type Row = Site;

    const COLUMNS: &'static [Column] = &[required("id"), required("name"), optional("customer_id"), optional("is_active")];

    async fn begin(target: &Target<'_>) -> Result<Self> {
        Ok(Self { references: References::default().with_customers(target).await?, ids: Seen::default() })
    }

    fn read(&mut self, cells: &mut Cells<'_, '_>) -> Option<Self::Row> {
        let id = cells.required_id("id");
        let name = cells.required("name", "a name");
        let rev_customer_id = self.references.customer(cells, "customer_id");
        let is_active = cells.flag("is_active", true);
        let id = id?;
        cells.only_once(&mut self.ids, "id", id);
        Some(Site { id: SiteId(id), name: name?.to_owned(), rev_customer_id, is_active })
    }

    async fn store(target: &Target<'_>, rows: &[Self::Row]) -> Result<Imported> {
        Ok(target.store.import_sites(target.tenant.id, rows, target.now).await?)
    }
}
