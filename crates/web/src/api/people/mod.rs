//! People and keys: roles, users, who is signed in, API keys. Looking needs `admin:view`, creating `admin:create`, changing `admin:edit`,
//! and nobody gives away more than they have.

pub(crate) mod api_keys;
pub(crate) mod roles;
pub(crate) mod sessions;
pub(crate) mod users;

use lineshift_domain::ids::{RoleId, TenantId};
use lineshift_domain::reach::{MOST_NAMED, Reach};
use lineshift_domain::reading::codes;
use lineshift_domain::refusal::{Problem, Refusal, RefusalClass};
use lineshift_domain::rights::Rights;
use lineshift_domain::roles::READY_MADE;
use lineshift_domain::scopes::Scopes;
use lineshift_engine::Caller;
use lineshift_store::StoreError;
use lineshift_store::people::{Member, Role};

use crate::Web;
use crate::fields::Fields;
use crate::problem::ApiProblem;
use crate::views::{reach_words, scope_words};

/// Reads permissions.
fn read_scopes(fields: &mut Fields, present: Option<&Scopes>) -> Option<Scopes> {
    let expected = "a word such as m2m:view or admin:edit, or * for everything";
    let words = fields.words("scopes", present.map(scope_words), expected, |word| word.parse::<Scopes>().is_ok())?;
    let all = words.iter().any(|word| word == "*");
    Some(if all { Scopes::all() } else { words.join(" ").parse().expect("each word is one") })
}

/// Reads whose lines are reached.
fn read_reach(fields: &mut Fields, present: Option<&Reach>) -> Option<Reach> {
    let expected = "a word such as customer:5, site:7 or service_provider:2, or * alone for everything";
    let words = fields.words("reach", present.map(reach_words), expected, |word| word.parse::<Reach>().is_ok())?;
    let read = words.join(" ").parse().ok();
    if read.is_none() {
        fields.report("reach", codes::WRONG_FORM, format!("expected * alone, or at most {MOST_NAMED} words"));
    }
    read
}

/// A problem for each customer, site and service provider that is not there.
async fn unknown_in(web: &Web, tenant: TenantId, reach: &Reach) -> Result<Vec<Problem>, StoreError> {
    let Reach::Named(named) = reach else { return Ok(Vec::new()) };
    let store = web.engine.store();
    let mut problems = Vec::new();
    let mut note = |kind: &str, id: i64, found: Result<(), StoreError>| match found {
        Err(StoreError::NotFound { .. }) => {
            let message = format!("{kind}:{id} is not there; check it");
            problems.push(Problem::new("reach", "unknown_reference", message));
            Ok(())
        }
        other => other,
    };
    for id in &named.customers {
        note("customer", id.0, store.get_rev_customer(tenant, *id).await.map(|_| ()))?;
    }
    for id in &named.sites {
        note("site", id.0, store.get_site(tenant, *id).await.map(|_| ()))?;
    }
    for id in &named.service_providers {
        note("service_provider", id.0, store.get_service_provider(tenant, *id).await.map(|_| ()))?;
    }
    Ok(problems)
}

/// What those roles allow together; a problem for each that is not there, and one where a role asks for a limited reach.
fn rights_of(roles: &[Role], ids: &[RoleId], reach: &Reach) -> Result<Rights, Vec<Problem>> {
    let (mut problems, mut scopes) = (Vec::new(), Vec::new());
    for (nth, id) in ids.iter().enumerate() {
        let Some(role) = roles.iter().find(|role| role.id == *id) else {
            problems.push(Problem::new(format!("roles[{nth}]"), "unknown_reference", "there is no role with this id; check it"));
            continue;
        };
        scopes.push(role.scopes.to_string());
        if reach.is_everything() && READY_MADE.iter().any(|ready| ready.is_limited && ready.name == role.name) {
            let message = format!(
                "whoever is {:?} must be limited: name customers, sites or service providers instead of everything",
                role.name
            );
            problems.push(Problem::new("reach", "limit_missing", message));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let scopes = scopes.join(" ").parse().expect("permissions are written as they are read");
    Ok(Rights { scopes, reach: reach.clone() })
}

/// Refuses to give, take or touch rights that the caller does not have.
fn require_cover(caller: &Caller, rights: &Rights) -> Result<(), ApiProblem> {
    if caller.rights.cover(rights) {
        return Ok(());
    }
    let message = "these rights go beyond those of the caller; nobody gives, changes or takes away more than they have";
    Err(Refusal::one(RefusalClass::Forbidden, "", "rights_exceeded", message).into())
}

/// What somebody has is not beyond what the caller has: else they could take over, or stop, people who may do more.
fn require_cover_of(caller: &Caller, roles: &[Role], member: &Member) -> Result<(), ApiProblem> {
    match rights_of(roles, &member.roles, &member.reach) {
        Ok(rights) => require_cover(caller, &rights),
        // A role was taken away meanwhile, or asks for a limit that is missing: what it allowed is unknown, and only those who may do
        // everything go on.
        Err(_) => require_cover(caller, &Rights::all()),
    }
}
