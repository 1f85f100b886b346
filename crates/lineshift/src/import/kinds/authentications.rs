//! Credentials of billing and carrier accounts: their names; the secrets are given elsewhere.

use anyhow::Result;
use lineshift_connectors::carrier::Carriers;
use lineshift_domain::ids::IntegrationAuthenticationId;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::IntegrationKind;
use lineshift_store::catalogue::IntegrationAuthentication;
use lineshift_store::import::Imported;
use lineshift_web::credentials::known_kinds;

use super::super::cells::Seen;
use super::super::header::{optional, required};
use super::super::{Cells, Column, Kind, Target};

/// Every system, by the word in the file.
pub(super) fn systems() -> Vec<(&'static str, IntegrationKind)> {
    known_kinds(&Carriers::default()).into_iter().map(|kind| (kind.as_str(), kind)).collect()
}

/// See the module.
#[derive(Default)]
pub(super) struct Authentications {
    names: Seen<String>,
}

impl Kind for Authentications {
    type Row = IntegrationAuthentication;

    const COLUMNS: &'static [Column] = &[required("name"), required("integration"), optional("is_active")];

    async fn begin(_: &Target<'_>) -> Result<Self> {
        Ok(Self::default())
    }

    fn read(&mut self, cells: &mut Cells<'_, '_>) -> Option<Self::Row> {
        let name = cells.required("name", "a name");
        let integration_kind = cells.choice("integration", &systems());
        let is_active = cells.flag("is_active", true);
        let name = name?.to_owned();
        cells.only_once(&mut self.names, "name", name.clone());
        Some(IntegrationAuthentication {
            id: IntegrationAuthenticationId(0),
            name,
            integration_kind: integration_kind?,
            is_active,
        })
    }

    async fn store(target: &Target<'_>, rows: &[Self::Row]) -> Result<Imported> {
        let mut present = std::collections::HashMap::new();
        let mut after = None;
        loop {
            let page = target
                .store
                .list_integration_authentications(
                    target.tenant.id,
                    &Reach::Everything,
                    after,
                    lineshift_store::paging::MAX_PAGE_ITEMS,
                )
                .await?;
            present.extend(page.items.into_iter().map(|thing| (thing.name, thing.id)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut imported = Imported::default();
        for row in rows {
            if let Some(id) = present.get(&row.name) {
                let replaced = IntegrationAuthentication { id: *id, ..row.clone() };
                target.store.update_integration_authentication(target.tenant.id, &replaced, target.now).await?;
                imported.updated += 1;
            } else {
                target.store.create_integration_authentication(target.tenant.id, row, target.now).await?;
                imported.created += 1;
            }
        }
        Ok(imported)
    }
}
