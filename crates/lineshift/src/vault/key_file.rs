//! The key file: a key a line. The first key seals, all of them open; `next KEY` opens only, until `lineshift admin rotate-secret-key` makes
//! it the first. What follows a `#` is a comment.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use lineshift_connectors::credentials::{KeyId, KeyRing, Vault};
use secrecy::{ExposeSecret as _, SecretString};

use crate::exit::WrongCall;

/// More than any keys: whoever names another file gets no megabytes read.
const MOST_BYTES: u64 = 16_384;

/// Stands before a key that does not seal yet, with a blank between them.
pub(super) const NEXT: &str = "next";

/// What a key file holds, in the order of its lines.
pub(crate) struct KeyFile {
    lines: Vec<Line>,
}

enum Line {
    /// Kept as it is.
    Comment(String),
    Key {
        text: SecretString,
        id: KeyId,
        is_next: bool,
        /// With its `#`, or empty.
        comment: String,
    },
}

impl KeyFile {
    /// Reads keys, unless others may read them, too.
    ///
    /// # Errors
    /// It cannot be read, others may read it, or a line of it is no key: the line is named, and not shown.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let opened = File::open(path);
        let file = opened.with_context(|| format!("opening the key file {} (setting secrets.key_file)", path.display()))?;
        refuse_if_others_may_read(&file, path, "key file")?;
        let mut text = String::new();
        let read = file.take(MOST_BYTES + 1).read_to_string(&mut text);
        let length = read.with_context(|| format!("reading the key file {}", path.display()))?;
        let text = SecretString::from(text);
        if length as u64 > MOST_BYTES {
            return Err(WrongCall(format!("{} is too large for a key file", path.display())).into());
        }
        Self::parse(&text).map_err(|wrong| WrongCall(format!("{}: {wrong}", path.display())).into())
    }

    fn parse(text: &SecretString) -> std::result::Result<Self, String> {
        let lines = text.expose_secret().lines().enumerate().map(|(nth, line)| Line::parse(nth + 1, line));
        let file = Self { lines: lines.collect::<std::result::Result<_, _>>()? };
        if file.keys().all(|(_, is_next)| is_next) {
            return Err(format!("it holds no key that seals; {MAKE_ONE}"));
        }
        Ok(file)
    }

    /// Each key's name, and whether it is one that does not seal yet.
    fn keys(&self) -> impl Iterator<Item = (KeyId, bool)> {
        self.lines.iter().filter_map(|line| match line {
            Line::Key { id, is_next, .. } => Some((*id, *is_next)),
            Line::Comment(_) => None,
        })
    }

    /// The key that seals.
    pub(crate) fn sealing(&self) -> KeyId {
        self.keys().find(|(_, is_next)| !is_next).expect("a key file without one is not read").0
    }

    /// The key that will seal next.
    pub(crate) fn next(&self) -> Option<KeyId> {
        let sealing = self.sealing();
        self.keys().find(|(id, is_next)| *is_next && *id != sealing).map(|(id, _)| id)
    }

    /// The keys that sealed before.
    pub(crate) fn old(&self) -> Vec<KeyId> {
        let sealing = self.sealing();
        self.keys().filter(|(id, is_next)| !is_next && *id != sealing).map(|(id, _)| id).collect()
    }

    /// All of them, as they are used.
    pub(crate) fn ring(&self) -> KeyRing {
        let vault = |wanted: &dyn Fn(KeyId) -> bool| {
            let texts = self.lines.iter().filter_map(|line| match line {
                Line::Key { text, id, .. } if wanted(*id) => Some(text),
                _ => None,
            });
            texts.map(|text| Vault::from_key_text(text).expect("it was read so")).collect::<Vec<_>>()
        };
        let sealing = self.sealing();
        let mut first = vault(&|id| id == sealing);
        KeyRing::new(first.swap_remove(0), vault(&|id| id != sealing))
    }

    /// Puts a key behind the others that opens, and does not seal yet.
    pub(crate) fn add_next(&mut self, text: SecretString, comment: &str) -> Result<()> {
        let id = Vault::from_key_text(&text).context("reading the key that was made")?.key_id();
        self.lines.push(Line::Key { text, id, is_next: true, comment: format!("# {comment}") });
        Ok(())
    }

    /// Makes the next key the one that seals; the others open still.
    pub(crate) fn promote_next(&mut self) {
        let Some(next) = self.next() else { return };
        let place = self.lines.iter().position(|line| matches!(line, Line::Key { id, .. } if *id == next));
        let mut line = self.lines.remove(place.expect("next() found it"));
        if let Line::Key { is_next, .. } = &mut line {
            *is_next = false;
        }
        let first = self.lines.iter().position(|line| matches!(line, Line::Key { .. })).unwrap_or(self.lines.len());
        self.lines.insert(first, line);
    }

    /// Leaves out the keys that sealed before.
    pub(crate) fn drop_old(&mut self) {
        let old = self.old();
        self.lines.retain(|line| !matches!(line, Line::Key { id, .. } if old.contains(id)));
    }

    fn text(&self) -> SecretString {
        let mut all = String::new();
        for line in &self.lines {
            match line {
                Line::Comment(comment) => all.push_str(comment),
                Line::Key { text, is_next, comment, .. } => {
                    let next = if *is_next { NEXT } else { "" };
                    all.push_str(format!("{next} {} {comment}", text.expose_secret()).trim());
                }
            }
            all.push('\n');
        }
        SecretString::from(all)
    }
}

