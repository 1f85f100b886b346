//! The audit log over HTTP: every request that may change something writes an entry before it runs and an outcome after it.
//!
//! This stands around the whole table of routes and goes by the method, so that a new route cannot be forgotten. Where nobody is known
//! before the handler runs ([`OPEN`]), the handler itself says who asks, as soon as it knows and before it changes anything.

mod body_hash;
mod note;
mod pending;
mod target;

use std::panic::{AssertUnwindSafe, resume_unwind};

use axum::extract::{FromRequestParts as _, MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use body_hash::BodyRead;
use futures::FutureExt as _;
use lineshift_domain::terms::AuditActor;
pub(crate) use note::{AuditNote, Made, ProblemCodes};
use pending::Answered;
pub(crate) use pending::{Asker, PendingAudit};
use tracing::Instrument as _;

use crate::Web;
use crate::auth::{Authenticated, By};
use crate::problem::ApiProblem;
use crate::serve::Closing;
use crate::sign_in::openid::CALLBACK_PATH;
use crate::standing::Standing;

/// Routes that anybody may call: they have the `PendingAudit` in their request's extensions and begin it themselves. What they refuse
/// before they know of whom is not written down, or strangers could fill the store; it is counted as every request is.
pub const OPEN: &[(&str, &str)] = &[
    ("POST", "/callbacks/{tenant_id}/{service_provider_id}"),
    ("POST", "/api/v1/session"),
    ("POST", "/api/v1/invitation"),
    // Who asks is known here; in whose log it stands is not.
    ("POST", "/api/v1/invitations"),
    ("DELETE", "/api/v1/invitations/{id}"),
    ("POST", "/sign-in"),
    ("POST", "/sign-in/one-time-password"),
    ("POST", "/invitation"),
    ("POST", "/invitations"),
    ("POST", "/invitations/{id}/decline"),
    // What comes back from a provider comes as a browser goes from page to page.
    ("GET", CALLBACK_PATH),
    ("POST", "/api/v1/session/openid/one-time-password"),
];

/// Routes whose bodies hold passwords: whoever has the hash of such a body can try passwords against it, so that none is kept.
const WITHOUT_BODY_HASH: &[&str] = &[
    "/api/v1/session",
    "/sign-in",
    "/sign-in/one-time-password",
    "/invitation",
    "/invitations",
    "/account/password",
    "/account/one-time-password",
    "/account/one-time-password/confirm",
    "/account/one-time-password/end",
    "/admin/integrations/{id}/account",
    "/api/v1/session/openid/one-time-password",
    "/api/v1/invitation",
    "/api/v1/invitations",
    "/api/v1/password",
    "/api/v1/one-time-password",
    "/api/v1/integrations/{id}/account",
    "/api/v1/service-providers/{id}/callback-credentials",
];

/// Whether what is sent to a route holds passwords or other credentials.
pub(crate) fn holds_secrets(route: &str) -> bool {
    WITHOUT_BODY_HASH.contains(&route)
}

/// Whether a request may change something, by its method.
fn may_change(method: &Method) -> bool {
    ![Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

/// Writes the entry, runs the request, writes the outcome. Without an entry the request does not run.
pub(crate) async fn write_down(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let is_open = OPEN.contains(&(request.method().as_str(), route));
    if !is_open && !may_change(request.method()) {
        return next.run(request).await;
    }
    let route = route.to_owned();
    let pending = PendingAudit::of(&web, &request, &route);
    let standing = if is_open {
        request.extensions_mut().insert(pending.clone());
        None
    } else {
        match begin(&web, &mut request, &pending).await {
            Ok(standing) => Some(standing),
            Err(problem) => return problem.into_response(),
        }
    };
    let keeps_hash = !holds_secrets(&route);
    carry_through(body_hash::observed(request, standing), next, pending, keeps_hash).await
}

/// Begins what is asked for by a key or a person. Errors: nobody is known (401), or it cannot be written down (503, 507).
async fn begin(web: &Web, request: &mut Request, pending: &PendingAudit) -> Result<Standing, ApiProblem> {
    let (mut parts, body) = std::mem::take(request).into_parts();
    let found = Authenticated::from_request_parts(&mut parts, web).await;
    *request = Request::from_parts(parts, body);
    let found = found?;
    let standing = Standing::now(web, &found);
    let actor = match found.by {
        By::Key(_) => AuditActor::Key,
        By::Person(_) => AuditActor::Person,
    };
    let asker = Asker { actor, principal: Some(found.caller.principal), who: found.caller.name };
    pending.begin(found.caller.tenant, asker).await?;
    Ok(standing)
}

/// Runs the request in a task of its own: a client that goes away neither cuts it off nor keeps its outcome from being written.
async fn carry_through((request, read): (Request, BodyRead), next: Next, pending: PendingAudit, keeps_hash: bool) -> Response {
    // A server that stops waits for it.
    let held = request.extensions().get::<Closing>().and_then(Closing::hold);
    let running = async move {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let answer = answered.as_ref().map_or_else(|_| Answered::panicked(), Answered::of);
        pending.finish(answer, read.hash().filter(|_| keeps_hash)).await;
        drop(held);
        answered
    };
    match tokio::spawn(running.in_current_span()).await {
        Ok(Ok(response)) => response,
        // It is told and answered where all panics are.
        Ok(Err(panic)) => resume_unwind(panic),
        Err(error) => {
            tracing::error!(%error, "a request was cut off");
            ApiProblem::internal().into_response()
        }
    }
}

#[cfg(test)]
mod tests;
