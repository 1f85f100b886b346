//! `POST /api/v1/invitation`: the password of somebody who was invited. The token stands in the body: addresses are logged.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use lineshift_domain::passwords::password_problems;
use lineshift_domain::terms::AuditActor;
use secrecy::{ExposeSecret as _, SecretString};

use super::joining::{begin_account, unknown};
use super::{Origin, end_all_sessions, pending_audit};
use crate::Web;
use crate::api::carried_through;
use crate::api::reference::read_fields;
use crate::audit::Asker;
use crate::invitation::hash_of_invitation;
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::sign_in::csrf;
use crate::views::InvitationRequest;

/// Sets a password by an invitation
///
/// The token holds once, and only until it ends. One that came with being added to a tenant makes one a member of it with that; where the
/// address has an account already, sign in and accept it by `POST /api/v1/invitations` instead. One that was given to set a new password
/// sets it, and whoever is signed in as this person is signed out. Sign in afterwards.
#[utoipa::path(post, path = "/api/v1/invitation", tag = crate::api::tag::SESSIONS, security(), request_body = InvitationRequest,
    responses(
        (status = 204, description = "Set"),
        (status = 400, description = "The body cannot be read", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 403, description = "A page of another site sent it", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 415, description = "The body is not declared as JSON in UTF-8", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 409, description = "Somebody took it up or took it back at this moment", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 422, description = "The token is unknown or over, the password is too weak, or there is an account already (`sign_in_first`)", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn accept_invitation(
    State(web): State<Web>,
    _: NoParameters,
    request: Request,
) -> Result<StatusCode, ApiProblem> {
    csrf::check_origin(request.headers(), Origin::of(&request).client.secure)?;
    let pending = pending_audit(&request)?;
    let mut fields = read_fields(request).await?;
    let token = fields.secret("token");
    let password = fields.secret("password").map(SecretString::from);
    let (token, password) = fields.finish(token.zip(password))?;
    if begin_account(&web, &token, &password, &pending).await?.is_some() {
        return Ok(StatusCode::NO_CONTENT);
    }
    let invitation = hash_of_invitation(&token);
    // Nobody guesses 32 random bytes: failures need not be counted.
    let invited = web.engine.store().find_invited(&invitation, web.engine.clock().now()).await?;
    let user = invited.ok_or_else(unknown)?;
    let problems = password_problems("password", password.expose_secret(), &user.email, &user.display_name);
    if !problems.is_empty() {
        return Err(ApiProblem::refused(problems));
    }
    let hash = web.sign_in.passwords.hash(password).await?;
    // Whoever belongs to several tenants is written down in the first: the log of each is its own.
    let store = web.engine.store().clone();
    let tenant = store.list_tenants_of(user.id).await?.into_iter().next().ok_or_else(ApiProblem::not_found)?;
    let member = store.find_member_of(tenant, user.id).await?.map(|member| member.id);
    pending.begin(tenant, Asker { actor: AuditActor::Person, principal: member, who: user.email }).await?;
    carried_through(async move {
        // After the hash, which takes its time: whoever signed in meanwhile by the password before is out as well.
        if !store.take_up_invitation(&invitation, &hash, web.engine.clock().now()).await? {
            return Err(unknown());
        }
        Ok(end_all_sessions(&web, user.id).await?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
