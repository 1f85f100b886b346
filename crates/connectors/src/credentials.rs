//! Credentials at rest: sealed with AES-256-GCM under a key of the installation, each bound to the row that holds it.
//!
//! A sealed text is one version byte, four bytes that name the key, twelve of nonce, then the ciphertext with its tag of sixteen.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineshift_domain::ids::{ServiceProviderId, TenantId, UserId};
use secrecy::{ExposeSecret, SecretString};

use crate::http::AccountKey;

mod ring;

pub use ring::KeyRing;

/// The one version so far.
const VERSION: u8 = 1;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Version and the key's name.
const HEAD_BYTES: usize = 1 + 4;

/// Which column a sealed text belongs to; bound to it together with tenant and id.
const OF_ACCOUNT: &[u8] = b"integration_authentication";
const OF_CALLBACKS: &[u8] = b"service_provider.callback";
const OF_ONE_TIME_PASSWORDS: &[u8] = b"users.totp_secret";

/// Cookies in which a browser keeps what belongs to a sign-in at an OpenID provider; stored nowhere.
const OF_SIGN_IN_BEGUN: &[u8] = b"cookie.sign_in_begun";
const OF_SIGN_IN_RECOGNISED: &[u8] = b"cookie.sign_in_recognised";

/// The row and column that a sealed text belongs to. It opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SealedFor {
    /// The credentials of an account.
    Account(AccountKey),
    /// What callbacks of a service provider's carrier must carry.
    Callbacks(TenantId, ServiceProviderId),
    /// What makes the one-time passwords of a user, who belongs to no tenant alone.
    OneTimePasswords(UserId),
    /// What a browser keeps while somebody is at an OpenID provider.
    SignInBegun,
    /// What it keeps while a one-time password is asked for of somebody whom a provider vouched for.
    SignInRecognised,
}

impl From<AccountKey> for SealedFor {
    fn from(account: AccountKey) -> Self {
        Self::Account(account)
    }
}

/// Names a key without telling it: the beginning of its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl std::fmt::Debug for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// The names of the keys at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyIds(Vec<KeyId>);

impl From<Vec<KeyId>> for KeyIds {
    fn from(ids: Vec<KeyId>) -> Self {
        Self(ids)
    }
}

impl std::fmt::Display for KeyIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "{} {}", if ids.len() == 1 { "key given is" } else { "keys given are" }, ids.join(", "))
    }
}

/// Why there is no text to be had, or to be sealed. Nothing here tells a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The key's text is not base64 of 32 bytes.
    #[error("a key is base64 of {KEY_BYTES} bytes")]
    UnreadableKey,
    /// What is stored was not made by a vault, or by a later version of it.
    #[error("what is stored is not a sealed text that this version can read")]
    UnknownForm,
    /// It was sealed with another key.
    #[error("it was sealed with the key {needed}; the {given}")]
    OtherKey {
        /// The key that opens it.
        needed: KeyId,
        /// The keys at hand.
        given: KeyIds,
    },
    /// It was changed, or belongs to another row, or the key has the same name by chance.
    #[error("it was sealed with the key {needed}, but was changed since or belongs to another row")]
    Tampered {
        /// The key that it says it was sealed with.
        needed: KeyId,
    },
    /// The system gave no random bytes, or the text is too long to be sealed.
    #[error("it cannot be sealed")]
    NotSealed,
}

