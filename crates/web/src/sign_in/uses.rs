//! When sessions were last used: noted at most once a minute and session, many in one transaction, beside the requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::ids::TenantId;
use lineshift_store::Store;
use lineshift_store::people::Session;

use crate::Web;
use crate::serve::Closing;

/// How exactly the last use is known.
const EVERY: TimeDelta = TimeDelta::minutes(1);

/// The hashes of sessions whose use is to be noted.
type Waiting = HashMap<TenantId, Vec<[u8; 32]>>;

/// What is to be noted, and what was.
#[derive(Debug, Clone, Default)]
pub(crate) struct SessionUses(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    /// When each was noted last in this process; those of more than a minute ago are dropped once a minute.
    at: HashMap<[u8; 32], DateTime<Utc>>,
    cleaned_at: DateTime<Utc>,
    waiting: Waiting,
    /// When the last of those was used: they are written down together.
    used_at: DateTime<Utc>,
    /// Whether somebody is at it: what comes meanwhile is the next batch.
    is_writing: bool,
}

impl SessionUses {
    /// Notes that a session is used now. A server that stops waits until it is written.
    pub(crate) fn note(&self, web: &Web, tenant: TenantId, session: &Session, now: DateTime<Utc>, closing: Option<&Closing>) {
        if self.is_to_be_written(tenant, session, now) {
            let held = closing.and_then(Closing::hold);
            let (uses, store) = (self.clone(), Arc::clone(web.engine.store()));
            tokio::spawn(async move {
                uses.write(&*store).await;
                drop(held);
            });
        }
    }

    /// Takes note of the use; true: nobody is writing, so that the caller has to.
    fn is_to_be_written(&self, tenant: TenantId, session: &Session, now: DateTime<Utc>) -> bool {
        let recent = |at: DateTime<Utc>| (now - at).abs() < EVERY;
        if recent(session.seen_at) {
            return false;
        }
        let mut noted = self.lock();
        if noted.at.get(&session.token_hash).copied().is_some_and(recent) {
            return false;
        }
        if !recent(noted.cleaned_at) {
            noted.at.retain(|_, at| recent(*at));
            noted.cleaned_at = now;
        }
        noted.at.insert(session.token_hash, now);
        noted.used_at = now;
        noted.waiting.entry(tenant).or_default().push(session.token_hash);
        !std::mem::replace(&mut noted.is_writing, true)
    }

    /// Writes until nothing waits.
    async fn write(&self, store: &dyn Store) {
        while let Some((batch, used_at)) = self.next_batch() {
            for (tenant, hashes) in batch {
                if let Err(error) = store.record_session_uses(tenant, &hashes, used_at).await {
                    tracing::warn!(%error, %tenant, "the use of sessions could not be noted");
                }
            }
        }
    }

    /// What waits, and when the last of it was used: a batch that gathered while another was written is later than that one.
    fn next_batch(&self) -> Option<(Waiting, DateTime<Utc>)> {
        let mut noted = self.lock();
        let batch = std::mem::take(&mut noted.waiting);
        noted.is_writing = !batch.is_empty();
        noted.is_writing.then_some((batch, noted.used_at))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineshift_domain::ids::PrincipalId;

    fn session(token: u8, seen_at: DateTime<Utc>) -> Session {
        Session {
            token_hash: [token; 32],
            member: PrincipalId(1),
            created_at: seen_at,
            seen_at,
            ends_at: seen_at + TimeDelta::hours(12),
            address: String::new(),
            agent: String::new(),
        }
    }

    #[test]
    fn a_use_is_noted_once_a_minute_and_written_with_others() {
        let (uses, tenant) = (SessionUses::default(), TenantId(1));
        let seen = DateTime::from_timestamp(1_800_000_000, 0).expect("a moment");
        let at = |seconds| seen + TimeDelta::seconds(seconds);
        assert!(!uses.is_to_be_written(tenant, &session(1, seen), at(59)), "seen within the minute");
        assert!(uses.is_to_be_written(tenant, &session(1, seen), at(60)));
        assert!(!uses.is_to_be_written(tenant, &session(1, seen), at(61)), "noted already");
        assert!(!uses.is_to_be_written(tenant, &session(2, seen), at(61)), "somebody is at it");
        let (batch, used_at) = uses.next_batch().expect("two wait");
        assert_eq!((batch[&tenant].as_slice(), used_at), ([[1; 32], [2; 32]].as_slice(), at(61)));
        assert!(!uses.is_to_be_written(tenant, &session(3, seen), at(90)), "the two are still being written");
        let (batch, used_at) = uses.next_batch().expect("the third waits");
        assert_eq!((batch[&tenant].as_slice(), used_at), ([[3; 32]].as_slice(), at(90)), "it is written down as later than they");
        assert!(uses.next_batch().is_none());
        assert!(uses.is_to_be_written(tenant, &session(1, seen), at(120)), "nobody is at it any more");
        assert_eq!(uses.lock().at.len(), 3, "the others were noted within the minute");
        uses.next_batch();
        assert!(!uses.is_to_be_written(tenant, &session(4, seen), at(400)), "whoever writes the batch takes the next one, too");
    }
}
