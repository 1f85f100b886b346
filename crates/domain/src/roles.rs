//! The roles that every tenant begins with.

/// A role as it is made with a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadyMade {
    /// Its name.
    pub name: &'static str,
    /// What it may do, as [`Scopes`](crate::scopes::Scopes) read it.
    pub scopes: &'static str,
    /// Whether whoever has it must be limited to customers, sites or service providers.
    pub is_limited: bool,
}

/// All of them. A tenant may change what they allow and add others; their names are stored.
pub const READY_MADE: [ReadyMade; 4] = [
    ReadyMade { name: "administrator", scopes: "*", is_limited: false },
    ReadyMade {
        name: "operator",
        scopes: "m2m:view m2m:create m2m:edit mobility:view mobility:create mobility:edit lnp:view lnp:create lnp:edit admin:view",
        is_limited: false,
    },
    ReadyMade { name: "viewer", scopes: "m2m:view mobility:view lnp:view", is_limited: false },
    ReadyMade {
        name: "customer-scoped operator",
        scopes: "m2m:view m2m:create m2m:edit mobility:view mobility:create mobility:edit lnp:view lnp:create lnp:edit",
        is_limited: true,
    },
];

/// The name of the role that may do everything.
pub const ADMINISTRATOR: &str = READY_MADE[0].name;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scopes::{Action, Module, Scopes};

    #[test]
    fn the_permissions_are_known_and_only_administrators_may_administrate() {
        for role in READY_MADE {
            let scopes: Scopes = role.scopes.parse().expect("known permissions");
            let may = scopes.allow(Module::Admin, Action::Edit) || scopes.allow(Module::Admin, Action::Create);
            assert_eq!(may, role.name == ADMINISTRATOR, "{}", role.name);
            assert!(scopes.allow(Module::M2M, Action::View), "{}", role.name);
        }
    }
}