/// Seals and opens credentials.
pub struct Vault {
    key: RandomizedNonceKey,
    id: KeyId,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault under a key: base64 of 32 bytes; blanks and line ends around it do not matter.
    ///
    /// # Errors
    /// [`VaultError::UnreadableKey`].
    pub fn from_key_text(text: &SecretString) -> Result<Self, VaultError> {
        let bytes = STANDARD.decode(text.expose_secret().trim()).map_err(|_| VaultError::UnreadableKey)?;
        if bytes.len() != KEY_BYTES {
            return Err(VaultError::UnreadableKey);
        }
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| VaultError::UnreadableKey)?;
        let hash = digest(&SHA256, &bytes);
        let id = KeyId(std::array::from_fn(|index| hash.as_ref()[index]));
        Ok(Self { key, id })
    }

    /// A new key's text.
    ///
    /// # Errors
    /// [`VaultError::NotSealed`]: the system gave no random bytes.
    pub fn generate_key_text() -> Result<SecretString, VaultError> {
        let mut bytes = [0; KEY_BYTES];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| VaultError::NotSealed)?;
        Ok(SecretString::from(STANDARD.encode(bytes)))
    }

    /// Names the key.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.id
    }

    /// Seals a text for one row.
    ///
    /// # Errors
    /// [`VaultError::NotSealed`].
    pub fn seal(&self, row: impl Into<SealedFor>, text: &SecretString) -> Result<Vec<u8>, VaultError> {
        let mut sealed = text.expose_secret().as_bytes().to_vec();
        let nonce = self.key.seal_in_place_append_tag(bound_to(row.into()), &mut sealed).map_err(|_| VaultError::NotSealed)?;
        Ok([&[VERSION], self.id.0.as_slice(), nonce.as_ref(), &sealed].concat())
    }

    /// Opens what was sealed for that row.
    ///
    /// # Errors
    /// Any but [`VaultError::NotSealed`]; each names the key that is needed, where it is known.
    pub fn open(&self, row: impl Into<SealedFor>, sealed: &[u8]) -> Result<SecretString, VaultError> {
        let needed = Self::needed_key(sealed)?;
        if needed != self.id {
            return Err(VaultError::OtherKey { needed, given: vec![self.id].into() });
        }
        let (nonce, rest) = sealed[HEAD_BYTES..].split_at_checked(NONCE_LEN).ok_or(VaultError::UnknownForm)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::UnknownForm)?;
        let mut opened = rest.to_vec();
        let text =
            self.key.open_in_place(nonce, bound_to(row.into()), &mut opened).map_err(|_| VaultError::Tampered { needed })?;
        let text = std::str::from_utf8(text).map_err(|_| VaultError::UnknownForm)?;
        Ok(SecretString::from(text))
    }

    /// Which key opens a sealed text.
    ///
    /// # Errors
    /// [`VaultError::UnknownForm`].
    pub fn needed_key(sealed: &[u8]) -> Result<KeyId, VaultError> {
        match sealed {
            [VERSION, a, b, c, d, ..] => Ok(KeyId([*a, *b, *c, *d])),
            _ => Err(VaultError::UnknownForm),
        }
    }
}

