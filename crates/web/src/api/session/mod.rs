//! Signing in and out, and what people do about their own account.

pub(crate) mod invitation;
pub(crate) mod joining;
pub(crate) mod list;
pub(crate) mod one_time_password;
pub(crate) mod openid;
pub(crate) mod password;
pub(crate) mod sign_in;
pub(crate) mod this;

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{PrincipalId, TenantId, UserId};
use lineshift_domain::refusal::Problem;
use lineshift_store::StoreError;
use lineshift_store::people::{Member, NewSession, User};
use secrecy::SecretString;

use crate::Web;
use crate::audit::PendingAudit;
use crate::client_address::ClientAddress;
use crate::fields::Fields;
use crate::problem::ApiProblem;
use crate::sign_in::cookie;
use crate::sign_in::guesses::Attempt;
use crate::sign_in::person::Person;
use crate::sign_in::token::SessionToken;
use crate::views::{PersonView, SessionView, TenantView};

/// The longest password that is looked at: longer ones are nobody's.
pub(crate) const LONGEST_PASSWORD_BYTES: usize = 1_000;

/// How much is kept of what a browser says about itself.
const AGENT_CHARACTERS: usize = 200;

/// From where somebody signs in.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    client: ClientAddress,
    agent: String,
}

impl Origin {
    fn of<B>(request: &Request<B>) -> Self {
        Self::of_headers(request.headers(), ClientAddress::of(request.extensions()))
    }

    pub(crate) fn of_headers(headers: &HeaderMap, client: ClientAddress) -> Self {
        Self { client, agent: agent(headers) }
    }
}

/// The entry of a request that says itself who asks.
fn pending_audit<B>(request: &Request<B>) -> Result<PendingAudit, ApiProblem> {
    request.extensions().get::<PendingAudit>().cloned().ok_or_else(ApiProblem::internal)
}

fn agent(headers: &HeaderMap) -> String {
    let said = headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned());
    said.unwrap_or_default().chars().filter(|c| !c.is_control()).take(AGENT_CHARACTERS).collect()
}

/// A session that has just begun: told together with its cookie.
pub(crate) struct Begun {
    person: Person,
    view: SessionView,
    secure: bool,
}

impl Begun {
    fn into_response(self) -> Response {
        (StatusCode::OK, [self.cookie()], Json(self.view)).into_response()
    }

    /// The header that gives a browser the session.
    pub(crate) fn cookie(&self) -> (HeaderName, HeaderValue) {
        cookie::set(&self.person.token, self.secure)
    }
}

/// Begins a session of a member, with a token that nobody had before. `at` is when it was decided that they may: whatever ended
/// their sessions since ends this one, too.
async fn begin(
    web: &Web,
    tenant: TenantId,
    member: PrincipalId,
    origin: &Origin,
    at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
) -> Result<Begun, ApiProblem> {
    let token = SessionToken::new(tenant)?;
    let session = NewSession {
        token_hash: token.hash(),
        member,
        ends_at,
        address: origin.client.ip.to_canonical().to_string(),
        agent: origin.agent.clone(),
    };
    let store = web.engine.store();
    store.begin_session(tenant, &session, at).await?;
    let signed_in = store.find_signed_in(tenant, &token.hash()).await?.ok_or_else(ApiProblem::unauthorized)?;
    let person = Person { signed_in, token };
    let view = view_of(web, &person).await?;
    Ok(Begun { person, view, secure: origin.client.secure })
}

/// A session as its owner sees it.
pub(crate) async fn view_of(web: &Web, person: &Person) -> Result<SessionView, ApiProblem> {
    let store = web.engine.store();
    let signed_in = &person.signed_in;
    let mut tenants = Vec::new();
    for (tenant, _) in memberships(web, signed_in.user).await? {
        tenants.push(TenantView::from(store.get_tenant(tenant).await?));
    }
    tenants.sort_by_key(|tenant| tenant.id);
    let this = tenants.iter().find(|tenant| tenant.id == person.tenant().0).cloned().ok_or_else(ApiProblem::unauthorized)?;
    Ok(SessionView {
        person: person_view(person),
        tenant: this,
        tenants,
        csrf_token: person.token.csrf(),
        ends_at: signed_in.session.ends_at,
        idle_seconds: web.sign_in.settings.idle.num_seconds(),
    })
}

