//! Forms that are not done as they came, although nothing is wrong with what was typed: who sent them is signed out, or signed in otherwise
//! than when the page was made; or there is no turn now. What was typed is kept on the page that says so, in a form to the same address.
//!
//! Nothing is done for a form with a wrong token. The page that is shown instead has the right one where whoever is signed in is who the form
//! was made for, and waits for a deliberate click; other sites can neither send such a form (its origin is looked at) nor show the page in
//! a frame of theirs.

use std::time::Duration;

use askama::Template;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri, header};
use lineshift_domain::ids::{TenantId, UserId};

use super::PAGES;
use super::form::{CSRF_FIELD, Form, fields_of};
use super::page::Bare;
use super::pages::sign_in::own_address;
use super::refused::PageRefused;
use super::viewer::Viewer;
use crate::Web;
use crate::audit::holds_secrets;
use crate::body::read_short;
use crate::problem::ApiProblem;
use crate::sign_in::person::Person;

/// The most bytes of a form that are kept on a page for somebody who is not known by it.
const KEPT: usize = 256 << 10;

/// How long a form of somebody who is not signed in may be on its way: nobody holds connections who is nobody.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many fields, and how many characters of each, are shown to whoever wants to see what was filled in.
const SHOWN: (usize, usize) = (50, 200);

/// Forms that mean the same in every tenant.
const OF_ONESELF: &[&str] = &["/sign-out", "/tenant"];

/// Fields of which people know nothing.
const UNSEEN: &[&str] = &["back", "digest", "key", "seen", "group", "service_provider"];

/// For whom a page was made. It stands behind the token of its forms, to say why a token is wrong; it proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MadeFor {
    tenant: TenantId,
    user: UserId,
}

impl MadeFor {
    const fn of(person: &Person) -> Self {
        Self { tenant: person.tenant(), user: person.signed_in.user }
    }

    fn read(shown: &str) -> Option<Self> {
        let (_, made_for) = shown.split_once('.')?;
        let (tenant, user) = made_for.split_once('.')?;
        Some(Self { tenant: TenantId(tenant.parse().ok()?), user: UserId(user.parse().ok()?) })
    }
}

/// What the forms of a page show: the session's token, and for whom the page is made. Errors: the machine has no randomness to give.
pub(super) fn token_of(person: &Person) -> Result<String, ApiProblem> {
    let MadeFor { tenant, user } = MadeFor::of(person);
    Ok(format!("{}.{tenant}.{user}", person.token.veiled_csrf()?))
}

/// The session's token alone.
pub(super) fn token_alone(shown: &str) -> &str {
    shown.split_once('.').map_or(shown, |(token, _)| token)
}

/// Why a form is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NotKept {
    Secret,
    File,
    TooLong,
    /// It does not say for whom it was made, or no browser says that a page of this server sent it.
    Unknown,
}

impl NotKept {
    const fn words(self) -> &'static str {
        match self {
            Self::Secret => "It held a password or other credentials, which are never shown again: fill it in anew.",
            Self::File => "Files are not kept: send the file again.",
            Self::TooLong => "It is too long to be kept on this page: fill it in anew.",
            Self::Unknown => "Open its page and fill it in anew.",
        }
    }
}

/// A form as it came.
pub(super) struct Sent {
    route: String,
    address: String,
    /// What it showed against forged requests.
    shown: Option<String>,
    fields: Result<Vec<(String, String)>, NotKept>,
}

impl Sent {
    /// A form that was taken apart, and how long it was.
    pub(super) fn new(parts: &Parts, route: &str, shown: Option<String>, fields: Vec<(String, String)>, bytes: usize) -> Self {
        let not_kept = if holds_secrets(route) {
            Some(NotKept::Secret)
        } else if !is_plain(parts) {
            Some(NotKept::File)
        } else if bytes > KEPT {
            Some(NotKept::TooLong)
        } else if parts.headers.contains_key(header::ORIGIN) && shown.as_deref().and_then(MadeFor::read).is_some() {
            None
        } else {
            Some(NotKept::Unknown)
        };
        let filled = fields.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
        let address = address_of(&parts.uri);
        Self { route: route.to_owned(), address, shown, fields: not_kept.map_or(Ok(filled), Err) }
    }

