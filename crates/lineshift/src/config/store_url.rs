//! The URL by which a store is chosen.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Error, bail};

/// A store that this version can open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// The embedded store in that file.
    Sqlite(PathBuf),
}

impl FromStr for StoreUrl {
    type Err = Error;

    /// The error's text reads after "expected".
    fn from_str(url: &str) -> Result<Self, Error> {
        match url.split_once("://") {
            Some(("sqlite", "")) => bail!("a path after sqlite://, as in sqlite://lineshift.sqlite3"),
            Some(("sqlite", path)) => Ok(Self::Sqlite(PathBuf::from(path))),
            Some(("postgres" | "postgresql", _)) => bail!("sqlite://PATH: PostgreSQL is not in this version"),
            _ => bail!("sqlite://PATH"),
        }
    }
}
