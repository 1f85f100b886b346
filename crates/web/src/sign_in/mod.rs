//! How people sign in, and what is asked of their requests afterwards.

pub(crate) mod cookie;
pub(crate) mod csrf;
pub(crate) mod guesses;
pub(crate) mod one_time;
pub(crate) mod openid;
pub(crate) mod person;
pub(crate) mod token;
mod uses;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use guesses::Guesses;
use lineshift_store::people::Session;
use openid::OpenId;
use uses::SessionUses;

use crate::passwords::Passwords;

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSettings {
    /// After how long without a request a session is over.
    pub idle: TimeDelta,
    /// After how long it is over at the latest.
    pub absolute: TimeDelta,
}

impl Default for SessionSettings {
    /// An hour, and twelve.
    fn default() -> Self {
        Self { idle: TimeDelta::hours(1), absolute: TimeDelta::hours(12) }
    }
}

impl SessionSettings {
    /// Whether a session goes on: it neither reached its end nor was left alone for too long.
    pub(crate) fn is_current(&self, session: &Session, now: DateTime<Utc>) -> bool {
        now < session.ends_at && now - session.seen_at < self.idle
    }
}

/// What a process knows of those who sign in.
#[derive(Clone, Default)]
pub(crate) struct SignIn {
    pub(crate) settings: SessionSettings,
    pub(crate) passwords: Passwords,
    pub(crate) guesses: Guesses,
    pub(crate) uses: SessionUses,
    /// The provider at which people sign in, if there is one.
    pub(crate) openid: Option<Arc<OpenId>>,
}
