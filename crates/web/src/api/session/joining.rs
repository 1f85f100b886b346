//! `/api/v1/invitations`: what one is invited to join, and joining it. An invitation is taken up with its token, which whoever was invited
//! has from the tenant's administrator, and with proof that the account is theirs: neither is enough by itself.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use lineshift_domain::ids::TenantId;
use lineshift_domain::passwords::password_problems;
use lineshift_domain::reading::codes;
use lineshift_domain::refusal::Problem;
use lineshift_domain::terms::AuditActor;
use lineshift_store::people::User;
use secrecy::{ExposeSecret as _, SecretString};

use super::password::set_and_begin_anew;
use super::{LONGEST_PASSWORD_BYTES, Origin, pending_audit, require_password, view_of};
use crate::Web;
use crate::api::carried_through;
use crate::api::reference::read_fields;
use crate::audit::{Asker, PendingAudit};
use crate::fields::Fields;
use crate::invitation::{hash_of_invitation, tenant_of_invitation};
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PathId};
use crate::sign_in::person::Person;
use crate::views::{JoinRequest, ReceivedInvitationView, ReceivedInvitationsView, SessionView, TenantView};

/// Lists what one is invited to
///
/// The tenants that have added one and wait for one to accept, with since when the account exists and by which tenants it is used: look
/// whether that is as you know it before you accept. For people who are signed in.
#[utoipa::path(get, path = "/api/v1/invitations", tag = crate::api::tag::SESSIONS,
    responses((status = 200, description = "Open invitations", body = ReceivedInvitationsView)))]
pub(crate) async fn list_received_invitations(
    State(web): State<Web>,
    person: Person,
    _: NoParameters,
) -> Result<Json<ReceivedInvitationsView>, ApiProblem> {
    let (store, user, now) = (web.engine.store(), person.signed_in.user, web.engine.clock().now());
    let mut used_by = store.list_tenants_of(user).await?;
    used_by.sort_unstable();
    let mut tenants = Vec::new();
    for tenant in used_by {
        tenants.push(TenantView::from(store.get_tenant(tenant).await?));
    }
    let mut items = Vec::new();
    for tenant in store.list_inviting_tenants(user).await? {
        let member = store.find_member_of(tenant, user).await?.filter(|member| member.is_pending && member.is_active);
        let Some(member) = member else { continue };
        let Some(ends_at) = member.invitation_ends_at.filter(|ends_at| now < *ends_at) else { continue };
        let tenant = store.get_tenant(tenant).await?;
        items.push(ReceivedInvitationView { id: tenant.id.0, tenant: tenant.name, created_at: member.created_at, ends_at });
    }
    let account_created_at = store.get_user(user).await?.created_at;
    Ok(Json(ReceivedInvitationsView { account_created_at, tenants, items }))
}

/// Accepts an invitation
///
/// With the token that came with it and one's password, where one has one: from then on one belongs to that tenant, too. `new_password` sets
/// another password and signs everybody else out: recommended where somebody else may know the present one, such as whoever made the
/// account. For people who are signed in.
#[utoipa::path(post, path = "/api/v1/invitations", tag = crate::api::tag::SESSIONS, request_body = JoinRequest,
    responses(
        (status = 200, description = "Accepted; with a new password the session is a new one with a new cookie", body = SessionView),
        (status = 409, description = "Somebody took it up or took it back at this moment", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 429, description = "Too many attempts failed; wait as long as `Retry-After` says", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn join_tenant(
    State(web): State<Web>,
    person: Person,
    _: NoParameters,
    request: Request,
) -> Result<Response, ApiProblem> {
    let origin = Origin::of(&request);
    let pending = pending_audit(&request)?;
    let mut fields = read_fields(request).await?;
    let given = Given::read(&mut fields);
    let given = fields.finish(given)?;
    // The session may have ended while the body was on its way. Elsewhere that is looked at where the entry of the log is begun.
    if !person.is_still_signed_in(&web).await? {
        return Err(ApiProblem::unauthorized());
    }
    carried_through(async move { join(&web, &person, given, &origin, &pending).await }).await
}

/// Declines an invitation
///
/// One does not belong to that tenant, and it may invite one anew. For people who are signed in.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", tag = crate::api::tag::SESSIONS,
    params(("id" = i64, Path, description = "The tenant, as the list names it")),
    responses((status = 204, description = "Declined")))]
pub(crate) async fn decline_invitation(
    State(web): State<Web>,
    person: Person,
    PathId(id): PathId,
    _: NoParameters,
    request: Request,
) -> Result<StatusCode, ApiProblem> {
    let (store, user, tenant) = (web.engine.store().clone(), person.signed_in.user, TenantId(id));
    let inviting = store.list_inviting_tenants(user).await?.contains(&tenant);
    let member = if inviting { store.find_member_of(tenant, user).await? } else { None };
    let member = member.filter(|member| member.is_pending).ok_or_else(ApiProblem::not_found)?;
    // It stands in the log of the tenant that it concerns, and in no other.
    let asker = Asker { actor: AuditActor::Person, principal: Some(member.id), who: person.signed_in.email };
    pending_audit(&request)?.begin(tenant, asker).await?;
    let declined = carried_through(async move { store.decline_invitation(tenant, user).await }).await?;
    if declined { Ok(StatusCode::NO_CONTENT) } else { Err(ApiProblem::not_found()) }
}

