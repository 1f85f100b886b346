//! The keys under which credentials of integrations are sealed: from the environment, else from a file that nobody else reads.
//!
//! Whoever uses them looks first whether the file has changed, so that another key takes the place of one without a restart.

pub(crate) mod key_file;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use lineshift_connectors::credentials::{KeyRing, SealedFor, Vault, VaultError};
use secrecy::{ExposeSecret as _, SecretString};

use self::key_file::{KeyFile, MAKE_ONE, NEXT};
use crate::cli::Context;
use crate::config::environment::SECRET_KEY;
use crate::exit::WrongCall;

/// The keys of a process, as they stand now.
pub(crate) struct Keys {
    file: Option<PathBuf>,
    held: Mutex<Held>,
}

struct Held {
    ring: Arc<KeyRing>,
    /// Of the file as it was read; none: there is none, or it could not be looked at.
    stamp: Option<Stamp>,
    /// Why it could not be read the last time: said once.
    failed: Option<String>,
}

/// Tells a file from the one that stood there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<std::time::SystemTime>,
    length: u64,
    /// Device, file, and when its owner or mode was changed.
    identity: (u64, u64, i64, i64),
}

impl Stamp {
    fn of(metadata: &std::fs::Metadata) -> Self {
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt as _;
            (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
        };
        #[cfg(not(unix))]
        let identity = (0, 0, 0, 0);
        Self { modified: metadata.modified().ok(), length: metadata.len(), identity }
    }

    fn find(path: &Path) -> Option<Self> {
        path.metadata().ok().map(|metadata| Self::of(&metadata))
    }
}

/// Where a process has its keys from.
pub(crate) enum Source {
    /// The environment: they stay as they are until it is started anew.
    Environment(KeyRing),
    /// A file.
    File(PathBuf),
}

/// Where the configuration says that the keys are; none: nowhere.
///
/// # Errors
/// What stands in the environment is no key.
pub(crate) fn source(context: &Context) -> Result<Option<Source>> {
    if let Some(text) = context.environment.secret_key() {
        return of_environment(&text).map(|ring| Some(Source::Environment(ring)));
    }
    let file = &context.settings().secrets.key_file;
    Ok((!file.is_empty()).then(|| Source::File(PathBuf::from(file))))
}

/// Several keys stand with commas or blanks between them, the one that seals first; or as in a key file, whose text may have been put there.
fn of_environment(text: &SecretString) -> Result<KeyRing> {
    let wrong = |error: VaultError| WrongCall(format!("{SECRET_KEY}: {error}; {MAKE_ONE}"));
    let (mut sealing, mut others, mut is_next) = (None, Vec::new(), false);
    let keys = text.expose_secret().lines().map(|line| line.split('#').next().unwrap_or_default());
    let words = keys.flat_map(|line| line.split([',', ' ', '\t', '\r'])).filter(|word| !word.is_empty());
    for word in words {
        if word == NEXT {
            is_next = true;
            continue;
        }
        let vault = Vault::from_key_text(&SecretString::from(word)).map_err(wrong)?;
        if sealing.is_none() && !is_next {
            sealing = Some(vault);
        } else {
            others.push(vault);
        }
        is_next = false;
    }
    let sealing = sealing.ok_or_else(|| wrong(VaultError::UnreadableKey))?;
    Ok(KeyRing::new(sealing, others))
}

impl Keys {
    /// The keys that the configuration names; none: it names none.
    ///
    /// # Errors
    /// They cannot be read, or others may read them.
    pub(crate) fn of(context: &Context) -> Result<Option<Self>> {
        Ok(match source(context)? {
            None => None,
            Some(Source::Environment(ring)) => Some(Self::fixed(ring)),
            Some(Source::File(path)) => Some(Self::of_file(path)?),
        })
    }

    /// Keys that stay as they are.
    pub(crate) fn fixed(ring: impl Into<KeyRing>) -> Self {
        let held = Held { ring: Arc::new(ring.into()), stamp: None, failed: None };
        Self { file: None, held: Mutex::new(held) }
    }

    fn of_file(path: PathBuf) -> Result<Self> {
        // Looked at before it is read: what changes in between is read once more.
        let stamp = Stamp::find(&path);
        let ring = Arc::new(KeyFile::read(&path)?.ring());
        Ok(Self { file: Some(path), held: Mutex::new(Held { ring, stamp, failed: None }) })
    }

    /// Seals a text for one row, with the key that seals now.
    ///
    /// # Errors
    /// [`VaultError::NotSealed`].
    pub(crate) fn seal(&self, row: SealedFor, text: &SecretString) -> Result<Vec<u8>, VaultError> {
        self.ring(false).seal(row, text)
    }

    /// Opens what was sealed for that row. Before it says that a key is missing it reads the file once more.
    ///
    /// # Errors
    /// Any but [`VaultError::NotSealed`].
    pub(crate) fn open(&self, row: SealedFor, sealed: &[u8]) -> Result<SecretString, VaultError> {
        match self.ring(false).open(row, sealed) {
            Err(VaultError::OtherKey { .. }) => self.ring(true).open(row, sealed),
            opened => opened,
        }
    }

    /// The keys as they stand in the file. One that cannot be read leaves those that were read before: what is sealed under them must open.
    fn ring(&self, read_anyway: bool) -> Arc<KeyRing> {
        let mut held = self.held.lock().expect("never held over a panic");
        let Some(path) = &self.file else { return Arc::clone(&held.ring) };
        let stamp = Stamp::find(path);
        if read_anyway || stamp.is_none() || stamp != held.stamp {
            match KeyFile::read(path) {
                Ok(file) => {
                    let ring = file.ring();
                    if ring.key_ids() != held.ring.key_ids() {
                        tracing::info!(sealing = %ring.sealing_key_id(), keys = ring.key_ids().len(), "the keys were read anew");
                    }
                    *held = Held { ring: Arc::new(ring), stamp, failed: None };
                }
                Err(error) => {
                    let text = format!("{error:#}");
                    if held.failed.as_ref() != Some(&text) {
                        tracing::warn!("the keys stay as they were: {text}");
                        held.failed = Some(text);
                    }
                }
            }
        }
        Arc::clone(&held.ring)
    }
}
