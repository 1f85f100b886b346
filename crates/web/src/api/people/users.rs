//! `/api/v1/users`: the people of a tenant.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use lineshift_domain::ids::{PrincipalId, RoleId, TenantId};
use lineshift_domain::names::is_invisible;
use lineshift_domain::scopes::{Action, Module};
use lineshift_engine::Caller;
use lineshift_store::people::{Member, Membership, NewUser as NewPerson, Role, SeenMember};

use super::{read_reach, require_cover, require_cover_of, rights_of, unknown_in};
use crate::api::carried_through;
use crate::api::reference::read_fields;
use crate::fields::Fields;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PageParams, Parameters, PathId};
use crate::views::{AddedUserView, InvitationView, NewUser, Page, UserPatch, UserView};
use crate::{Invitation, Web};

/// Lists users
///
/// By id, inactive ones included. Needs the scope `admin:view`.
#[utoipa::path(get, path = "/api/v1/users", tag = crate::api::tag::PEOPLE, params(PageParams),
    responses((status = 200, description = "A page", body = Page<UserView>)))]
pub(crate) async fn list_users(
    State(web): State<Web>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<UserView>>, ApiProblem> {
    caller.require(Module::Admin, Action::View)?;
    let (limit, after) = (parameters.limit(), parameters.cursor::<PrincipalId>("after"));
    parameters.finish()?;
    let listed = web.engine.store().list_members(caller.tenant, after, limit).await?;
    Ok(Json(Page::of(listed, UserView::from)))
}

/// Shows a user
///
/// Needs the scope `admin:view`.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = crate::api::tag::PEOPLE, params(("id" = i64, Path, description = "Which one")),
    responses((status = 200, description = "They", body = UserView)))]
