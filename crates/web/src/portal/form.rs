//! Forms: who sends one and whether a page of ours made them is looked at before anything of it counts.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::multipart::{self, Parts, SentFile};
use super::reading::beside;
use super::refused::{PageRefused, leading_back};
use super::send_again::{self, Sent, token_alone};
use crate::Web;
use crate::auth::{Authenticated, By};
use crate::body::read_body;
use crate::client_address::ClientAddress;
use crate::problem::ApiProblem;
use crate::query::Parameters;
use crate::sign_in::csrf;
use crate::sign_in::person::Person;
use crate::standing::Standing;
use crate::turns::Turn;

/// The field that shows the session's token.
pub(super) const CSRF_FIELD: &str = "csrf_token";

/// The most bytes of a form.
const FORM_BYTES: usize = 1 << 20;

/// The most fields of a form: more than the ticks of any page.
const MOST_FIELDS: usize = 6_000;

/// The most bytes of a file.
pub(super) const FILE_BYTES: usize = 20 << 20;

/// Forms that may be longer, and how long: a million identifiers are about 24 MB.
const LONGER: &[(&str, usize)] = &[
    ("/{portal}/selection/paste", 32 << 20),
    (WITH_FILE, FILE_BYTES + FORM_BYTES),
    // What a file held, packed and written for an address.
    ("/{portal}/selection/columns", 40 << 20),
];

/// The form that sends a file.
const WITH_FILE: &str = "/{portal}/selection/upload";

/// Forms of those who are not signed in.
const OPEN: &[&str] = &["/sign-in", "/sign-in/one-time-password", "/invitation"];

/// What was sent with a form, in its order; fields that were left empty are left out, as people mean it.
#[derive(Clone, Default)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
    files: Vec<SentFile>,
    /// A long form has its turn for as long as somebody holds it, or what was made of it.
    turn: Option<Arc<Turn>>,
}

impl Form {
    /// A field's text, where it was given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// What was given for a field that may be given several times.
    pub(super) fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.fields.iter().filter(move |(given, _)| given == name).map(|(_, value)| &**value)
    }

    /// The file that was chosen in a field.
    pub(super) fn file(&self, field: &str) -> Option<SentFile> {
        self.files.iter().find(|file| file.field == field).cloned()
    }

    /// The turn of a long form, for work that goes on with what stood in it.
    pub(super) fn turn(&self) -> Option<Arc<Turn>> {
        self.turn.clone()
    }

    /// The other fields alone.
    pub(super) fn without(mut self, names: &[&str]) -> Self {
        self.fields.retain(|(name, _)| !names.contains(&&**name));
        self
    }

    /// A form with those fields.
    #[cfg(test)]
    pub(super) fn of_pairs(fields: Vec<(String, String)>) -> Self {
        Self { fields, ..Self::default() }
    }

    /// Every field that was filled in.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.fields
    }

    /// The fields as a request's parameters: each is read once, and what is wrong is found at once.
    pub(super) fn parameters(self) -> Parameters {
        Parameters::of_pairs(self.fields)
    }
}

impl FromRequestParts<Web> for Form {
    type Rejection = PageRefused;

    async fn from_request_parts(parts: &mut request::Parts, _: &Web) -> Result<Self, PageRefused> {
        Ok(parts.extensions.get::<Self>().cloned().ok_or_else(ApiProblem::internal)?)
    }
}

/// Reads a form before its handler runs, and before it is written down who asks: the token stands in it.
pub(super) async fn read(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let path = request.uri().path().to_owned();
    match take(&web, &mut request).await {
        Ok(()) => leading_back(next.run(request).await, &route, &path),
        Err(refused) => refused.into_response(),
    }
}

async fn take(web: &Web, request: &mut Request) -> Result<(), PageRefused> {
    let (mut parts, body) = std::mem::take(request).into_parts();
    let secure = ClientAddress::of(&parts.extensions).secure;
    csrf::check_origin(&parts.headers, secure)?;
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let most = LONGER.iter().find(|(longer, _)| *longer == path).map_or(FORM_BYTES, |(_, most)| *most);
    let person = if OPEN.contains(&&*path) {
        None
    } else {
        match Person::of_cookie(&parts, web).await {
            Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => {
                return Err(send_again::signed_out(Sent::by_nobody(&parts, &path, body, most).await, problem));
            }
            found => Some(found?),
        }
    };
    let found = person.clone().map(|person| Authenticated { caller: person.caller(), by: By::Person(Box::new(person)) });
    let standing = found.as_ref().map(|found| Standing::now(web, found));
    let boundary = require_form(&parts.headers, path == WITH_FILE)?;
    let turn = match &found {
        Some(found) if most > FORM_BYTES => web.large_bodies.turn(found.caller.tenant, &parts.headers).await?.map(Arc::new),
        _ => None,
    };
    let body = read_body(&parts.headers, body, most).await?;
    // The body is gone before the audit log has it in hand.
    if let Some(standing) = standing
        && let Err(problem) = standing.still_holds().await
    {
        return Err(match problem.status() {
            StatusCode::UNAUTHORIZED => send_again::signed_out(Sent::of_body(&parts, &path, Some(&body)), problem),
            _ => problem.into(),
        });
    }
    let bytes = body.len();
    let Parts { mut fields, files } = match turn.clone() {
        None => taken_apart(boundary.as_deref(), &body)?,
        // A long one is taken apart beside the threads that serve others.
        turn => beside(turn, move || taken_apart(boundary.as_deref(), &body)).await??,
    };
    let shown = fields.extract_if(.., |(name, _)| name == CSRF_FIELD).next().map(|(_, value)| value);
    if let Some((person, found)) = person.zip(found) {
        if let Err(problem) = csrf::check_token(shown.as_deref().map(token_alone), &person.token) {
            let sent = Sent::new(&parts, &path, shown, fields, bytes);
            return Err(send_again::signed_in_otherwise(web, &person, sent, problem).await);
        }
        parts.extensions.insert(found);
    }
    fields.retain(|(_, value)| !value.trim().is_empty());
    parts.extensions.insert(Form { fields, files, turn });
    *request = Request::from_parts(parts, axum::body::Body::empty());
    Ok(())
}

fn taken_apart(boundary: Option<&str>, body: &[u8]) -> Result<Parts, ApiProblem> {
    match boundary {
        Some(boundary) => multipart::read(boundary, body),
        None => Ok(Parts { fields: fields_of(body)?, files: Vec::new() }),
    }
}

/// Refuses what no form of ours sends: other sites can make browsers send plain texts. Answers the boundary of a form with a file, where one
/// may be sent. Errors: 415.
fn require_form(headers: &HeaderMap, may_hold_file: bool) -> Result<Option<String>, ApiProblem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(None);
    }
    if let Some(boundary) = multipart::boundary_of(kind).filter(|_| may_hold_file) {
        return Ok(Some(boundary));
    }
    Err(ApiProblem::unsupported_type(format!("the content type is {kind:?}; send the form as a browser does")))
}

/// The fields of a form. Errors: 413 where there are more than any page sends.
pub(super) fn fields_of(body: &[u8]) -> Result<Vec<(String, String)>, ApiProblem> {
    let fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().take(MOST_FIELDS + 1).collect();
    if fields.len() > MOST_FIELDS {
        let text = format!("the form has more than {MOST_FIELDS} fields; send fewer at once");
        return Err(ApiProblem::new(StatusCode::PAYLOAD_TOO_LARGE, text));
    }
    Ok(fields)
}
