//! An online copy: taken while the store is in use, as it stood at one moment.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lineshift_store::{Result, StoreError};
use rusqlite::backup::Backup;

use crate::Sqlite;
use crate::connection::create_private;
use crate::error::store_error;

/// Pages copied before others get a turn.
const PAGES_A_STEP: i32 = 4_096;

impl Sqlite {
    /// Copies the store to a new file. `progress` hears (pages left, pages in all). Errors: `Conflict` when the file exists.
    pub async fn back_up(&self, target: &Path, progress: impl Fn(i32, i32) + Send + 'static) -> Result<()> {
        let target: PathBuf = target.to_owned();
        if target.exists() {
            return Err(StoreError::Conflict { message: format!("{} exists already; name a new file", target.display()) });
        }
        self.read_with(move |sql| {
            let mut copy = open_target(&target)?;
            let backup = Backup::new(sql.connection(), &mut copy).map_err(store_error)?;
            loop {
                let step = backup.step(PAGES_A_STEP).map_err(store_error)?;
                let left = backup.progress();
                progress(left.remaining, left.pagecount);
                match step {
                    rusqlite::backup::StepResult::Done => return Ok(()),
                    rusqlite::backup::StepResult::More => {}
                    _ => pause(),
                }
            }
        })
        .await
    }
}

#[expect(clippy::disallowed_methods, reason = "the target of a copy is a connection of its own")]
fn open_target(path: &Path) -> Result<rusqlite::Connection> {
    create_private(path)?;
    rusqlite::Connection::open(path).map_err(store_error)
}

#[expect(clippy::disallowed_methods, reason = "this runs on a blocking thread, and the lock it waits for sends no signal")]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}
