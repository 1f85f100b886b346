//! Carrier accounts. Their ids are made by the store; files know them by name.

use lineshift_domain::reach::Reach;
use std::collections::HashMap;

use anyhow::Result;
use lineshift_domain::ids::ServiceProviderId;
use lineshift_store::catalogue::ServiceProvider;
use lineshift_store::import::Imported;
use lineshift_store::paging::MAX_PAGE_ITEMS;

use super::super::cells::Seen;
use super::super::header::{optional, required};
use super::super::{Cells, Column, Kind, References, Target};
use super::authentications::systems;

/// See the module.
pub(super) struct Providers {
    references: References,
    names: Seen<String>,
}

impl Kind for Providers {
    type Row = ServiceProvider;

    const COLUMNS: &'static [Column] = &[
        required("name"),
        required("integration"),
        optional("authentication"),
        optional("write_enabled"),
        optional("is_active"),
    ];

    async fn begin(target: &Target<'_>) -> Result<Self> {
        Ok(Self { references: References::default().with_authentications(target).await?, names: Seen::default() })
    }

    fn read(&mut self, cells: &mut Cells<'_, '_>) -> Option<Self::Row> {
        let name = cells.required("name", "a name");
        let integration_kind = cells.choice("integration", &systems());
        if integration_kind.is_some_and(|kind| !kind.is_carrier()) {
            let carriers: Vec<&str> = systems().into_iter().filter(|(_, kind)| kind.is_carrier()).map(|(word, _)| word).collect();
            cells.report("integration", format!("a carrier's: {}", carriers.join(", ")));
        }
        let authentication = match integration_kind {
            Some(kind) if cells.text("authentication").is_some() => {
                self.references.authentication_of(cells, "authentication", kind)
            }
            _ => None,
        };
        let write_enabled = cells.flag("write_enabled", true);
        let is_active = cells.flag("is_active", true);
        let name = name?.to_owned();
        cells.only_once(&mut self.names, "name", name.clone());
        Some(ServiceProvider {
            id: ServiceProviderId(0),
            name,
            integration_kind: integration_kind?,
            integration_authentication_id: authentication,
            write_enabled,
            is_active,
        })
    }

    async fn store(target: &Target<'_>, rows: &[Self::Row]) -> Result<Imported> {
        let mut present = HashMap::new();
        let mut after = None;
        loop {
            let page = target.store.list_service_providers(target.tenant.id, &Reach::Everything, after, MAX_PAGE_ITEMS).await?;
            present.extend(page.items.into_iter().map(|thing| (thing.name.clone(), thing)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut imported = Imported::default();
        for row in rows {
            if let Some(there) = present.get(&row.name) {
                // A file that names no account leaves it as it is, unless it would be one of another carrier's.
                let kept = there.integration_authentication_id.filter(|_| there.integration_kind == row.integration_kind);
                let integration_authentication_id = row.integration_authentication_id.or(kept);
                let replaced = ServiceProvider { id: there.id, integration_authentication_id, ..row.clone() };
                target.store.update_service_provider(target.tenant.id, &replaced, target.now).await?;
                imported.updated += 1;
            } else {
                target.store.create_service_provider(target.tenant.id, row, target.now).await?;
                imported.created += 1;
            }
        }
        Ok(imported)
    }
}
