//! For whom a call is made.

use lineshift_domain::ids::{ApiKeyId, TenantId};
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::scopes::{Action, Module, Scopes};
use lineshift_store::bulk_changes::Orderer;

/// An authenticated caller: one tenant, one key, what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant that every store call is scoped to.
    pub tenant: TenantId,
    /// The key.
    pub key_id: ApiKeyId,
    /// The key's name; stands as the orderer.
    pub name: String,
    /// What the key may do.
    pub scopes: Scopes,
}

impl Caller {
    /// Refuses unless the caller may do that in that module.
    pub fn require(&self, module: Module, action: Action) -> Result<(), Refusal> {
        if self.scopes.allow(module, action) {
            return Ok(());
        }
        Err(Refusal::one(
            RefusalClass::Forbidden,
            "",
            "permission_missing",
            format!("this key has no scope {module}:{action}; use one that has, or have it added"),
        ))
    }

    /// The caller as it is stored with an order.
    #[must_use]
    pub fn orderer(&self) -> Orderer {
        Orderer { name: self.name.clone(), key_id: self.key_id }
    }
}
