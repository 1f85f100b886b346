//! Several keys at once, so that one can take another's place while servers and workers run.

use secrecy::SecretString;

use super::{KeyId, SealedFor, Vault, VaultError};

/// The keys of an installation: one seals, all of them open.
#[derive(Debug)]
pub struct KeyRing {
    sealing: Vault,
    others: Vec<Vault>,
}

impl From<Vault> for KeyRing {
    fn from(only: Vault) -> Self {
        Self::new(only, Vec::new())
    }
}

impl KeyRing {
    /// A ring of the key that seals and others that only open; one that is given twice counts once.
    #[must_use]
    pub fn new(sealing: Vault, others: Vec<Vault>) -> Self {
        let mut ring = Self { sealing, others: Vec::new() };
        for other in others {
            if ring.find(other.key_id()).is_none() {
                ring.others.push(other);
            }
        }
        ring
    }

    /// The key that seals.
    #[must_use]
    pub const fn sealing_key_id(&self) -> KeyId {
        self.sealing.key_id()
    }

    /// All keys, the one that seals first.
    #[must_use]
    pub fn key_ids(&self) -> Vec<KeyId> {
        std::iter::once(&self.sealing).chain(&self.others).map(Vault::key_id).collect()
    }

    /// Whether it has that key.
    #[must_use]
    pub fn has(&self, key: KeyId) -> bool {
        self.find(key).is_some()
    }

    /// Seals a text for one row with the key that seals.
    ///
    /// # Errors
    /// [`VaultError::NotSealed`].
    pub fn seal(&self, row: impl Into<SealedFor>, text: &SecretString) -> Result<Vec<u8>, VaultError> {
        self.sealing.seal(row, text)
    }

    /// Opens what was sealed for that row with any of the keys.
    ///
    /// # Errors
    /// Any but [`VaultError::NotSealed`].
    pub fn open(&self, row: impl Into<SealedFor>, sealed: &[u8]) -> Result<SecretString, VaultError> {
        let needed = Vault::needed_key(sealed)?;
        match self.find(needed) {
            Some(vault) => vault.open(row, sealed),
            None => Err(VaultError::OtherKey { needed, given: self.key_ids().into() }),
        }
    }

    fn find(&self, key: KeyId) -> Option<&Vault> {
        std::iter::once(&self.sealing).chain(&self.others).find(|vault| vault.key_id() == key)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use lineshift_domain::ids::{ServiceProviderId, TenantId};
    use secrecy::ExposeSecret as _;

    use super::*;

    const ROW: SealedFor = SealedFor::Callbacks(TenantId(1), ServiceProviderId(2));

    fn vault(byte: u8) -> Vault {
        Vault::from_key_text(&SecretString::from(STANDARD.encode([byte; 32]))).expect("a key")
    }

    #[test]
    fn the_first_key_seals_and_all_of_them_open() {
        let text = SecretString::from("topsecret");
        let ring = KeyRing::new(vault(1), vec![vault(2), vault(1), vault(2)]);
        assert_eq!(ring.key_ids(), [vault(1).key_id(), vault(2).key_id()], "each once");
        let sealed = ring.seal(ROW, &text).expect("sealed");
        assert_eq!(Vault::needed_key(&sealed), Ok(ring.sealing_key_id()));
        for sealed in [sealed, vault(2).seal(ROW, &text).expect("sealed")] {
            assert_eq!(ring.open(ROW, &sealed).expect("it opens").expose_secret(), "topsecret");
        }
    }

    #[test]
    fn a_key_that_is_not_there_is_named_with_those_that_are() {
        let sealed = vault(3).seal(ROW, &SecretString::from("topsecret")).expect("sealed");
        let two = KeyRing::new(vault(1), vec![vault(2)]);
        let error = two.open(ROW, &sealed).expect_err("another key").to_string();
        let [needed, first, second] = [3, 1, 2].map(|byte| vault(byte).key_id());
        assert_eq!(error, format!("it was sealed with the key {needed}; the keys given are {first}, {second}"));
        assert!(!two.has(needed) && two.has(second));
        assert!(KeyRing::from(vault(2)).open(ROW, b"\x01abcdX").is_err());
    }
}
