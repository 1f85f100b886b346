//! When keys were last used: noted beside the requests, once a minute a key, and written together, so that neither a request nor the
//! store's writer is kept busy by it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_store::access::ApiKey;

use crate::Web;
use crate::serve::Closing;

/// How long uses are gathered before they are written, in one transaction a tenant.
const GATHERED_FOR: Duration = Duration::from_secs(10);

/// The keys of a tenant that were used, and when last.
type Uses = BTreeMap<PrincipalId, DateTime<Utc>>;

/// What this process knows of the uses of keys.
#[derive(Debug, Default)]
pub(crate) struct KeyUses(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    /// When each key's use was last noted.
    noted: HashMap<(TenantId, PrincipalId), DateTime<Utc>>,
    /// What is to be written.
    unwritten: BTreeMap<TenantId, Uses>,
    /// Whether somebody waits to write it.
    is_gathering: bool,
}

impl KeyUses {
    /// Notes a use, unless one was noted in the last minute; answers whether somebody is to begin gathering.
    fn note(&self, key: &ApiKey, now: DateTime<Utc>) -> bool {
        let recent = |at: DateTime<Utc>| (now - at).abs() < TimeDelta::minutes(1);
        if key.last_used_at.is_some_and(recent) {
            return false;
        }
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.noted.get(&(key.tenant_id, key.id)).copied().is_some_and(recent) {
            return false;
        }
        known.noted.retain(|_, at| recent(*at));
        known.noted.insert((key.tenant_id, key.id), now);
        known.unwritten.entry(key.tenant_id).or_default().insert(key.id, now);
        !std::mem::replace(&mut known.is_gathering, true)
    }

    /// Takes what is to be written; whoever notes a use from now on begins anew.
    fn take(&self) -> BTreeMap<TenantId, Uses> {
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.is_gathering = false;
        std::mem::take(&mut known.unwritten)
    }
}

impl Web {
    /// Notes that a key was used, beside the request: it must not wait for a writer that is busy with a page. When the server stops, what
    /// was gathered is written at once.
    pub(crate) fn note_use(&self, key: &ApiKey, now: DateTime<Utc>, closing: Option<&Closing>) {
        if !self.key_uses.note(key, now) {
            return;
        }
        let mut closing = closing.cloned().unwrap_or_else(Closing::never);
        let writing = closing.hold();
        let web = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(GATHERED_FOR) => {}
                () = closing.begun() => {}
            }
            web.write_key_uses().await;
            drop(writing);
        });
    }

    async fn write_key_uses(&self) {
        for (tenant, uses) in self.key_uses.take() {
            let uses: Vec<_> = uses.into_iter().collect();
            if let Err(error) = self.engine.store().record_api_key_uses(tenant, &uses).await {
                tracing::warn!(%error, %tenant, "the use of API keys could not be noted");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineshift_domain::reach::Reach;
    use lineshift_domain::scopes::Scopes;

    fn key(id: i64, at: DateTime<Utc>) -> ApiKey {
        ApiKey {
            tenant_id: TenantId(1),
            id: PrincipalId(id),
            name: "k".to_owned(),
            secret_hash: [0; 32],
            scopes: Scopes::all(),
            reach: Reach::Everything,
            created_at: at,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        }
    }

    fn moment() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("a moment")
    }

    #[test]
    fn a_use_is_noted_once_a_minute() {
        let (now, uses) = (moment(), KeyUses::default());
        let key = key(2, now);
        let noted = |key: &ApiKey, seconds| {
            uses.note(key, now + TimeDelta::seconds(seconds));
            uses.take().into_values().flatten().map(|(_, at)| (at - now).num_seconds()).collect::<Vec<_>>()
        };
        assert_eq!(noted(&key, 0), [0]);
        assert_eq!(noted(&key, 59), Vec::<i64>::new());
        assert_eq!(noted(&key, 60), [60]);
        let used = ApiKey { last_used_at: Some(now + TimeDelta::seconds(200)), ..key };
        assert_eq!(noted(&used, 259), Vec::<i64>::new(), "another process noted it");
        assert_eq!(noted(&used, 260), [260]);
    }

    #[test]
    fn uses_are_gathered_by_tenant_until_they_are_written() {
        let (now, uses) = (moment(), KeyUses::default());
        assert!(uses.note(&key(2, now), now), "the first has them gathered");
        assert!(!uses.note(&key(3, now), now));
        assert!(!uses.note(&ApiKey { tenant_id: TenantId(7), ..key(2, now) }, now));
        let taken = uses.take();
        assert_eq!(taken[&TenantId(1)].keys().copied().collect::<Vec<_>>(), [PrincipalId(2), PrincipalId(3)]);
        assert_eq!(taken[&TenantId(7)].len(), 1);
        assert!(uses.take().is_empty());
        assert!(uses.note(&key(4, now), now), "and then anew");
    }
}
