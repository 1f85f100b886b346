//! What a principal may do: module and action pairs.

use std::collections::BTreeSet;

use crate::terms::{PortalType, UnknownTerm, stored_text};

stored_text! {
    /// The module that a permission is about.
    Module {
        /// The M2M portal.
        M2M = "m2m",
        /// The Mobility portal.
        Mobility = "mobility",
        /// The LNP portal.
        Lnp = "lnp",
        /// Reference data and keys.
        Admin = "admin",
    }
}

impl From<PortalType> for Module {
    fn from(portal: PortalType) -> Self {
        match portal {
            PortalType::M2M => Self::M2M,
            PortalType::Mobility => Self::Mobility,
            PortalType::Lnp => Self::Lnp,
        }
    }
}

stored_text! {
    /// What a permission allows in its module.
    Action {
        /// Read.
        View = "view",
        /// Submit.
        Create = "create",
        /// Start, cancel, retry, move, update.
        Edit = "edit",
    }
}

/// A set of permissions, stored and given as `m2m:view m2m:create ...`; `*` is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<(Module, Action)>);

impl Scopes {
    /// Every permission.
    #[must_use]
    pub fn all() -> Self {
        Self(Module::ALL.iter().flat_map(|module| Action::ALL.iter().map(|action| (*module, *action))).collect())
    }

    /// Whether this is allowed.
    #[must_use]
    pub fn allow(&self, module: Module, action: Action) -> bool {
        self.0.contains(&(module, action))
    }

    /// Whether all of the other's are among these.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }
}

impl std::str::FromStr for Scopes {
    type Err = UnknownTerm;
    fn from_str(text: &str) -> Result<Self, UnknownTerm> {
        if text.trim() == "*" {
            return Ok(Self::all());
        }
        let unknown = |word: &str| UnknownTerm { kind: "scope", found: word.to_owned() };
        let mut scopes = BTreeSet::new();
        for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
            let (module, action) = word.split_once(':').ok_or_else(|| unknown(word))?;
            scopes.insert((module.parse().map_err(|_| unknown(word))?, action.parse().map_err(|_| unknown(word))?));
        }
        Ok(Self(scopes))
    }
}

impl std::fmt::Display for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (nth, (module, action)) in self.0.iter().enumerate() {
            write!(f, "{}{module}:{action}", if nth == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}
