//! The tenants that one works in, going from one to another, and joining those that have invited one.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::api::session::joining::{decline_invitation, join_tenant, list_received_invitations};
use crate::api::session::view_of;
use crate::portal::fields::{Field, FormShown, Kind, Source, body_of, confirmed, is_answerable, request};
use crate::portal::form::Form;
use crate::portal::page::{When, answer};
use crate::portal::refused::{PageRefused, as_page};
use crate::portal::viewer::{Frame, Place, Viewer};
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PathId};
use crate::views::{ReceivedInvitationView, TenantView};

#[derive(Template)]
#[template(path = "tenants.html")]
struct TenantsPage {
    frame: Frame,
    tenants: Vec<TenantRow>,
    invitations: Vec<InvitationRow>,
    /// Since when the account exists, and by whom it is used: to be looked at before one accepts.
    account_since: When,
    used_by: String,
    form: FormShown,
    saved: bool,
}

/// A tenant that one belongs to.
struct TenantRow {
    id: i64,
    name: String,
    zone: String,
    is_this: bool,
}

/// A tenant that has invited one.
struct InvitationRow {
    id: i64,
    tenant: String,
    since: When,
    ends: When,
}

fn fields() -> Vec<Field> {
    let secret = |is_required, autocomplete| Kind::Secret { is_required, autocomplete };
    vec![
        Field::new("token", "Invitation", secret(true, "off")).with_help("The word that the tenant's administrator gave you."),
        Field::new("password", "Your password", secret(false, "current-password"))
            .with_help("Left empty where your account has none, as you sign in at a provider."),
        Field::new("new_password", "New password", secret(false, "new-password"))
            .with_help("Where somebody else may know the present one: set another, and everybody else is signed out."),
    ]
}

/// `GET /tenants`
pub(in crate::portal) async fn show(viewer: Viewer, uri: Uri) -> Result<Response, PageRefused> {
    Ok(answer(&page(&viewer, None, uri.query() == Some("saved")).await?))
}

async fn page(viewer: &Viewer, refused: Option<&ApiProblem>, saved: bool) -> Result<TenantsPage, ApiProblem> {
    let session = view_of(&viewer.web, &viewer.person).await?;
    let received = list_received_invitations(State(viewer.web.clone()), viewer.person.clone(), NoParameters).await?.0;
    let this = session.tenant.id;
    let row = |TenantView { id, name, time_zone: zone }: TenantView| TenantRow { is_this: id == this, id, name, zone };
    let invited = |ReceivedInvitationView { id, tenant, created_at, ends_at }: ReceivedInvitationView| InvitationRow {
        id,
        tenant,
        since: viewer.when(created_at),
        ends: viewer.when(ends_at),
    };
    Ok(TenantsPage {
        frame: viewer.frame("Tenants", None, Place::Own)?,
        tenants: session.tenants.into_iter().map(row).collect(),
        invitations: received.items.into_iter().map(invited).collect(),
        account_since: viewer.when(received.account_created_at),
        used_by: received.tenants.into_iter().map(|tenant| tenant.name).collect::<Vec<_>>().join(", "),
        form: FormShown::new("/invitations", "Accept the invitation", &fields(), Source::New, refused),
        saved,
    })
}

/// `POST /invitations`: joins the tenant whose invitation it is.
pub(in crate::portal) async fn join(viewer: Viewer, form: Form, parts: Parts) -> Result<Response, PageRefused> {
    let sent = request(parts, &body_of(&fields(), &form, true));
    match join_tenant(State(viewer.web.clone()), viewer.person.clone(), NoParameters, sent).await {
        Ok(joined) => Ok(with_cookie_of(&joined, Redirect::to("/tenants?saved").into_response())),
        Err(problem) if is_answerable(&problem) => {
            let page = page(&viewer, Some(&problem), false).await?;
            Ok(as_page(problem, &page))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// An answer with the cookies of another one: where a session began anew, the browser goes on with it.
pub(super) fn with_cookie_of(told: &Response, mut response: Response) -> Response {
    for cookie in told.headers().get_all(header::SET_COOKIE) {
        response.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    response
}

/// `POST /invitations/{id}/decline`
pub(in crate::portal) async fn decline(
    viewer: Viewer,
    Path(id): Path<String>,
    form: Form,
    parts: Parts,
) -> Result<Response, PageRefused> {
    confirmed(&form)?;
    let id = id.parse().ok().filter(|id| *id > 0).map(PathId).ok_or_else(ApiProblem::not_found)?;
    let sent = request(parts, &serde_json::Value::Null);
    decline_invitation(State(viewer.web.clone()), viewer.person.clone(), id, NoParameters, sent).await?;
    Ok(Redirect::to("/tenants").into_response())
}
