//! What a principal may do, and to whose lines: its permissions and its reach, as they are looked up together.

use crate::reach::Reach;
use crate::scopes::{Action, Module, Scopes};
use crate::terms::UnknownTerm;

/// Permissions and reach; read from the store as `reach|scopes` in one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// What may be done.
    pub scopes: Scopes,
    /// To whose lines.
    pub reach: Reach,
}

impl Rights {
    /// Everything, to all lines of the tenant.
    #[must_use]
    pub fn all() -> Self {
        Self { scopes: Scopes::all(), reach: Reach::Everything }
    }

    /// Those permissions for all lines of the tenant.
    #[must_use]
    pub const fn unlimited(scopes: Scopes) -> Self {
        Self { scopes, reach: Reach::Everything }
    }

    /// Whether this is allowed. What a tenant has in common is not for those who are limited to some of it: they administrate nothing,
    /// else they could give themselves more.
    #[must_use]
    pub fn allow(&self, module: Module, action: Action) -> bool {
        self.scopes.allow(module, action) && (module != Module::Admin || self.reach.is_everything())
    }

    /// Whether all that the other may is allowed here: nobody gives away more than they have.
    #[must_use]
    pub fn cover(&self, other: &Self) -> bool {
        self.reach.covers(&other.reach) && self.scopes.covers(&other.scopes)
    }
}

impl std::str::FromStr for Rights {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, UnknownTerm> {
        let (reach, scopes) = text.split_once('|').ok_or_else(|| UnknownTerm { kind: "rights", found: text.to_owned() })?;
        Ok(Self { scopes: scopes.parse()?, reach: reach.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(text: &str) -> Rights {
        text.parse().expect("rights")
    }

    #[test]
    fn whoever_is_limited_administrates_nothing() {
        assert!(rights("*|*").allow(Module::Admin, Action::Edit));
        assert!(!rights("customer:5|*").allow(Module::Admin, Action::View));
        assert!(rights("customer:5|*").allow(Module::M2M, Action::Edit));
        assert!(!rights("*|m2m:view").allow(Module::M2M, Action::Edit));
    }

    #[test]
    fn rights_are_covered_in_both_respects() {
        assert!(rights("*|*").cover(&rights("*|*")) && rights("*|*").cover(&rights("customer:5|m2m:view")));
        assert!(!rights("*|m2m:view").cover(&rights("*|m2m:edit")));
        assert!(!rights("customer:5|*").cover(&rights("*|m2m:view")));
    }

    #[test]
    fn what_is_no_rights_is_refused() {
        for wrong in ["", "*", "m2m:view", "customer:x|*", "*|m2m"] {
            assert!(wrong.parse::<Rights>().is_err(), "{wrong}");
        }
    }
}
