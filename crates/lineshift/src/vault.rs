//! The key under which credentials of integrations are sealed: from the environment, else from a file that nobody else reads.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use lineshift_connectors::credentials::Vault;
use secrecy::{ExposeSecret as _, SecretString};

use crate::cli::Context;
use crate::config::environment::SECRET_KEY;
use crate::exit::WrongCall;

/// More than any key: whoever names another file gets no megabytes read.
const MOST_KEY_BYTES: u64 = 1_024;

/// The vault under the key that the configuration names; none: it names none.
pub(crate) fn of(context: &Context) -> Result<Option<Vault>> {
    if let Some(text) = context.environment.secret_key() {
        return open(&text, SECRET_KEY).map(Some);
    }
    let file = &context.settings().secrets.key_file;
    if file.is_empty() {
        return Ok(None);
    }
    let text = read_key_file(Path::new(file))?;
    open(&text, file).map(Some)
}

fn open(text: &SecretString, source: &str) -> Result<Vault> {
    let wrong = |error| WrongCall(format!("{source}: {error}; make one with `lineshift admin secret-key`"));
    Ok(Vault::from_key_text(text).map_err(wrong)?)
}

/// Reads a key, unless others may read it, too.
fn read_key_file(path: &Path) -> Result<SecretString> {
    let opened = File::open(path);
    let file = opened.with_context(|| format!("opening the key file {} (setting secrets.key_file)", path.display()))?;
    refuse_if_others_may_read(&file, path)?;
    let mut text = String::new();
    let read = file.take(MOST_KEY_BYTES).read_to_string(&mut text);
    read.with_context(|| format!("reading the key file {}", path.display()))?;
    Ok(SecretString::from(text))
}

#[cfg(unix)]
fn refuse_if_others_may_read(file: &File, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata().with_context(|| format!("looking at {}", path.display()))?.permissions().mode();
    if mode & 0o077 != 0 {
        let path = path.display();
        let text = format!("others may read the key file {path} (mode {:03o}); forbid it: chmod 600 {path}", mode & 0o777);
        return Err(WrongCall(text).into());
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_if_others_may_read(_: &File, _: &Path) -> Result<()> {
    Ok(())
}

/// Writes a key into a new file that only its owner may read.
pub(crate) fn write_key_file(path: &Path, key: &SecretString) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("making the key file {}", path.display()))?;
    let written =
        file.write_all(key.expose_secret().as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
    written.with_context(|| format!("writing {}", path.display()))
}