    /// The form of somebody who is not signed in, of at most so many bytes; of a longer one than is kept the rest is passed over.
    pub(super) async fn by_nobody(parts: &Parts, route: &str, body: Body, most: usize) -> Self {
        let body = read_short(body, KEPT, most, PATIENCE).await;
        Self::of_body(parts, route, body.as_deref())
    }

    /// A form that was read; none: it was too long for that.
    pub(super) fn of_body(parts: &Parts, route: &str, body: Option<&[u8]>) -> Self {
        let Some(mut fields) = body.filter(|_| is_plain(parts)).and_then(|body| fields_of(body).ok()) else {
            return Self::new(parts, route, None, Vec::new(), KEPT + 1);
        };
        let shown = fields.extract_if(.., |(name, _)| name == CSRF_FIELD).next().map(|(_, value)| value);
        Self::new(parts, route, shown, fields, body.map_or(0, <[u8]>::len))
    }
}

/// Whether a form holds no file.
fn is_plain(parts: &Parts) -> bool {
    parts.headers.get(header::CONTENT_TYPE).is_none_or(|kind| !kind.as_bytes().starts_with(b"multipart/"))
}

fn address_of(uri: &Uri) -> String {
    uri.path_and_query().map_or("/", |address| address.as_str()).to_owned()
}

/// The page on which a form stands that is sent to an address.
pub(super) fn page_of(route: &str, path: &str) -> String {
    let is_page = |route: &str| PAGES.iter().any(|row| row.method == "get" && row.path == route);
    let (mut route, mut path) = match route {
        "/tenant" | "/invitations" | "/invitations/{id}/decline" => return "/tenants".to_owned(),
        "/{portal}/selection/columns" => return own_address(&path.replace("/columns", "/upload")).to_owned(),
        _ => (route, path.split('?').next().unwrap_or(path)),
    };
    if is_page(&format!("{route}/new")) {
        return own_address(&format!("{path}/new")).to_owned();
    }
    while !is_page(route) {
        let up = |address: &'_ str| address.rfind('/').unwrap_or(0);
        (route, path) = (&route[..up(route)], &path[..up(path)]);
        if route.is_empty() || path.is_empty() {
            return "/".to_owned();
        }
    }
    own_address(path).to_owned()
}

/// A page that keeps a form, to be sent again.
#[derive(Template)]
#[template(path = "send_again.html")]
pub(super) struct SendAgain {
    bare: Bare,
    says: String,
    /// What is to be done in a new tab before, and what it is called.
    first: Option<(&'static str, &'static str)>,
    address: String,
    /// What the form shows; it is the right token only where it may be sent.
    token: String,
    /// What is kept of it, or why nothing is.
    fields: Result<Vec<(String, String)>, NotKept>,
    /// Where it is filled in anew.
    page: String,
}

impl SendAgain {
    fn new(sent: Sent, title: &str, says: String) -> Self {
        let page = page_of(&sent.route, &sent.address);
        let Sent { address, shown, fields, .. } = sent;
        Self { bare: Bare::titled(title), says, first: None, address, token: shown.unwrap_or_default(), fields, page }
    }

    /// What was filled in, for people; nothing: there is nothing to see.
    fn filled(&self) -> Vec<(&str, String)> {
        let (fields, characters) = SHOWN;
        let seen = self.fields.iter().flatten().filter(|(name, _)| !UNSEEN.contains(&&**name)).take(fields);
        let cut = |text: &str| match text.char_indices().nth(characters) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        };
        seen.map(|(name, value)| (&**name, cut(value))).collect()
    }

    /// Why it is not kept.
    fn lost(&self) -> Option<&'static str> {
        self.fields.as_ref().err().map(|why| why.words())
    }
}

/// The answer to whom nobody knows any more.
pub(super) fn signed_out(sent: Sent, problem: ApiProblem) -> PageRefused {
    // Whoever wants to leave is gone already.
    if sent.route == "/sign-out" {
        return PageRefused::SignIn("/".to_owned());
    }
    let says = "You are not signed in any more, so nothing was done.".to_owned();
    let mut page = SendAgain::new(sent, "You were signed out", says);
    page.first = Some(("/sign-in", "Sign in in a new tab"));
    PageRefused::Again(Box::new(page), problem)
}

