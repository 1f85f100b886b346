//! Bringing the work file back to a prepared state by writing only the blocks that differ: a copy of the whole file would
//! leave the disk busy while the next leg runs.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};

const BLOCK: usize = 1 << 16;

/// Makes `work` equal to `prepared`, and flushes it.
pub(super) fn restore(prepared: &Path, work: &Path) -> Result<()> {
    for suffix in ["-wal", "-shm"] {
        let beside = work.with_file_name(format!("{}{suffix}", work.file_name().unwrap_or_default().to_string_lossy()));
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context("removing the log of the last leg"),
            _ => {}
        }
    }
    equalize(prepared, work).with_context(|| format!("restoring {} from {}", work.display(), prepared.display()))
}

fn equalize(prepared: &Path, work: &Path) -> std::io::Result<()> {
    let from = File::open(prepared)?;
    let to = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(work)?;
    let length = from.metadata()?.len();
    to.set_len(length)?;
    let (mut wanted, mut present) = (vec![0; BLOCK], vec![0; BLOCK]);
    for offset in (0..length).step_by(BLOCK) {
        let block = usize::try_from(length - offset).map_or(BLOCK, |left| left.min(BLOCK));
        from.read_exact_at(&mut wanted[..block], offset)?;
        to.read_exact_at(&mut present[..block], offset)?;
        if wanted[..block] != present[..block] {
            to.write_all_at(&wanted[..block], offset)?;
        }
    }
    to.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_added_or_logged_is_gone() {
        let dir = tempfile::tempdir().expect("a directory");
        let (prepared, work) = (dir.path().join("prepared.db"), dir.path().join("work.db"));
        let content: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        std::fs::write(&prepared, &content).expect("written");
        let mut changed = content.clone();
        changed[70_000] ^= 1;
        changed.extend([1; 100_000]);
        std::fs::write(&work, changed).expect("written");
        std::fs::write(dir.path().join("work.db-wal"), "x").expect("written");
        restore(&prepared, &work).expect("restored");
        assert_eq!(std::fs::read(&work).expect("read"), content);
        assert!(!dir.path().join("work.db-wal").exists());
    }
}
