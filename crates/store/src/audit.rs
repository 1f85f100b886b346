//! What was asked of the product, by whom, and what came of it: one entry before, one outcome after, neither ever changed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_domain::terms::{AuditActor, AuditResult};

use crate::Result;
use crate::paging::Listed;

/// What an entry and its outcome are known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditKey {
    /// When it was asked for, to the microsecond.
    pub at: DateTime<Utc>,
    /// The request's id: sixteen hexadecimal digits by chance, the same as in the log and in the answer.
    pub request_id: String,
}

/// What is written before something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAuditEntry {
    /// When, and by which request.
    pub key: AuditKey,
    /// What kind of caller asked.
    pub actor: AuditActor,
    /// The key or member; none: a carrier, or somebody at the server's command line.
    pub principal: Option<PrincipalId>,
    /// How they are called: a key's name, a person's address, a service provider's name, a user of the operating system.
    pub who: String,
    /// From which address; none: not over the network.
    pub address: Option<String>,
    /// With which program, as it says itself; cut to 200 characters.
    pub agent: Option<String>,
    /// What was asked for: method and address without its ids, as `POST /api/v1/sites`, or the words of a command.
    pub action: String,
    /// On what, as `bulk-changes/12`; none: on nothing that was there before.
    pub target: Option<String>,
}

/// What is written when it was done, or refused, or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditOutcome {
    /// When.
    pub finished_at: DateTime<Utc>,
    /// What came of it.
    pub result: AuditResult,
    /// The status of the answer; none: there was no answer over HTTP.
    pub status: Option<u32>,
    /// How many lines it was about; none: it was about none.
    pub devices: Option<i64>,
    /// What it made, as `bulk-changes/12`.
    pub made: Option<String>,
    /// The codes of the problems that were answered, each once.
    pub problem_codes: Vec<String>,
    /// SHA-256 of the body; none: there was none, or it was not read to its end.
    pub body_hash: Option<[u8; 32]>,
    /// What was done, in words, where the other fields do not say it.
    pub note: Option<String>,
}

/// An entry as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// What was asked for.
    pub entry: NewAuditEntry,
    /// What came of it; none: it is unfinished. It is under way, or its process ended before it could say.
    pub outcome: Option<AuditOutcome>,
}

/// Which entries are listed: those that meet all that is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// From then on.
    pub from: Option<DateTime<Utc>>,
    /// Before then.
    pub to: Option<DateTime<Utc>>,
    /// Only what that key or member asked for.
    pub principal: Option<PrincipalId>,
    /// Only that action, as it is written.
    pub action: Option<String>,
    /// Only what was asked for on that, or made it: `bulk-changes/12`, `customers/7`.
    pub target: Option<String>,
    /// Only what is unfinished.
    pub unfinished: bool,
}

/// What was asked for and what came of it. Append-only: the product cannot change or take away what stands there.
#[async_trait]
pub trait AuditStore {
    /// Writes an entry. Errors: `Conflict` when there is one of that key.
    async fn record_audit_entry(&self, tenant: TenantId, entry: &NewAuditEntry) -> Result<()>;
    /// Writes the outcome of the entry of that key. Errors: `Conflict` when it has one.
    async fn record_audit_outcome(&self, tenant: TenantId, key: &AuditKey, outcome: &AuditOutcome) -> Result<()>;
    /// Entries, newest first.
    async fn list_audit(
        &self,
        tenant: TenantId,
        filter: &AuditFilter,
        before: Option<AuditKey>,
        limit: usize,
    ) -> Result<Listed<AuditEntry, AuditKey>>;
}
