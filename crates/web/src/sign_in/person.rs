//! Somebody who is signed in, as the endpoints for people take them.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::TenantId;
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::rights::Rights;
use lineshift_engine::Caller;
use lineshift_store::StoreError;
use lineshift_store::people::SignedIn;

use super::token::SessionToken;
use super::{cookie, csrf};
use crate::Web;
use crate::auth::{Authenticated, By};
use crate::client_address::ClientAddress;
use crate::problem::ApiProblem;
use crate::serve::Closing;

/// What a page's script sends with what nobody has asked for: it does not keep anybody signed in.
const UNATTENDED: &str = "x-unattended";

/// Somebody who is signed in, and with what.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) signed_in: SignedIn,
    pub(crate) token: SessionToken,
}

impl Person {
    /// The tenant in which they are signed in.
    pub(crate) const fn tenant(&self) -> TenantId {
        self.token.tenant()
    }

    /// For whom the engine is called.
    pub(crate) fn caller(&self) -> Caller {
        let SignedIn { session, email, rights, .. } = &self.signed_in;
        Caller { tenant: self.tenant(), principal: session.member, name: email.clone(), rights: rights.clone() }
    }

    /// Whoever the request's cookie shows. Errors: 401; 403 where another site may have made the request.
    pub(crate) async fn find(parts: &Parts, web: &Web) -> Result<Self, ApiProblem> {
        let found = Self::of_cookie(parts, web).await?;
        csrf::check(&parts.method, &parts.headers, ClientAddress::of(&parts.extensions).secure, &found.token)?;
        Ok(found)
    }

    /// The same for whoever looks himself whether another site made the request. Errors: 401.
    pub(crate) async fn of_cookie(parts: &Parts, web: &Web) -> Result<Self, ApiProblem> {
        let client = ClientAddress::of(&parts.extensions);
        let token = cookie::shown(&parts.headers, client.secure).ok_or_else(ApiProblem::unauthorized)?;
        let now = web.engine.clock().now();
        let signed_in = current(web, &token, now).await?.ok_or_else(ApiProblem::unauthorized)?;
        if !parts.headers.contains_key(UNATTENDED) {
            web.sign_in.uses.note(web, token.tenant(), &signed_in.session, now, parts.extensions.get::<Closing>());
        }
        Ok(Self { signed_in, token })
    }

    /// What they may do now; none: the session is over.
    pub(crate) async fn rights_now(&self, web: &Web) -> Result<Option<Rights>, StoreError> {
        let found = current(web, &self.token, web.engine.clock().now()).await?;
        Ok(found.map(|signed_in| signed_in.rights))
    }

    /// Whether the session still goes on: for what takes longer than a request.
    pub(crate) async fn is_still_signed_in(&self, web: &Web) -> Result<bool, StoreError> {
        Ok(current(web, &self.token, web.engine.clock().now()).await?.is_some())
    }
}

/// Who is signed in with that token, unless the session is over.
async fn current(web: &Web, token: &SessionToken, now: DateTime<Utc>) -> Result<Option<SignedIn>, StoreError> {
    let found = web.engine.store().find_signed_in(token.tenant(), &token.hash()).await?;
    Ok(found.filter(|found| web.sign_in.settings.is_current(&found.session, now)))
}

impl FromRequestParts<Web> for Person {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ApiProblem> {
        match Authenticated::from_request_parts(parts, web).await?.by {
            By::Person(person) => Ok(*person),
            By::Key(_) => {
                let message = "this is for people who are signed in, not for keys";
                Err(Refusal::one(RefusalClass::Forbidden, "", "people_only", message).into())
            }
        }
    }
}
