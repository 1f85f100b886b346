//! Through everything that is sealed, tenant by tenant and page by page.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result};
use lineshift_connectors::credentials::{KeyId, KeyRing, SealedFor, Vault};
use lineshift_connectors::http::AccountKey;
use lineshift_domain::ids::TenantId;
use lineshift_store::Store;
use lineshift_store::access::Tenant;
use lineshift_store::paging::MAX_PAGE_ITEMS;
use lineshift_store::secrets::{Resealed, SealedColumn, SealedRow, SealedText};
use serde::Serialize;

use crate::progress::Patient;

/// How often everything is gone through until nothing is left: each time but the first is for what was stored meanwhile.
const MOST_PASSES: usize = 10;

/// Something sealed, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in super::super) struct Standing {
    /// None: a user's, who belongs to no tenant alone.
    tenant: Option<String>,
    /// `account`, `callbacks` or `one-time passwords`.
    kind: &'static str,
    id: i64,
    name: String,
    /// The key under which it was sealed; none: nobody can tell.
    key: Option<String>,
    /// Why it was not sealed anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Standing {
    fn of(tenant: Option<&Tenant>, text: &SealedText, why: Option<String>) -> Self {
        let (kind, id) = match text.row {
            SealedRow::Account(id) => ("account", id.0),
            SealedRow::Callbacks(id) => ("callbacks", id.0),
            SealedRow::OneTimePasswords(id) => ("one-time passwords", id.0),
        };
        let key = Vault::needed_key(&text.sealed).ok().map(|key| key.to_string());
        Self { tenant: tenant.map(|tenant| tenant.name.clone()), kind, id, name: text.name.clone(), key, why }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            "account" => "the credentials of the integration",
            "callbacks" => "the callback credentials of the service provider",
            _ => "the one-time passwords of the user",
        };
        write!(f, "{what} {:?} ({})", self.name, self.id)?;
        if let Some(tenant) = &self.tenant {
            write!(f, " of {tenant}")?;
        }
        match (&self.why, &self.key) {
            (Some(why), _) => write!(f, ": {why}"),
            (None, Some(key)) => write!(f, ", under the key {key}"),
            (None, None) => Ok(()),
        }
    }
}

/// A key's name, or what is said of what no key made.
pub(in super::super) fn key_name(key: Option<KeyId>) -> String {
    key.map_or_else(|| "unknown".to_owned(), |key| key.to_string())
}

/// How many rows stand under which key; under none: what is stored was not made by a vault.
#[derive(Debug, Default)]
pub(in super::super) struct Survey {
    pub(in super::super) by_key: BTreeMap<Option<KeyId>, u64>,
}

/// Counts what is sealed under which key.
pub(in super::super) async fn survey(store: &dyn Store) -> Result<Survey> {
    let mut survey = Survey::default();
    walk(store, async |_, texts| {
        for text in &texts {
            *survey.by_key.entry(Vault::needed_key(&text.sealed).ok()).or_default() += 1;
        }
        Ok(())
    })
    .await?;
    Ok(survey)
}

/// What stands under these keys.
pub(in super::super) async fn standing_under(store: &dyn Store, keys: &[KeyId]) -> Result<Vec<Standing>> {
    let mut found = Vec::new();
    walk(store, async |tenant, texts| {
        let under = texts.iter().filter(|text| Vault::needed_key(&text.sealed).is_ok_and(|key| keys.contains(&key)));
        found.extend(under.map(|text| Standing::of(tenant, text, None)));
        Ok(())
    })
    .await?;
    Ok(found)
}

/// What sealing anew came to.
#[derive(Debug, Default)]
pub(in super::super) struct Sealed {
    /// Rows sealed anew.
    pub(in super::super) anew: u64,
    /// What stands under another key still, because it cannot be opened or kept changing.
    pub(in super::super) left: Vec<Standing>,
}

/// Seals everything anew that is not sealed with the ring's first key. What somebody stores meanwhile is his: it is looked at once more,
/// and sealed anew if it was sealed with another key.
pub(in super::super) async fn seal_anew(store: &dyn Store, ring: &KeyRing) -> Result<Sealed> {
    let (mut anew, mut progress) = (0, Patient::counting("credentials looked at"));
    for _ in 0..MOST_PASSES {
        let pass = seal_once(store, ring, &mut progress).await?;
        anew += pass.anew;
        if !pass.found {
            return Ok(Sealed { anew, left: pass.left });
        }
    }
    let mut others = ring.key_ids();
    others.retain(|id| *id != ring.sealing_key_id());
    Ok(Sealed { anew, left: standing_under(store, &others).await? })
}

#[derive(Default)]
struct Pass {
    anew: u64,
    /// Whether there was something to seal anew: the next pass looks whether that was all.
    found: bool,
    left: Vec<Standing>,
}

async fn seal_once(store: &dyn Store, ring: &KeyRing, progress: &mut Patient) -> Result<Pass> {
    let mut pass = Pass::default();
    walk(store, async |tenant, texts| {
        let mut resealed = Vec::new();
        for text in &texts {
            if Vault::needed_key(&text.sealed) == Ok(ring.sealing_key_id()) {
                continue;
            }
            let row = sealed_for(tenant.map_or(TenantId(0), |tenant| tenant.id), text.row);
            match ring.open(row, &text.sealed).and_then(|opened| ring.seal(row, &opened)) {
                Ok(after) => resealed.push(Resealed { row: text.row, before: text.sealed.clone(), after }),
                Err(error) => pass.left.push(Standing::of(tenant, text, Some(error.to_string()))),
            }
        }
        if !resealed.is_empty() {
            pass.found = true;
            let replaced = match tenant {
                Some(tenant) => store.replace_sealed(tenant.id, &resealed).await,
                None => store.replace_sealed_of_users(&resealed).await,
            };
            pass.anew += replaced.context("storing what was sealed anew")?;
        }
        progress.add(texts.len());
        Ok(())
    })
    .await?;
    Ok(pass)
}

/// Of a user the tenant does not matter.
const fn sealed_for(tenant_id: TenantId, row: SealedRow) -> SealedFor {
    match row {
        SealedRow::Account(id) => SealedFor::Account(AccountKey { tenant_id, integration_authentication_id: id }),
        SealedRow::Callbacks(id) => SealedFor::Callbacks(tenant_id, id),
        SealedRow::OneTimePasswords(id) => SealedFor::OneTimePasswords(id),
    }
}

/// What is sealed of every tenant, then what is sealed of users, who are of none.
async fn walk(store: &dyn Store, mut each: impl AsyncFnMut(Option<&Tenant>, Vec<SealedText>) -> Result<()>) -> Result<()> {
    const READING: &str = "reading what is sealed";
    for tenant in store.list_tenants().await.context("listing tenants")? {
        for column in SealedColumn::ALL {
            let mut after = None;
            loop {
                let page = store.list_sealed(tenant.id, *column, after, MAX_PAGE_ITEMS).await.context(READING)?;
                each(Some(&tenant), page.items).await?;
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
    }
    let mut after = None;
    loop {
        let page = store.list_sealed_of_users(after, MAX_PAGE_ITEMS).await.context(READING)?;
        each(None, page.items).await?;
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
