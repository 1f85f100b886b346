//! `GET /api/v1/session/openid/callback`: the way back from the provider.

use axum::extract::{Query, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use lineshift_domain::refusal::{Problem, Refusal, RefusalClass};

use super::super::sign_in::{NotIn, refused, replace};
use super::super::{Origin, pending_audit};
use super::{Known, not_let_in, page, provider};
use crate::Web;
use crate::api::carried_through;
use crate::api::people::users::read_email;
use crate::audit::PendingAudit;
use crate::portal::encoded;
use crate::problem::ApiProblem;
use crate::sign_in::cookie::{self, Cookie};
use crate::sign_in::openid::flow::{Flow, Recognised};
use crate::sign_in::openid::{OpenId, Unrecognised, shown};
use crate::sign_in::token::SessionToken;

/// The page that asks for a one-time password.
const ONE_TIME_PASSWORD_PAGE: &str = "/sign-in/one-time-password";

/// The longest parameter that is looked at, in bytes: codes of some providers have thousands.
const LONGEST_PARAMETER: usize = 8_192;

/// Comes back from the OpenID provider
///
/// For browsers that it sends here. Signs in whom it vouches for, and leads to where the sign-in was begun for; a session that the browser
/// had before is over. Of an account with an authenticator a one-time password is still asked for, by a page that this leads
/// to before.
#[utoipa::path(get, path = "/api/v1/session/openid/callback", tag = crate::api::tag::SESSIONS, security(),
    params(
        ("code" = Option<String>, Query, description = "The provider's answer"),
        ("state" = Option<String>, Query, description = "Of the request that it answers"),
        ("iss" = Option<String>, Query, description = "Who answers"),
        ("error" = Option<String>, Query, description = "Why it does not let somebody in"),
    ),
    responses(
        (status = 303, description = "Signed in, or a one-time password is needed; the cookie is set",
            headers(("Location" = String, description = "A path of this server"))),
        (status = 400, description = "This browser began no such sign-in, or too long ago", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 401, description = "`provider_refused`, or `sign_in_refused`", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 404, description = "There is no provider", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 503, description = "The provider cannot be reached", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn finish_openid_sign_in(State(web): State<Web>, request: Request) -> Response {
    let as_page = page::is_wanted(request.headers());
    // Without its body, which nobody reads.
    match finish(web, request.map(drop), as_page).await {
        Ok(response) => response,
        Err(problem) => page::answer(problem, as_page),
    }
}

/// What the provider has the browser bring.
struct Brought {
    state: String,
    code: Result<String, String>,
    issuer: Option<String>,
}

impl Brought {
    /// Reads the query. Providers add words of their own, which are passed over; of ours each comes once. None: it is no answer.
    fn read(uri: &Uri) -> Option<Self> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
        let find = |name: &str| {
            let mut found = pairs.iter().filter(|(given, _)| given == name).map(|(_, value)| value);
            let (first, second) = (found.next(), found.next());
            let is_read = second.is_none() && first.is_none_or(|value| value.len() <= LONGEST_PARAMETER);
            is_read.then(|| first.cloned())
        };
        let (state, code, error, issuer) = (find("state")??, find("code")?, find("error")?, find("iss")?);
        let code = match (code, error) {
            (_, Some(error)) => Err(error),
            (Some(code), None) => Ok(code),
            (None, None) => return None,
        };
        Some(Self { state, code, issuer })
    }
}

/// Where a browser goes, with what it keeps.
struct Onwards {
    to: String,
    cookie: (HeaderName, HeaderValue),
}

async fn finish(web: Web, request: axum::http::Request<()>, as_page: bool) -> Result<Response, ApiProblem> {
    let openid = provider(&web)?;
    if request.method() != Method::GET {
        return Err(ApiProblem::new(StatusCode::METHOD_NOT_ALLOWED, "this address is for browsers that a provider sends here"));
    }
    let (origin, now) = (Origin::of(&request), web.engine.clock().now());
    let (headers, secure) = (request.headers(), origin.client.secure);
    let before = cookie::shown(headers, secure);
    let pending = pending_audit(&request)?;
    let brought = Brought::read(request.uri()).ok_or_else(not_begun)?;
    let flow = Flow::kept(&*web.seal, headers, now, secure).filter(|flow| flow.is_state(&brought.state)).ok_or_else(not_begun)?;
    let entering = async move { enter(&web, &openid, (&flow, brought), (&origin, before), &pending, now).await };
    // To its end even when the client goes away: the code is used up by now.
    let mut response = match carried_through(entering).await {
        Ok(Onwards { to, cookie }) => {
            let location = HeaderValue::try_from(to).map_err(|_| ApiProblem::internal())?;
            (StatusCode::SEE_OTHER, [cookie, (header::LOCATION, location)]).into_response()
        }
        Err(problem) => page::answer(problem, as_page),
    };
    // It was for one answer.
    let (name, value) = Cookie::SIGN_IN_BEGUN.clear(secure);
    response.headers_mut().append(name, value);
    Ok(response)
}

async fn enter(
    web: &Web,
    openid: &OpenId,
    (flow, brought): (&Flow, Brought),
    (origin, before): (&Origin, Option<SessionToken>),
    pending: &PendingAudit,
    now: DateTime<Utc>,
) -> Result<Onwards, ApiProblem> {
    let code = brought.code.map_err(|word| refused_by_provider(&word))?;
    let recognised = recognise(web, openid, flow, &code, brought.issuer.as_deref(), now).await;
    let (known, subject, is_first) = recognised.map_err(|not_in| match not_in {
        NotIn::Failed(problem) => problem,
        NotIn::Refused | NotIn::OneTimePasswordNeeded => not_let_in(),
    })?;
    let secure = origin.client.secure;
    if known.user.totp_secret.is_some() {
        let recognised = Recognised { user: known.user.id, subject, is_first };
        let cookie = recognised.keep(&*web.seal, now, secure).map_err(|why| {
            tracing::error!(why, "a sign-in at the OpenID provider cannot be kept");
            ApiProblem::internal()
        })?;
        return Ok(Onwards { to: format!("{ONE_TIME_PASSWORD_PAGE}?next={}", encoded(&flow.return_to)), cookie });
    }
    known.write_down(web, pending, (openid, &subject, is_first)).await?;
    let (tenant, member) = (known.tenant, known.member);
    let begun = replace(web, before, (tenant, member), origin, now).await?;
    tracing::info!(%tenant, principal = %member, "signed in at the OpenID provider");
    metrics::counter!(crate::measures::SIGN_INS, "result" => "signed_in").increment(1);
    Ok(Onwards { to: flow.return_to.clone(), cookie: cookie::set(&begun.person.token, secure) })
}

/// Who it is, what the provider calls them, and whether they come by it for the first time. Whom nobody has added here is nobody,
/// whatever a provider says of them; and an address counts only the first time, and only verified: whoever has it later is not them.
async fn recognise(
    web: &Web,
    openid: &OpenId,
    flow: &Flow,
    code: &str,
    issuer: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(Known, String, bool), NotIn> {
    let vouched = openid.recognise(flow, code, issuer, now).await.map_err(|error| unrecognised(&error))?;
    let store = web.engine.store();
    if let Some(user) = store.find_user_by_identity(openid.issuer(), &vouched.subject).await? {
        return Ok((Known::of(web, user).await?, vouched.subject, false));
    }
    let told = openid.verified_email(&vouched, now).await.map_err(|error| unrecognised(&error))?;
    let email = told.as_deref().and_then(read_email).ok_or(NotIn::Refused)?;
    let user = store.find_user_by_email(&email).await?.ok_or(NotIn::Refused)?;
    Ok((Known::of(web, user).await?, vouched.subject, true))
}

/// The state is not that of this browser's request: somebody else's answer, or one that came too late.
fn not_begun() -> ApiProblem {
    let message = "this browser did not begin this sign-in, or did so more than ten minutes ago; begin again";
    Refusal::one(RefusalClass::Unreadable, "", "sign_in_not_begun", message).into()
}

fn refused_by_provider(word: &str) -> ApiProblem {
    metrics::counter!(crate::measures::SIGN_INS, "result" => "refused").increment(1);
    tracing::info!(error = shown(word), "the OpenID provider lets somebody not in");
    refused("provider_refused", "the provider did not let you in, or you did not agree; begin again")
}

/// What is told of a provider that vouches for nobody; the log says more.
pub(super) fn unrecognised(error: &Unrecognised) -> ApiProblem {
    match error {
        Unrecognised::Unavailable(_) | Unrecognised::Misconfigured(_) => {
            tracing::error!(%error, "nobody can sign in at the OpenID provider");
            let message = "signing in at the provider does not work now; try again, or sign in with a password";
            let problem = Problem::new("", "provider_unavailable", message);
            ApiProblem::with_problem(StatusCode::SERVICE_UNAVAILABLE, problem).retry_after(5)
        }
        Unrecognised::CodeRefused(_) | Unrecognised::WrongToken(_) => {
            tracing::warn!(%error, "a sign-in at the OpenID provider was refused");
            not_let_in()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Option<(String, Result<String, String>, Option<String>)> {
        let uri = format!("/callback?{query}").parse().expect("an address");
        Brought::read(&uri).map(|brought| (brought.state, brought.code, brought.issuer))
    }

    #[test]
    fn each_word_comes_once() {
        let text = str::to_owned;
        assert_eq!(read("code=c&state=s"), Some((text("s"), Ok(text("c")), None)));
        assert_eq!(read("code=c&state=s&iss=i&session_state=x&scope=a+b"), Some((text("s"), Ok(text("c")), Some(text("i")))));
        assert_eq!(read("error=access_denied&state=s"), Some((text("s"), Err(text("access_denied")), None)));
        assert_eq!(read("error=e&code=c&state=s"), Some((text("s"), Err(text("e")), None)));
        for nothing in ["", "code=c", "state=s", "code=c&state=s&state=s", "code=c&code=d&state=s", "code=c&state=s&iss=a&iss=b"]
        {
            assert_eq!(read(nothing), None, "{nothing}");
        }
        assert_eq!(read(&format!("code={}&state=s", "x".repeat(8_193))), None);
    }
}