pub(crate) async fn get_user(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<Json<UserView>, ApiProblem> {
    caller.require(Module::Admin, Action::View)?;
    Ok(Json(web.engine.store().get_member(caller.tenant, PrincipalId(id)).await?.into()))
}

/// Adds a user
///
/// They are pending, and may nothing, until they take up the invitation that is answered, this once: a new person sets a password with it,
/// and whoever has an account already signs in and accepts. The answer does not tell which. Nobody gives more than they have. Needs the
/// scope `admin:create`.
#[utoipa::path(post, path = "/api/v1/users", tag = crate::api::tag::PEOPLE, request_body = NewUser,
    responses(
        (status = 201, description = "As they were added", body = AddedUserView, headers(("Location" = String, description = "Their address"))),
        (status = 409, description = "They were added to the tenant before",
            body = crate::views::ProblemView, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_user(
    State(web): State<Web>,
    caller: Caller,
    _: NoParameters,
    request: Request,
) -> Result<Response, ApiProblem> {
    caller.require(Module::Admin, Action::Create)?;
    let mut fields = read_fields(request).await?;
    let read = read_new(&mut fields);
    let (person, membership) = fields.finish(read)?;
    let (store, tenant) = (web.engine.store().clone(), caller.tenant);
    check(&web, &caller, &store.list_roles(tenant).await?, &membership).await?;
    let now = web.engine.clock().now();
    let invitation = new_invitation(&web, tenant)?;
    let stored = invitation.stored.clone();
    let adding = async move { store.add_person(tenant, &person, &membership, &stored, now).await };
    let added = carried_through(adding).await?;
    let user = web.engine.store().get_member(tenant, added.member).await?;
    let location = [(header::LOCATION, format!("/api/v1/users/{}", added.member))];
    let view = AddedUserView { user: user.into(), invitation: invitation.into() };
    Ok((StatusCode::CREATED, location, Json(view)).into_response())
}

/// Changes a user
///
/// Their roles, whose lines they see, and whether they may act in this tenant; a JSON merge (RFC 7396): absent fields stay. It takes
/// effect at once, also for bulk changes under way; who is made inactive is signed out. Of somebody who may do more than before an open
/// invitation is taken back: invite them anew. The last administrator who can sign in stays one. Nobody changes people who have more
/// rights than they have. Needs the scope `admin:edit`.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = crate::api::tag::PEOPLE,
    params(("id" = i64, Path, description = "Which one")), request_body = UserPatch,
    responses(
        (status = 200, description = "As they are now", body = UserView),
        (status = 409, description = "Nobody would be administrator any more, or somebody else changed them meanwhile", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_user(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
    request: Request,
) -> Result<Json<UserView>, ApiProblem> {
    caller.require(Module::Admin, Action::Edit)?;
    let (store, tenant, id) = (web.engine.store().clone(), caller.tenant, PrincipalId(id));
    let mut fields = read_fields(request).await?;
    let (present, roles) = (store.get_member(tenant, id).await?, store.list_roles(tenant).await?);
    let membership = read_membership(&mut fields, Some(&present));
    let membership = fields.finish(membership)?;
    check(&web, &caller, &roles, &membership).await?;
    require_cover_of(&caller, &roles, &present)?;
    let seen = SeenMember { member: present, roles };
    carried_through(async move { store.update_member_as_seen(tenant, &seen, &membership).await }).await?;
    Ok(Json(web.engine.store().get_member(tenant, id).await?.into()))
}

/// Invites a user anew
///
/// With the word that is answered, this once, somebody pending joins, and anybody else sets a new password; an earlier invitation counts no
/// more. A new password is refused for people who also belong to other tenants, whose account is not this tenant's alone. Needs the scope
/// `admin:edit`.
#[utoipa::path(post, path = "/api/v1/users/{id}/invitation", tag = crate::api::tag::PEOPLE,
    params(("id" = i64, Path, description = "Who")),
    responses(
        (status = 200, description = "The invitation", body = InvitationView),
        (status = 409, description = "They also belong to other tenants, or may do more by now than the caller", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn invite_user(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<Json<InvitationView>, ApiProblem> {
    // Whoever sets the password acts as that person.
    let (tenant, id) = (caller.tenant, member_to_change(&web, &caller, id).await?.id);
    let store = web.engine.store().clone();
    let invitation = new_invitation(&web, tenant)?;
    let (stored, by) = (invitation.stored.clone(), caller.rights);
    carried_through(async move { store.invite_member(tenant, id, &stored, &by).await }).await?;
    Ok(Json(invitation.into()))
}

/// Removes a user
///
/// They belong to the tenant no more: their sessions in it, their roles and open invitations end; changes under way that they ordered end
/// `rights_lost`. What they did stays as it is written down. Their account stays theirs, and may be added anew. The last administrator who
/// can sign in is not removed, nor is anybody who has more rights than the caller. Needs the scope `admin:edit`.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = crate::api::tag::PEOPLE,
    params(("id" = i64, Path, description = "Who")),
    responses(
        (status = 204, description = "Removed"),
        (status = 409, description = "Nobody would be administrator any more", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn remove_user(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<StatusCode, ApiProblem> {
    let (tenant, id) = (caller.tenant, member_to_change(&web, &caller, id).await?.id);
    let store = web.engine.store().clone();
    carried_through(async move { store.remove_member(tenant, id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user's identity at the OpenID provider away
///
/// They are signed out everywhere. Whoever signs in at the provider next with their address, which it has to have verified, is them from
/// then on. Refused for people who also belong to other tenants, whose account is not this tenant's alone. Needs the scope `admin:edit`.
#[utoipa::path(delete, path = "/api/v1/users/{id}/identity", tag = crate::api::tag::PEOPLE,
    params(("id" = i64, Path, description = "Whose")),
    responses(
        (status = 204, description = "No provider knows them any more"),
        (status = 409, description = "They also belong to other tenants", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn clear_user_identity(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<StatusCode, ApiProblem> {
    // Somebody else may be them afterwards.
    let (tenant, id) = (caller.tenant, member_to_change(&web, &caller, id).await?.id);
    let store = web.engine.store().clone();
    let now = web.engine.clock().now();
    carried_through(async move { store.clear_identity(tenant, id, now).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A member whom the caller may change: as an administrator, and with no fewer rights than the member has.
pub(super) async fn member_to_change(web: &Web, caller: &Caller, id: i64) -> Result<Member, ApiProblem> {
    caller.require(Module::Admin, Action::Edit)?;
    let (store, tenant) = (web.engine.store(), caller.tenant);
    let member = store.get_member(tenant, PrincipalId(id)).await?;
    require_cover_of(caller, &store.list_roles(tenant).await?, &member)?;
    Ok(member)
}

fn new_invitation(web: &Web, tenant: TenantId) -> Result<Invitation, ApiProblem> {
    Invitation::of_tenant(tenant, web.engine.clock().now()).map_err(|error| {
        tracing::error!(%error, "an invitation could not be made");
        ApiProblem::internal()
    })
}

pub(crate) fn read_new(fields: &mut Fields) -> Option<(NewPerson, Membership)> {
    let email = fields.parsed("email", "an address such as ann@example.com", read_email);
    let display_name = fields.name("display_name", None);
    let membership = read_membership(fields, None);
    Some((NewPerson { email: email?, display_name: display_name?, password_hash: None }, membership?))
}

fn read_membership(fields: &mut Fields, present: Option<&Member>) -> Option<Membership> {
    let roles = fields.ids("roles", present.map(|member| member.roles.iter().map(|role| role.0).collect()));
    let reach = read_reach(fields, present.map(|member| &member.reach));
    let is_active = fields.flag("is_active", present.map(|member| member.is_active), true);
    Some(Membership { roles: roles?.into_iter().map(RoleId).collect(), reach: reach?, is_active: is_active? })
}

/// An address as it is stored: in lower case. Whether it is somebody's shows when they take up the invitation.
pub fn read_email(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (name, host) = email.split_once('@')?;
    let fits = !name.is_empty() && !host.is_empty() && !host.contains('@') && email.chars().count() <= 200;
    let is_shown = |letter: char| !letter.is_whitespace() && !letter.is_control() && !is_invisible(letter);
    (fits && email.chars().all(is_shown)).then_some(email)
}

/// What the membership refers to is there, and its rights are the caller's to give. Errors: 422 with every problem, 403.
async fn check(web: &Web, caller: &Caller, roles: &[Role], membership: &Membership) -> Result<(), ApiProblem> {
    let unknown = unknown_in(web, caller.tenant, &membership.reach).await?;
    match rights_of(roles, &membership.roles, &membership.reach) {
        Ok(rights) if unknown.is_empty() => require_cover(caller, &rights),
        Ok(_) => Err(ApiProblem::refused(unknown)),
        Err(problems) => Err(ApiProblem::refused([problems, unknown].concat())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_lower_case() {
        assert_eq!(read_email(" Ann@Example.COM ").as_deref(), Some("ann@example.com"));
        for wrong in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "a@b@c",
            "an n@example.com",
            "ann@exa\nmple.com",
            "an\u{200b}n@example.com",
            "\u{202e}nna@example.com",
            &"a".repeat(300),
        ] {
            assert_eq!(read_email(wrong), None, "{wrong:?}");
        }
    }
}
