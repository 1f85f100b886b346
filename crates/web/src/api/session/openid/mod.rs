//! Signing in at an OpenID provider: whether one can, the way there, the way back.

pub(crate) mod callback;
pub(crate) mod one_time_password;
mod page;
pub(crate) mod start;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lineshift_domain::ids::{PrincipalId, TenantId, UserId};
use lineshift_domain::terms::AuditActor;
use lineshift_store::StoreError;
use lineshift_store::people::{Member, User};

use super::memberships;
use super::sign_in::{NotIn, refused};
use crate::Web;
use crate::audit::{Asker, PendingAudit};
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::sign_in::openid::OpenId;
use crate::views::{OpenIdProviderView, OpenIdSignInView};

/// Where it begins.
pub(crate) const START_PATH: &str = "/api/v1/session/openid/start";

/// Whether people may sign in at an OpenID provider
///
/// For whoever shows the page to sign in.
#[utoipa::path(get, path = "/api/v1/session/openid", tag = crate::api::tag::SESSIONS, security(),
    responses(
        (status = 200, description = "The provider, if there is one", body = OpenIdSignInView),
        (status = 400, description = "There are parameters", body = crate::views::ProblemView, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get_openid_provider(State(web): State<Web>, _: NoParameters) -> Result<Json<OpenIdSignInView>, ApiProblem> {
    let view = |openid: &Arc<OpenId>| OpenIdProviderView { label: openid.label().to_owned(), start: START_PATH.to_owned() };
    Ok(Json(OpenIdSignInView { provider: web.sign_in.openid.as_ref().map(view) }))
}

/// The provider. Errors: 404 where there is none.
fn provider(web: &Web) -> Result<Arc<OpenId>, ApiProblem> {
    web.sign_in.openid.clone().ok_or_else(ApiProblem::not_found)
}

/// Whoever is not let in is told this, whatever the reason: nobody learns who has an account here.
fn not_let_in() -> ApiProblem {
    metrics::counter!(crate::measures::SIGN_INS, "result" => "refused").increment(1);
    refused("sign_in_refused", "whoever you are at the provider is nobody here, or may not sign in; ask your administrator")
}

/// Somebody who may come in, and where.
struct Known {
    user: User,
    tenant: TenantId,
    member: PrincipalId,
    /// Whether they were added there and join by coming: the provider has proved that they are who was meant.
    joins: bool,
}

impl Known {
    /// The user where they were last; they may work elsewhere afterwards. Or where they were added, if that is one tenant, and they belong
    /// to none: of several, each has to show its own invitation. Errors: they may not sign in.
    async fn of(web: &Web, user: User) -> Result<Self, NotIn> {
        let place = memberships(web, user.id).await?.into_iter().next().map(|place| (place, false));
        let place = match place {
            Some(place) => Some(place),
            None => adding(web, user.id).await?.map(|place| (place, true)),
        };
        let ((tenant, member), joins) = place.filter(|_| user.is_active).ok_or(NotIn::Refused)?;
        Ok(Self { user, tenant, member: member.id, joins })
    }

    /// Writes down who comes, and that they are that subject from now on, if this is the first time.
    async fn write_down(
        &self,
        web: &Web,
        pending: &PendingAudit,
        (openid, subject, is_first): (&OpenId, &str, bool),
    ) -> Result<(), ApiProblem> {
        let asker = Asker { actor: AuditActor::Person, principal: Some(self.member), who: self.user.email.clone() };
        pending.begin(self.tenant, asker).await?;
        let store = web.engine.store();
        let set = if self.joins {
            store.join_by_identity(self.tenant, self.member, openid.issuer(), subject, web.engine.clock().now()).await
        } else if is_first {
            store.set_identity(self.user.id, openid.issuer(), subject).await
        } else {
            Ok(())
        };
        set.map_err(|error| match error {
            // They are another subject already, or somebody else is this one.
            StoreError::Conflict { .. } | StoreError::NotFound { .. } => not_let_in(),
            other => other.into(),
        })
    }
}

/// The one tenant that has added somebody who belongs to none.
async fn adding(web: &Web, user: UserId) -> Result<Option<(TenantId, Member)>, StoreError> {
    let store = web.engine.store();
    if !store.list_tenants_of(user).await?.is_empty() {
        return Ok(None);
    }
    let [tenant] = store.list_inviting_tenants(user).await?[..] else { return Ok(None) };
    let member = store.find_member_of(tenant, user).await?;
    Ok(member.filter(|member| member.is_pending && member.is_active).map(|member| (tenant, member)))
}