/// A sealed text that is copied to another row does not open there.
fn bound_to(row: SealedFor) -> Aad<Vec<u8>> {
    let (column, tenant, id) = match row {
        SealedFor::Account(key) => (OF_ACCOUNT, key.tenant_id, key.integration_authentication_id.0),
        SealedFor::Callbacks(tenant, provider) => (OF_CALLBACKS, tenant, provider.0),
        SealedFor::OneTimePasswords(user) => (OF_ONE_TIME_PASSWORDS, TenantId(0), user.0),
        SealedFor::SignInBegun => (OF_SIGN_IN_BEGUN, TenantId(0), 0),
        SealedFor::SignInRecognised => (OF_SIGN_IN_RECOGNISED, TenantId(0), 0),
    };
    Aad::from([column, &tenant.0.to_be_bytes(), &id.to_be_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use lineshift_domain::ids::IntegrationAuthenticationId;

    use super::*;

    fn vault(byte: u8) -> Vault {
        Vault::from_key_text(&SecretString::from(STANDARD.encode([byte; KEY_BYTES]))).expect("a key")
    }

    fn row(tenant: i64, id: i64) -> AccountKey {
        AccountKey { tenant_id: TenantId(tenant), integration_authentication_id: IntegrationAuthenticationId(id) }
    }

    /// Made by another implementation of AES-256-GCM: key 32 times 0x07, nonce 0 to 11, tenant 3, id 5, text "correct horse".
    const KNOWN: &str = "AUuwb44AAQIDBAUGBwgJCgt77psCeGqtaR/dl++HqEo2VuyGH3IeEb0pWpvMHg==";

    #[test]
    fn a_known_answer_opens() {
        let sealed = STANDARD.decode(KNOWN).expect("base64");
        let opened = vault(7).open(row(3, 5), &sealed).expect("it opens");
        assert_eq!(opened.expose_secret(), "correct horse");
    }

    #[test]
    fn what_is_sealed_opens_and_never_looks_the_same() {
        let vault = vault(1);
        for text in ["", "p", "ü".repeat(5_000).as_str()] {
            let text = SecretString::from(text);
            let (first, second) = (vault.seal(row(1, 2), &text).expect("sealed"), vault.seal(row(1, 2), &text).expect("sealed"));
            assert_ne!(first, second);
            assert_eq!(first.len(), HEAD_BYTES + NONCE_LEN + text.expose_secret().len() + 16);
            for sealed in [first, second] {
                assert_eq!(vault.open(row(1, 2), &sealed).expect("it opens").expose_secret(), text.expose_secret());
            }
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let vault = vault(1);
        let sealed = vault.seal(row(1, 2), &SecretString::from("topsecret")).expect("sealed");
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            let error = vault.open(row(1, 2), &changed).err().unwrap_or_else(|| panic!("byte {index} was not noticed"));
            let expected = match index {
                0 => matches!(error, VaultError::UnknownForm),
                1..5 => matches!(error, VaultError::OtherKey { .. }),
                _ => matches!(error, VaultError::Tampered { .. }),
            };
            assert!(expected, "byte {index}: {error}");
        }
        for length in 0..sealed.len() {
            assert!(vault.open(row(1, 2), &sealed[..length]).is_err(), "cut to {length}");
        }
    }

    #[test]
    fn a_sealed_text_belongs_to_its_row() {
        let vault = vault(1);
        let sealed = vault.seal(row(1, 2), &SecretString::from("topsecret")).expect("sealed");
        for other in [row(2, 2), row(1, 3), row(2, 1)] {
            assert_eq!(vault.open(other, &sealed).err(), Some(VaultError::Tampered { needed: vault.key_id() }));
        }
        // Nor does one of an account open as that of a service provider with the same number, or the other way round.
        let callbacks = SealedFor::Callbacks(TenantId(1), ServiceProviderId(2));
        assert!(vault.open(callbacks, &sealed).is_err());
        let sealed = vault.seal(callbacks, &SecretString::from("topsecret")).expect("sealed");
        assert_eq!(vault.open(callbacks, &sealed).expect("it opens").expose_secret(), "topsecret");
        assert!(vault.open(row(1, 2), &sealed).is_err());
        let of_user = SealedFor::OneTimePasswords(UserId(2));
        assert!(vault.open(of_user, &sealed).is_err());
        let sealed = vault.seal(of_user, &SecretString::from("topsecret")).expect("sealed");
        assert_eq!(vault.open(of_user, &sealed).expect("it opens").expose_secret(), "topsecret");
        assert!(vault.open(SealedFor::OneTimePasswords(UserId(3)), &sealed).is_err());
    }

    #[test]
    fn another_key_is_named() {
        let (first, second) = (vault(1), vault(2));
        let sealed = first.seal(row(1, 2), &SecretString::from("topsecret")).expect("sealed");
        let error = second.open(row(1, 2), &sealed).expect_err("another key");
        assert_eq!(error, VaultError::OtherKey { needed: first.key_id(), given: vec![second.key_id()].into() });
        // The beginning of the SHA-256 of 32 bytes 0x01.
        assert!(error.to_string().contains("sealed with the key 72cd6e84"), "{error}");
        assert_eq!(Vault::needed_key(&sealed), Ok(first.key_id()));
    }

    #[test]
    fn keys_are_32_bytes_and_generated_ones_work() {
        for wrong in ["", "key", &STANDARD.encode([0; 31]), &STANDARD.encode([0; 33]), &"é".repeat(44)] {
            assert_eq!(Vault::from_key_text(&SecretString::from(wrong)).err(), Some(VaultError::UnreadableKey));
        }
        let text = Vault::generate_key_text().expect("random bytes");
        let with_line_end = SecretString::from(format!("{}\n", text.expose_secret()));
        let (vault, same) = (Vault::from_key_text(&text).expect("a key"), Vault::from_key_text(&with_line_end).expect("a key"));
        assert_eq!(vault.key_id(), same.key_id());
        assert!(!format!("{vault:?}").contains(text.expose_secret()));
        assert_ne!(text.expose_secret(), Vault::generate_key_text().expect("random bytes").expose_secret());
    }
}