/// The answer to a form whose token is not that of the session.
pub(super) async fn signed_in_otherwise(web: &Web, person: &Person, sent: Sent, problem: ApiProblem) -> PageRefused {
    let now = MadeFor::of(person);
    let made_for = sent.shown.as_deref().and_then(MadeFor::read);
    let page = match made_for {
        None => SendAgain::new(
            sent,
            "This form is out of date",
            "It does not show that it was made for you, as you are signed in now. Nothing was done.".to_owned(),
        ),
        Some(made_for) if made_for.user != now.user => {
            let says = format!(
                "You are signed in as {} now, and this form was filled in by somebody else. Nothing was done.",
                person.signed_in.email
            );
            SendAgain::new(Sent { fields: Err(NotKept::Unknown), ..sent }, "Somebody else is signed in", says)
        }
        Some(made_for) if made_for == now || OF_ONESELF.contains(&&*sent.route) => {
            let says = "You have signed in anew since this form was opened. Nothing was done yet: if you mean it, send it again.";
            let token = match token_of(person) {
                Ok(token) => token,
                Err(problem) => return problem.into(),
            };
            SendAgain { token, ..SendAgain::new(sent, "You signed in anew", says.to_owned()) }
        }
        Some(_) => {
            let tenant = match web.engine.store().get_tenant(now.tenant).await {
                Ok(tenant) => tenant.name,
                Err(error) => return error.into(),
            };
            let says = format!("You work in {tenant} now, and this form was filled in in another tenant. Nothing was done.");
            let page = SendAgain::new(sent, "You are in another tenant", says);
            SendAgain { first: Some(("/tenants", "Go back to that tenant in a new tab")), ..page }
        }
    };
    PageRefused::Again(Box::new(page), problem)
}

/// The answer where there is no turn now: the form as it came, to be sent again later.
pub(super) fn later(viewer: &Viewer, (route, uri): (&str, &Uri), form: &Form, problem: ApiProblem) -> PageRefused {
    if problem.status() != StatusCode::TOO_MANY_REQUESTS {
        return problem.into();
    }
    let token = match token_of(&viewer.person) {
        Ok(token) => token,
        Err(problem) => return problem.into(),
    };
    let fields = Ok(form.pairs().to_vec());
    let sent = Sent { route: route.to_owned(), address: address_of(uri), shown: Some(token), fields };
    PageRefused::Again(Box::new(SendAgain::new(sent, "Too much at once", problem.detail())), problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_leads_back_to_the_page_on_which_it_stands() {
        for (route, path, page) in [
            ("/{portal}/order/{act}", "/m2m/order/assign?x", "/m2m/order/assign"),
            ("/{portal}/order/{act}/confirm", "/m2m/order/assign/confirm", "/m2m/order/assign"),
            ("/{portal}/selection/paste", "/lnp/selection/paste", "/lnp/selection/paste"),
            ("/{portal}/selection/columns", "/lnp/selection/columns", "/lnp/selection/upload"),
            ("/{portal}/plan-queue/{id}/move", "/m2m/plan-queue/7/move", "/m2m/plan-queue"),
            ("/admin/users", "/admin/users", "/admin/users/new"),
            ("/admin/users/{id}/remove", "/admin/users/3/remove", "/admin/users/3"),
            ("/admin/integrations/{id}/account", "/admin/integrations/3/account", "/admin/integrations/3"),
            ("/account/one-time-password/confirm", "/account/one-time-password/confirm", "/account"),
            ("/invitations", "/invitations", "/tenants"),
            ("/sign-out", "/sign-out", "/"),
        ] {
            assert_eq!(page_of(route, path), page, "{route}");
        }
    }

    #[test]
    fn a_token_says_for_whom_its_page_was_made() {
        let made_for = MadeFor { tenant: TenantId(3), user: UserId(7) };
        assert_eq!((MadeFor::read("abc.3.7"), token_alone("abc.3.7")), (Some(made_for), "abc"));
        for other in ["", "abc", "abc.3", "abc.x.7", "abc.3.7.9"] {
            assert_eq!(MadeFor::read(other), None, "{other}");
        }
    }
}
