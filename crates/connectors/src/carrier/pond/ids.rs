//! Ids at POND: texts that stand in addresses.

/// It is not 1 to 64 letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id at POND is 1 to 64 letters, digits, - and _")]
pub struct NoPondId;

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

macro_rules! pond_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// As POND writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NoPondId;

            fn from_str(text: &str) -> Result<Self, NoPondId> {
                if is_id(text) { Ok(Self(text.to_owned())) } else { Err(NoPondId) }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

pond_id! {
    /// Whose account it is: the first part of every path.
    DistributorId;
    /// An inventory, which has its package types.
    InventoryId;
    /// A package of a SIM.
    PackageId;
    /// A package type: a carrier plan.
    PackageTypeId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_for_themselves_in_an_address() {
        for right in ["7", "5f0c2b3e-9a41-4d0e-8f1a-3f6f2d1c0b9a", "GOLD_1"] {
            assert_eq!(right.parse::<PackageId>().map(|id| id.to_string()).as_deref(), Ok(right));
        }
        let long = "a".repeat(65);
        for wrong in ["", ".", "..", "a/b", "a?b", "a b", "a%2fb", "ä", "a\n", long.as_str()] {
            assert_eq!(wrong.parse::<PackageTypeId>(), Err(NoPondId), "{wrong:?}");
        }
    }
}
