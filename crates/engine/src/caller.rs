//! For whom a call is made.

use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::rights::Rights;
use lineshift_domain::scopes::{Action, Module};
use lineshift_store::access::ApiKey;
use lineshift_store::bulk_changes::{BulkChangeView, Orderer};

/// An authenticated caller: one tenant, one key or person, what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant that every store call is scoped to.
    pub tenant: TenantId,
    /// As whom: a key, or a person as a member of the tenant.
    pub principal: PrincipalId,
    /// The key's name or the person's address; stands as the orderer.
    pub name: String,
    /// What it may do, and to whose lines.
    pub rights: Rights,
}

impl Caller {
    /// Whoever shows that key.
    #[must_use]
    pub fn of_key(key: &ApiKey) -> Self {
        let rights = Rights { scopes: key.scopes.clone(), reach: key.reach.clone() };
        Self { tenant: key.tenant_id, principal: key.id, name: key.name.clone(), rights }
    }

    /// Refuses unless the caller may do that in that module.
    pub fn require(&self, module: Module, action: Action) -> Result<(), Refusal> {
        if self.rights.allow(module, action) {
            return Ok(());
        }
        Err(Refusal::one(
            RefusalClass::Forbidden,
            "",
            "permission_missing",
            format!("this needs the scope {module}:{action}, which you do not have; use a key that has it, or have it added"),
        ))
    }

    /// Whether a bulk change may be seen at all: whoever is limited sees what they ordered themselves, since a change may hold lines of
    /// everybody.
    #[must_use]
    pub fn sees(&self, change: &BulkChangeView) -> bool {
        self.rights.reach.is_everything() || change.created_by_id == self.principal
    }

    /// The caller as it is stored with an order.
    #[must_use]
    pub fn orderer(&self) -> Orderer {
        Orderer { name: self.name.clone(), principal: self.principal }
    }
}
