//! A request on its way through the audit log.

use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use axum::http::{Extensions, StatusCode, header};
use axum::response::Response;
use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_domain::terms::{AuditActor, AuditResult};
use lineshift_store::StoreError;
use lineshift_store::audit::{AuditKey, AuditOutcome, NewAuditEntry};

use super::note::{AuditNote, Made, ProblemCodes};
use super::target;
use crate::Web;
use crate::client_address::ClientAddress;
use crate::layers::RequestId;
use crate::problem::ApiProblem;

/// The most characters of what a program says of itself.
const AGENT_CHARACTERS: usize = 200;

/// Who asks.
pub(crate) struct Asker {
    pub(crate) actor: AuditActor,
    /// None: a carrier.
    pub(crate) principal: Option<PrincipalId>,
    pub(crate) who: String,
}

/// What is known of a request before it runs. Begun once, it has an entry, and an outcome when it is over.
#[derive(Clone)]
pub(crate) struct PendingAudit(Arc<Pending>);

struct Pending {
    web: Web,
    key: AuditKey,
    address: Option<String>,
    agent: Option<String>,
    action: String,
    target: Option<String>,
    /// Whose entry was written; none: it was not begun.
    begun: OnceLock<TenantId>,
}

impl PendingAudit {
    /// What is known of that request by itself.
    pub(super) fn of(web: &Web, request: &Request, route: &str) -> Self {
        let at = web.engine.clock().now();
        let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        let agent = request.headers().get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        Self(Arc::new(Pending {
            web: web.clone(),
            key: AuditKey { at, request_id },
            address: client_address(request.extensions()),
            agent: agent.map(|agent| agent.chars().take(AGENT_CHARACTERS).collect()),
            action: format!("{} {route}", request.method()),
            target: target::of_route(route, request.uri().path()),
            begun: OnceLock::new(),
        }))
    }

    /// Writes the entry, in a short transaction of its own. Errors: 503 or 507; nothing may be done then.
    pub(crate) async fn begin(&self, tenant: TenantId, asker: Asker) -> Result<(), ApiProblem> {
        let pending = &self.0;
        let entry = NewAuditEntry {
            key: pending.key.clone(),
            actor: asker.actor,
            principal: asker.principal,
            who: asker.who,
            address: pending.address.clone(),
            agent: pending.agent.clone(),
            action: pending.action.clone(),
            target: pending.target.clone(),
        };
        pending.web.engine.store().record_audit_entry(tenant, &entry).await.map_err(not_written)?;
        // Whoever begins twice fails above: the entry is there.
        let _ = pending.begun.set(tenant);
        Ok(())
    }

    /// Writes the outcome, if there is an entry. What cannot be written is told in the log, and shows as unfinished.
    pub(super) async fn finish(&self, answer: Answered, body_hash: Option<[u8; 32]>) {
        let pending = &self.0;
        let status = answer.status;
        let Some(tenant) = pending.begun.get().copied() else {
            if status.is_success() {
                tracing::error!(action = pending.action, "a request changed something and did not say for whom");
            }
            return;
        };
        let outcome = AuditOutcome {
            finished_at: pending.web.engine.clock().now(),
            result: result_of(status),
            status: Some(status.as_u16().into()),
            devices: answer.devices,
            made: answer.made,
            problem_codes: answer.problem_codes,
            body_hash,
            note: None,
        };
        if let Err(error) = pending.web.engine.store().record_audit_outcome(tenant, &pending.key, &outcome).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, action = pending.action, status = status.as_u16(), "an outcome could not be written down");
        }
    }
}

/// What an answer says of what was done.
pub(super) struct Answered {
    status: StatusCode,
    devices: Option<i64>,
    made: Option<String>,
    problem_codes: Vec<String>,
}

impl Answered {
    /// What that answer says.
    pub(super) fn of(answer: &Response) -> Self {
        // Where a browser is sent on was not made.
        let location = answer.headers().get(header::LOCATION).filter(|_| !answer.status().is_redirection());
        let location = location.and_then(|location| location.to_str().ok());
        Self {
            status: answer.status(),
            devices: answer.extensions().get::<AuditNote>().map(|note| note.devices),
            made: answer.extensions().get::<Made>().map(|made| made.0.clone()).or_else(|| location.and_then(target::of_location)),
            problem_codes: answer.extensions().get::<ProblemCodes>().map(|codes| codes.0.clone()).unwrap_or_default(),
        }
    }

    /// There is no answer: the handler panicked.
    pub(super) const fn panicked() -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, devices: None, made: None, problem_codes: Vec::new() }
    }
}

fn result_of(status: StatusCode) -> AuditResult {
    match status {
        status if status.is_server_error() => AuditResult::Failed,
        status if status.is_client_error() => AuditResult::Refused,
        _ => AuditResult::Done,
    }
}

/// What cannot be written down is not done, whatever the reason.
fn not_written(error: StoreError) -> ApiProblem {
    if let StoreError::Full(_) = error {
        return error.into();
    }
    tracing::error!(error = &error as &dyn std::error::Error, "a request could not be written down and was not run");
    ApiProblem::unavailable("this cannot be written to the audit log now, so nothing of it was done; try again")
}

/// From where a request came; none: nobody knows.
fn client_address(extensions: &Extensions) -> Option<String> {
    extensions.get::<ClientAddress>().filter(|client| !client.ip.is_unspecified()).map(|client| client.ip.to_string())
}