/// What to do without a key.
pub(super) const MAKE_ONE: &str = "make one with `lineshift admin secret-key`";

impl Line {
    fn parse(number: usize, line: &str) -> std::result::Result<Self, String> {
        let at = line.find('#').unwrap_or(line.len());
        let (key, comment) = (line[..at].trim(), line[at..].trim_end());
        if key.is_empty() {
            return Ok(Self::Comment(line.trim_end().to_owned()));
        }
        let next = key.strip_prefix(NEXT).and_then(|rest| rest.strip_prefix([' ', '\t']));
        let (key, is_next) = next.map_or((key, false), |key| (key.trim(), true));
        let text = SecretString::from(key);
        let vault = Vault::from_key_text(&text).map_err(|error| format!("line {number}: {error}; {MAKE_ONE}"))?;
        Ok(Self::Key { text, id: vault.key_id(), is_next, comment: comment.to_owned() })
    }
}

/// Refuses a file with a secret that others may read, too.
#[cfg(unix)]
pub(crate) fn refuse_if_others_may_read(file: &File, path: &Path, what: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata().with_context(|| format!("looking at {}", path.display()))?.permissions().mode();
    if mode & 0o077 != 0 {
        let path = path.display();
        let text = format!("others may read the {what} {path} (mode {:03o}); forbid it: chmod 600 {path}", mode & 0o777);
        return Err(WrongCall(text).into());
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn refuse_if_others_may_read(_: &File, _: &Path, _: &str) -> Result<()> {
    Ok(())
}

/// Writes a key into a new file that only its owner may read.
pub(crate) fn write_new(path: &Path, key: &SecretString) -> Result<()> {
    let mut file = create(path)?;
    let text = SecretString::from(format!("{}\n", key.expose_secret()));
    write(&mut file, &text).with_context(|| format!("writing {}", path.display()))
}

fn create(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).with_context(|| format!("making the key file {}", path.display()))
}

fn write(file: &mut File, text: &SecretString) -> std::io::Result<()> {
    file.write_all(text.expose_secret().as_bytes())?;
    file.sync_all()
}

/// A key file that nobody else changes meanwhile, as long as this lives.
pub(crate) struct HeldKeyFile {
    path: PathBuf,
    /// Locked: whoever wants to change the keys locks the file that stands under the name, before it reads it.
    _held: File,
    /// What it holds.
    pub(crate) keys: KeyFile,
}

impl HeldKeyFile {
    /// Locks and reads it; of a link, the file that it leads to.
    ///
    /// # Errors
    /// Another command holds it, or it cannot be read.
    pub(crate) fn lock(path: &Path) -> Result<Self> {
        let opening = || format!("opening the key file {} (setting secrets.key_file)", path.display());
        let path = path.canonicalize().with_context(opening)?;
        let held = File::open(&path).with_context(opening)?;
        let busy = || WrongCall(format!("another command is changing the keys in {}; wait for it", path.display()));
        held.try_lock().map_err(|_| busy())?;
        // Whoever held it before may have put another file in its place.
        if !is_same(&held, &path)? {
            return Err(busy().into());
        }
        let keys = KeyFile::read(&path)?;
        Ok(Self { path, _held: held, keys })
    }

    /// Puts what it holds now in the place of what stood there: all of it or nothing, also when the machine stops in between.
    ///
    /// # Errors
    /// The file beside it cannot be written, or not be given to the same owner.
    pub(crate) fn store(&mut self) -> Result<()> {
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let failed = || format!("writing {}", beside.display());
        // Left by one that was killed.
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).with_context(failed),
            _ => {}
        }
        let mut file = create(&beside)?;
        file.try_lock().with_context(failed)?;
        keep_owner(&self.path, &file).with_context(failed)?;
        write(&mut file, &self.keys.text()).with_context(failed)?;
        std::fs::rename(&beside, &self.path).with_context(|| format!("replacing {}", self.path.display()))?;
        self._held = file;
        settle_directory(&self.path)
    }
}

/// The servers read it still when somebody else, such as root, changes it.
#[cfg(unix)]
fn keep_owner(present: &Path, file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let (present, made) = (present.metadata()?, file.metadata()?);
    if (present.uid(), present.gid()) == (made.uid(), made.gid()) {
        return Ok(());
    }
    fchown(file, Some(present.uid()), Some(present.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn settle_directory(path: &Path) -> Result<()> {
    let directory = path.parent().context("a file stands in a directory")?;
    let settled = File::open(directory).and_then(|directory| directory.sync_all());
    settled.with_context(|| format!("writing {}", directory.display()))
}

#[cfg(not(unix))]
fn settle_directory(_: &Path) -> Result<()> {
    Ok(())
}

fn is_same(held: &File, path: &Path) -> Result<bool> {
    let looking = || format!("looking at {}", path.display());
    Ok(super::Stamp::of(&held.metadata().with_context(looking)?) == super::Stamp::of(&path.metadata().with_context(looking)?))
}
