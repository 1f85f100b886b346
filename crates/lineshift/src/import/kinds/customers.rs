//! Rev customers, by Rev.io's own id.

use anyhow::Result;
use lineshift_domain::ids::RevCustomerId;
use lineshift_store::catalogue::RevCustomer;
use lineshift_store::import::Imported;

use super::super::cells::Seen;
use super::super::header::{optional, required};
use super::super::{Cells, Column, Kind, References, Target};

/// See the module.
pub(super) struct Customers {
    references: References,
    ids: Seen<i64>,
}

impl Kind for Customers {
    type Row = RevCustomer;

    const COLUMNS: &'static [Column] = &[required("id"), required("name"), required("authentication"), optional("is_active")];

    async fn begin(target: &Target<'_>) -> Result<Self> {
        Ok(Self { references: References::default().with_authentications(target).await?, ids: Seen::default() })
    }

    fn read(&mut self, cells: &mut Cells<'_, '_>) -> Option<Self::Row> {
        let id = cells.required_id("id");
        let name = cells.required("name", "a name");
        let authentication = self.references.authentication(cells, "authentication");
        let is_active = cells.flag("is_active", true);
        let id = id?;
        cells.only_once(&mut self.ids, "id", id);
        Some(RevCustomer {
            id: RevCustomerId(id),
            name: name?.to_owned(),
            integration_authentication_id: authentication?,
            is_active,
        })
    }

    async fn store(target: &Target<'_>, rows: &[Self::Row]) -> Result<Imported> {
        Ok(target.store.import_customers(target.tenant.id, rows, target.now).await?)
    }
}
