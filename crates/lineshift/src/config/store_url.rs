//! The URL by which a store is chosen.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Error, bail};
use serde::{Deserialize, Serialize};

/// The setting `store` as it was given. It may hold a password, which is shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StoreSetting(String);

impl StoreSetting {
    /// A setting of that text.
    pub(crate) fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The store that it names; the error's text reads after "expected".
    pub(crate) fn url(&self) -> Result<StoreUrl, Error> {
        self.0.parse()
    }
}

/// Without the password.
impl fmt::Display for StoreSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_password(&self.0))
    }
}

impl fmt::Debug for StoreSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// A URL as it may be shown: whatever stands where a password may stand is left out.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // What stands before an @ may be a password, also one with a ? in it that should have been escaped.
    if rest.split_once('?').is_some_and(|(_, behind)| behind.contains('@')) {
        return format!("{scheme}://***");
    }
    let (place, parameters) = rest.split_once('?').map_or((rest, None), |(place, parameters)| (place, Some(parameters)));
    // A password may hold an @ that should have been escaped: the last one ends it.
    let place = match place.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:***@{host}"),
            None => format!("{user}@{host}"),
        },
        None => place.to_owned(),
    };
    let shown = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if name.eq_ignore_ascii_case("password") => format!("{name}=***"),
        _ => parameter.to_owned(),
    };
    match parameters {
        Some(parameters) => format!("{scheme}://{place}?{}", parameters.split('&').map(shown).collect::<Vec<_>>().join("&")),
        None => format!("{scheme}://{place}"),
    }
}

/// A store that this version can open.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// The embedded store in that file.
    Sqlite(PathBuf),
    /// PostgreSQL at that URL.
    Postgres(String),
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(url) => f.debug_tuple("Postgres").field(&without_password(url)).finish(),
        }
    }
}

impl FromStr for StoreUrl {
    type Err = Error;

    /// The error's text reads after "expected".
    fn from_str(url: &str) -> Result<Self, Error> {
        match url.split_once("://") {
            Some(("sqlite", "")) => bail!("a path after sqlite://, as in sqlite://lineshift.sqlite3"),
            Some(("sqlite", path)) => Ok(Self::Sqlite(PathBuf::from(path))),
            Some(("postgres" | "postgresql", place)) if place.split('?').next().is_some_and(|place| place.contains('/')) => {
                Ok(Self::Postgres(url.to_owned()))
            }
            Some(("postgres" | "postgresql", _)) => bail!("postgres://USER:PASSWORD@HOST/DATABASE"),
            _ => bail!("sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_password_is_shown_in_no_way_of_writing_it() {
        for (url, shown) in [
            ("postgres://me:s3cret@host/db", "postgres://me:***@host/db"),
            ("postgres://me:s3@cret@host/db", "postgres://me:***@host/db"),
            ("postgres://me:s3/cret#@host/db?sslmode=require", "postgres://me:***@host/db?sslmode=require"),
            ("postgres://host/db?user=me&password=s3cret", "postgres://host/db?user=me&password=***"),
            ("postgres://me:s3?cret@host/db", "postgres://***"),
            ("postgres://me:s3?cret@host/db?sslmode=require", "postgres://***"),
            ("postgres://host/db?password=s3@cret", "postgres://***"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