/// Who is signed in, as it is told.
pub(crate) fn person_view(person: &Person) -> PersonView {
    let signed_in = &person.signed_in;
    PersonView {
        id: signed_in.session.member.0,
        email: signed_in.email.clone(),
        display_name: signed_in.display_name.clone(),
        scopes: signed_in.rights.scopes.to_string().split_whitespace().map(str::to_owned).collect(),
        reach: signed_in.rights.reach.to_string(),
    }
}

/// Where a user may work, first where they did last. Where they are only invited they may not: else whoever adds somebody had a say
/// in where they work.
async fn memberships(web: &Web, user: UserId) -> Result<Vec<(TenantId, Member)>, StoreError> {
    let store = web.engine.store();
    let mut found = Vec::new();
    for tenant in store.list_tenants_of(user).await? {
        let member = store.find_member_of(tenant, user).await?;
        found.extend(member.filter(|member| member.is_active && !member.is_pending).map(|member| (tenant, member)));
    }
    Ok(found)
}

/// Reads a password that is compared, not set.
fn read_password(fields: &mut Fields, name: &'static str) -> Option<SecretString> {
    let text = fields.secret(name)?;
    if text.len() > LONGEST_PASSWORD_BYTES {
        let message = format!("longer than {LONGEST_PASSWORD_BYTES} bytes; give the password");
        fields.report(name, lineshift_domain::reading::codes::OUT_OF_RANGE, message);
        return None;
    }
    Some(SecretString::from(text))
}

/// Lets somebody who is signed in go on only with their password: whoever found a browser open has none. A wrong one counts like one
/// at signing in. Errors: 422, 429.
async fn require_password(web: &Web, person: &Person, password: SecretString, client: ClientAddress) -> Result<User, ApiProblem> {
    let (user, attempt) = try_password(web, person, password, client).await?;
    attempt.succeeded(web).await?;
    Ok(user)
}

/// The same, and with what their authenticator shows, if they have one: it counts as used. A wrong one counts, too. Errors: 422, 429.
async fn require_both_passwords(
    web: &Web,
    person: &Person,
    (password, one_time_password): (SecretString, String),
    client: ClientAddress,
) -> Result<User, ApiProblem> {
    let (user, attempt) = try_password(web, person, password, client).await?;
    match sign_in::check_one_time_password(web, &user, Some(&one_time_password), web.engine.clock().now()).await {
        Ok(()) => {
            attempt.succeeded(web).await?;
            Ok(user)
        }
        Err(sign_in::NotIn::Failed(problem)) => Err(problem),
        Err(sign_in::NotIn::Refused | sign_in::NotIn::OneTimePasswordNeeded) => {
            attempt.failed(web).await?;
            let message = "this is not what the authenticator shows now, or it was used already; wait for the next one";
            Err(ApiProblem::refused(vec![Problem::new("one_time_password", "wrong_one_time_password", message)]))
        }
    }
}

/// Whoever gave the right password, and the attempt that is still to be ended.
async fn try_password(
    web: &Web,
    person: &Person,
    password: SecretString,
    client: ClientAddress,
) -> Result<(User, Attempt), ApiProblem> {
    let attempt = Attempt::begin(web, &person.signed_in.email, client.ip, web.engine.clock().now()).await?;
    let user = web.engine.store().get_user(person.signed_in.user).await?;
    if web.sign_in.passwords.check(password, user.password_hash.clone()).await? {
        return Ok((user, attempt));
    }
    attempt.failed(web).await?;
    Err(ApiProblem::refused(vec![Problem::new("password", "wrong_password", "this is not your password; give the present one")]))
}

/// Ends all sessions of a user, in every tenant. Those that began before their password was changed are over by that; the clock of another
/// server may be a little ahead.
async fn end_all_sessions(web: &Web, user: UserId) -> Result<(), StoreError> {
    let store = web.engine.store();
    for tenant in store.list_tenants_of(user).await? {
        if let Some(member) = store.find_member_of(tenant, user).await? {
            store.end_sessions_of(tenant, member.id, None).await?;
        }
    }
    Ok(())
}
