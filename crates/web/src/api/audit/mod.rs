//! Looking at the audit log: whoever sees all of the tenant, with `admin:view`.

pub(crate) mod export;
pub(crate) mod list;

use chrono::{DateTime, Utc};
use lineshift_domain::ids::PrincipalId;
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::scopes::{Action, Module};
use lineshift_engine::Caller;
use lineshift_store::audit::AuditFilter;
use utoipa::IntoParams;

use crate::problem::ApiProblem;
use crate::query::Parameters;

/// The filters, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one, so that all problems are found")]
pub(crate) struct AuditParams {
    /// From that moment on.
    #[param(example = "2026-12-01T00:00:00Z")]
    from: Option<String>,
    /// Before that moment.
    #[param(example = "2027-01-01T00:00:00Z")]
    to: Option<String>,
    /// Only what that key or person asked for.
    principal_id: Option<i64>,
    /// Only that action, as it is written.
    #[param(example = "POST /{portal}/BulkChange")]
    action: Option<String>,
    /// Only what was asked for on that, or made it.
    #[param(example = "bulk-changes/12")]
    target: Option<String>,
    /// Only what has no outcome.
    unfinished: Option<bool>,
}

/// Refuses whoever may not see it. What stands there is of customers, sites and service providers alike, so that a part of it is for
/// nobody.
fn require_all(caller: &Caller) -> Result<(), ApiProblem> {
    caller.require(Module::Admin, Action::View)?;
    if caller.rights.reach.is_everything() {
        return Ok(());
    }
    let message = "the audit log is for those who see all of the tenant; you see certain customers, sites or service providers";
    Err(Refusal::one(RefusalClass::Forbidden, "", "permission_missing", message).into())
}

fn read_filter(given: &mut Parameters) -> AuditFilter {
    let moment = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc));
    let form = "a moment in RFC 3339 such as 2026-12-01T00:00:00Z";
    let filter = AuditFilter {
        from: given.parsed("from", form, moment),
        to: given.parsed("to", form, moment),
        principal: given.id("principal_id", PrincipalId),
        action: given.text("action"),
        target: given.text("target"),
        unfinished: given.parsed("unfinished", "true or false", |text| text.parse().ok()).unwrap_or_default(),
    };
    // Neither is ever longer or holds anything else; the database is not asked for what it cannot hold.
    let is_plain = |text: &String| text.len() <= 200 && !text.chars().any(char::is_control);
    for (name, text) in [("action", &filter.action), ("target", &filter.target)] {
        if !text.as_ref().is_none_or(is_plain) {
            given.report(
                name,
                lineshift_domain::reading::codes::WRONG_FORM,
                "expected at most 200 characters, none of them control",
            );
        }
    }
    filter
}
