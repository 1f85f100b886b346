//! Whoever sends a request is looked up at its head, and once more when its body has come, where that took a while: who was thrown out
//! meanwhile does nothing any more.
//!
//! This stands where bodies are read, around all routes that may change something, so that none can forget it: to a handler it looks as
//! if the body had broken off.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::rights::Rights;

use crate::Web;
use crate::auth::{Authenticated, By};
use crate::problem::ApiProblem;

/// For how long it holds what was looked up. Ordinary requests are looked up once.
const HOLDS: TimeDelta = TimeDelta::seconds(1);

/// Somebody who was looked up, and when.
#[derive(Clone)]
pub(crate) struct Standing {
    web: Web,
    found: Authenticated,
    at: DateTime<Utc>,
}

impl Standing {
    /// They were looked up just now.
    pub(crate) fn now(web: &Web, found: &Authenticated) -> Self {
        Self { web: web.clone(), found: found.clone(), at: web.engine.clock().now() }
    }

    /// Looks again if it is a while ago. Errors: 401 where nobody is there any more, 403 where they may do less than they could.
    pub(crate) async fn still_holds(&self) -> Result<(), ApiProblem> {
        // A clock may be set back.
        if (self.web.engine.clock().now() - self.at).abs() < HOLDS {
            return Ok(());
        }
        let rights = self.rights_now().await?.ok_or_else(ApiProblem::unauthorized)?;
        if rights.cover(&self.found.caller.rights) {
            return Ok(());
        }
        let message = "some of your rights were taken away while this request was on its way; nothing of it was done";
        Err(Refusal::one(RefusalClass::Forbidden, "", "rights_changed", message).into())
    }

    async fn rights_now(&self) -> Result<Option<Rights>, ApiProblem> {
        let web = &self.web;
        match &self.found.by {
            By::Key(key) => {
                let found = web.engine.store().find_api_key(key.tenant_id, key.id).await?;
                let now = web.engine.clock().now();
                let found = found.filter(|found| found.secret_hash == key.secret_hash && found.is_valid(now));
                Ok(found.map(|found| Rights { scopes: found.scopes, reach: found.reach }))
            }
            By::Person(person) => Ok(person.rights_now(web).await?),
        }
    }
}

/// Why a body ends for a handler although more of it came: whoever sent it is nobody any more.
#[derive(Debug)]
pub(crate) struct ThrownOut(pub(crate) ApiProblem);

impl fmt::Display for ThrownOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whoever sent it may not do so any more")
    }
}

impl std::error::Error for ThrownOut {}

impl ThrownOut {
    /// What is to be answered, where that is why a body could not be read.
    pub(crate) fn of(error: &(dyn std::error::Error + 'static)) -> Option<ApiProblem> {
        let mut errors = std::iter::successors(Some(error), |error| error.source());
        errors.find_map(|error| error.downcast_ref::<Self>()).map(|thrown_out| thrown_out.0.clone())
    }
}