struct Given {
    token: String,
    password: Option<SecretString>,
    new_password: Option<SecretString>,
}

impl Given {
    fn read(fields: &mut Fields) -> Option<Self> {
        let token = fields.secret("token");
        let password = fields.optional_secret("password");
        let new_password = fields.optional_secret("new_password");
        if password.as_ref().and_then(Option::as_ref).is_some_and(|text| text.len() > LONGEST_PASSWORD_BYTES) {
            let message = format!("longer than {LONGEST_PASSWORD_BYTES} bytes; give the password");
            fields.report("password", codes::OUT_OF_RANGE, message);
            return None;
        }
        let secret = |text: Option<String>| text.map(SecretString::from);
        Some(Self { token: token?, password: secret(password?), new_password: secret(new_password?) })
    }
}

async fn join(web: &Web, person: &Person, given: Given, origin: &Origin, pending: &PendingAudit) -> Result<Response, ApiProblem> {
    let (store, user) = (web.engine.store(), person.signed_in.user);
    let tenant = tenant_of_invitation(&given.token).ok_or_else(unknown)?;
    let hash = hash_of_invitation(&given.token);
    let invited = store.find_invited_member(tenant, &hash, web.engine.clock().now()).await?;
    // That of somebody else is no other than one that is none.
    let invited = invited.filter(|invited| invited.user.id == user).ok_or_else(unknown)?;
    // In the log of the tenant that it concerns, and in no other.
    let asker = Asker { actor: AuditActor::Person, principal: Some(invited.member), who: invited.user.email.clone() };
    pending.begin(tenant, asker).await?;
    prove(web, person, &invited.user, given.password, given.new_password.is_some(), origin).await?;
    if let Some(new) = &given.new_password {
        check_strength("new_password", new, &invited.user.email, &invited.user.display_name)?;
    }
    let new_hash = match given.new_password {
        Some(new) => Some(web.sign_in.passwords.hash(new).await?),
        None => None,
    };
    store.join(tenant, &hash, user, web.engine.clock().now()).await?.ok_or_else(unknown)?;
    match new_hash {
        Some(hash) => Ok(set_and_begin_anew(web, person, &hash, origin).await?.into_response()),
        None => Ok(Json(view_of(web, person).await?).into_response()),
    }
}

/// Whoever found a browser open joins nothing. People who sign in at a provider alone have no password to give, nor set one by this.
async fn prove(
    web: &Web,
    person: &Person,
    user: &User,
    password: Option<SecretString>,
    sets_another: bool,
    origin: &Origin,
) -> Result<(), ApiProblem> {
    let has_one = user.password_hash.is_some();
    match password {
        Some(password) if has_one => require_password(web, person, password, origin.client).await.map(|_| ()),
        None if has_one => {
            let message = "missing; give your password";
            Err(ApiProblem::refused(vec![Problem::new("password", codes::MISSING_FIELD, message)]))
        }
        None if !sets_another => Ok(()),
        given => {
            let field = if given.is_some() { "password" } else { "new_password" };
            let message = "this account has no password, as its owner signs in at a provider; leave it out";
            Err(ApiProblem::refused(vec![Problem::new(field, "no_password", message)]))
        }
    }
}

/// Sets the password of an account on which no tenant relies, by the invitation of one, which is taken up with it. None: there is no
/// such invitation. Errors: 422, also where the account is somebody's: they sign in and accept.
pub(super) async fn begin_account(
    web: &Web,
    token: &str,
    password: &SecretString,
    pending: &PendingAudit,
) -> Result<Option<()>, ApiProblem> {
    let Some(tenant) = tenant_of_invitation(token) else { return Ok(None) };
    let (store, hash) = (web.engine.store().clone(), hash_of_invitation(token));
    let invited = store.find_invited_member(tenant, &hash, web.engine.clock().now()).await?;
    let Some(invited) = invited else { return Ok(None) };
    if invited.is_relied_on {
        let message = "there is an account with this address already; sign in with it and accept the invitation there \
            (POST /api/v1/invitations)";
        return Err(ApiProblem::refused(vec![Problem::new("token", "sign_in_first", message)]));
    }
    check_strength("password", password, &invited.user.email, &invited.invited_as)?;
    let password_hash = web.sign_in.passwords.hash(password.clone()).await?;
    let asker = Asker { actor: AuditActor::Person, principal: Some(invited.member), who: invited.user.email };
    pending.begin(tenant, asker).await?;
    // After the hash, which takes its time: whatever was begun with the account before is over.
    let now = web.engine.clock().now();
    let joined = carried_through(async move { store.join_with_password(tenant, &hash, &password_hash, now).await }).await?;
    joined.map(|_| Some(())).ok_or_else(unknown)
}

fn check_strength(field: &str, password: &SecretString, email: &str, name: &str) -> Result<(), ApiProblem> {
    let problems = password_problems(field, password.expose_secret(), email, name);
    if problems.is_empty() { Ok(()) } else { Err(ApiProblem::refused(problems)) }
}

/// The token lets nobody in.
pub(super) fn unknown() -> ApiProblem {
    let message = "this invitation is not known, was used, or is over; ask for a new one";
    ApiProblem::refused(vec![Problem::new("token", "invitation_unknown", message)])
}
