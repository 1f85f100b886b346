//! The people of a tenant: the list, and adding somebody.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use lineshift_domain::scopes::{Action, Module};

use super::reach::ReachNames;
use super::{FormPage, ListPage, ListRow, all, answered, page_of};
use crate::api::people::roles::list_roles;
use crate::api::people::users::{create_user, list_users};
use crate::portal::address::with_parameter;
use crate::portal::fields::{Choice, Field, FormShown, Kind, Source, body_of, is_answerable, read_answer, request};
use crate::portal::form::Form;
use crate::portal::page::{When, answer};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Viewer};
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::views::{AddedUserView, InvitationView, RoleView, UserView};

pub(super) const ADDRESS: &str = "/admin/users";

/// What is said of whose lines somebody sees.
pub(super) const REACH_HELP: &str = "* for everything of the tenant, or words such as customer:5, site:7 and service_provider:2. \
    A line is seen when its service provider is named, or none is; and its customer or its site is named, or neither kind is.";

/// An invitation, shown this once.
#[derive(Template)]
#[template(path = "admin_invitation.html")]
struct InvitationPage {
    frame: Frame,
    title: String,
    /// Where it is taken up, with the word behind the sign that browsers keep to themselves.
    address: String,
    token: String,
    ends: When,
    /// The page of whoever is invited.
    back: String,
    back_label: String,
}

/// The page that shows an invitation.
pub(super) fn invitation_page(
    viewer: &Viewer,
    invitation: InvitationView,
    (id, name): (i64, String),
) -> Result<Response, ApiProblem> {
    let page = InvitationPage {
        frame: viewer.admin_frame("Invitation", "users")?,
        title: format!("Invitation of {name}"),
        address: format!("/invitation#{}", invitation.token),
        token: invitation.token,
        ends: viewer.when(invitation.ends_at),
        back: format!("{ADDRESS}/{id}"),
        back_label: name,
    };
    Ok(answer(&page))
}

/// The roles of the tenant.
pub(super) async fn roles_of(viewer: &Viewer) -> Result<Vec<RoleView>, ApiProblem> {
    Ok(list_roles(State(viewer.web.clone()), viewer.caller.clone(), all()).await?.0.items)
}

/// The fields that say what somebody may do.
pub(super) fn membership_fields(roles: &[RoleView]) -> Vec<Field> {
    let roles = roles.iter().map(|role| Choice::new(&role.id, role.name.clone())).collect();
    vec![
        Field::new("roles", "Roles", Kind::Ids(roles)),
        Field::new("reach", "Sees the lines of", Kind::Reach("")).with_help(REACH_HELP),
        Field::new("is_active", "Active", Kind::Flag(true)).with_help("Whoever is not active is signed out of this tenant."),
    ]
}

fn new_fields(roles: &[RoleView]) -> Vec<Field> {
    let own = vec![
        Field::new("email", "E-mail address", Kind::Email),
        Field::new("display_name", "Name", Kind::Text)
            .with_help("Where there is an account with this address, the name that its owner has counts once they accept."),
    ];
    own.into_iter().chain(membership_fields(roles)).collect()
}

/// What somebody's roles are called.
pub(super) fn roles_shown(user: &UserView, roles: &[RoleView]) -> String {
    let name = |id: &i64| roles.iter().find(|role| role.id == *id).map_or_else(|| id.to_string(), |role| role.name.clone());
    user.roles.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Whether somebody may act here, in a word.
pub(super) fn state(user: &UserView) -> &'static str {
    match (user.is_active, user.is_pending) {
        (false, _) => "not active",
        (true, true) => "invited",
        (true, false) => "active",
    }
}

/// `GET /admin/users`
pub(in crate::portal) async fn list(viewer: Viewer, uri: Uri) -> Result<Response, PageRefused> {
    let frame = viewer.admin_frame("Users", "users")?;
    let listed = list_users(State(viewer.web.clone()), viewer.caller.clone(), page_of(&uri)).await?.0;
    let roles = roles_of(&viewer).await?;
    let reaches = ReachNames::of(&viewer, listed.items.iter().map(|user| user.reach.as_slice())).await?;
    let row = |user: UserView| ListRow {
        address: format!("{ADDRESS}/{}", user.id),
        cells: vec![user.email.clone(), roles_shown(&user, &roles), reaches.shown(&user.reach), state(&user).to_owned()],
        is_over: !user.is_active,
        name: user.display_name,
    };
    Ok(answer(&ListPage {
        frame,
        title: "Users",
        intro: "The people of this tenant.",
        address: ADDRESS.to_owned(),
        columns: vec!["Name", "E-mail address", "Roles", "Sees", "State"],
        rows: listed.items.into_iter().map(row).collect(),
        next: listed.next.map(|next| with_parameter(ADDRESS, &[], "after", &next)),
        sought: None,
        cut: None,
        new: viewer.may_create().then_some("Add a user"),
    }))
}

/// `GET /admin/users/new`
pub(in crate::portal) async fn ask_new(viewer: Viewer) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Create)?;
    Ok(new_page(&viewer, Source::New, None).await?)
}

async fn new_page(viewer: &Viewer, source: Source<'_>, refused: Option<ApiProblem>) -> Result<Response, ApiProblem> {
    let fields = new_fields(&roles_of(viewer).await?);
    let page = FormPage {
        frame: viewer.admin_frame("Add a user", "users")?,
        title: "Add a user".to_owned(),
        intro: "They may nothing until they take up the invitation that is shown next.".to_owned(),
        facts: Vec::new(),
        form: Some(FormShown::new(ADDRESS, "Add and invite", &fields, source, refused.as_ref())),
        lines: None,
        saved: false,
        back: ADDRESS.to_owned(),
        back_label: "Users",
    };
    Ok(answered(&page, refused))
}

/// `POST /admin/users`
pub(in crate::portal) async fn create(viewer: Viewer, form: Form, parts: Parts) -> Result<Response, PageRefused> {
    let sent = request(parts, &body_of(&new_fields(&[]), &form, true));
    match create_user(State(viewer.web.clone()), viewer.caller.clone(), NoParameters, sent).await {
        Ok(answer) => {
            let (headers, added) = read_answer::<AddedUserView>(answer).await?;
            let page = invitation_page(&viewer, added.invitation, (added.user.id, added.user.display_name))?;
            Ok(created(&headers, page))
        }
        Err(problem) if is_answerable(&problem) => Ok(new_page(&viewer, Source::Typed(&form), Some(problem)).await?),
        Err(problem) => Err(problem.into()),
    }
}

/// A page that shows what was made, this once: with the API's status and address, from which it is written down what that is.
pub(super) fn created(headers: &HeaderMap, page: Response) -> Response {
    let mut response = (StatusCode::CREATED, page).into_response();
    if let Some(location) = headers.get(header::LOCATION) {
        response.headers_mut().insert(header::LOCATION, location.clone());
    }
    response
}
