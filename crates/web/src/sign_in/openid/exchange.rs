//! The code for an ID token, at the provider; and the address of somebody of whom the token does not tell it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::documents::Metadata;
use super::fetch::{Fetcher, read_json};
use super::flow::Flow;
use super::id_token::WrongToken;
use super::{OpenIdSettings, Unrecognised};

/// What the provider gives for a code.
pub(super) struct Exchanged {
    pub(super) id_token: String,
    pub(super) access_token: Option<SecretString>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
    access_token: Option<String>,
    token_type: Option<String>,
}

#[derive(Deserialize)]
struct TokenError {
    error: String,
}

#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    email: Option<String>,
    email_verified: Option<Value>,
}

/// Gives the code, with what proves that this browser asked for it.
pub(super) async fn exchange(
    settings: &OpenIdSettings,
    fetcher: &Fetcher,
    metadata: &Metadata,
    code: &str,
    flow: &Flow,
) -> Result<Exchanged, Unrecognised> {
    let authorization = (!metadata.takes_secret_in_form).then(|| basic(settings));
    let form = form_of(settings, metadata, code, flow);
    let url = &metadata.token_endpoint;
    let answer = fetcher.post(url, authorization, form).await?;
    if [400, 401, 403].contains(&answer.status)
        && let Ok(TokenError { error }) = serde_json::from_slice(&answer.body)
    {
        return Err(match error.as_str() {
            "invalid_grant" => Unrecognised::CodeRefused(shown(&error)),
            _ => Unrecognised::Misconfigured(shown(&error)),
        });
    }
    let given: TokenAnswer = read_json(url, &answer)?;
    let is_bearer = given.token_type.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    Ok(Exchanged { id_token: given.id_token, access_token: given.access_token.filter(|_| is_bearer).map(SecretString::from) })
}

fn form_of(settings: &OpenIdSettings, metadata: &Metadata, code: &str, flow: &Flow) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", &settings.redirect_uri())
        .append_pair("code_verifier", flow.verifier.text());
    if metadata.takes_secret_in_form {
        form.append_pair("client_id", &settings.client_id);
        form.append_pair("client_secret", settings.client_secret.expose_secret());
    }
    form.finish()
}

/// The address of the token's subject, where the provider tells it and has verified it.
pub(super) async fn verified_email(
    fetcher: &Fetcher,
    metadata: &Metadata,
    token: &SecretString,
    subject: &str,
) -> Result<Option<String>, Unrecognised> {
    let Some(url) = &metadata.userinfo_endpoint else { return Ok(None) };
    let found: UserInfo = read_json(url, &fetcher.get(url, Some(token)).await?)?;
    // Somebody else's answer may have been put in its place (section 5.3.2 of the specification).
    if found.sub != subject {
        return Err(Unrecognised::WrongToken(WrongToken::Subject));
    }
    Ok(found.email.filter(|_| found.email_verified == Some(Value::Bool(true))))
}

/// Id and secret in the header (RFC 6749, section 2.3.1): each as a form writes it.
fn basic(settings: &OpenIdSettings) -> SecretString {
    let written = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", written(&settings.client_id), written(settings.client_secret.expose_secret()));
    SecretString::from(format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

/// A word of the provider's, for the log.
pub(crate) fn shown(word: &str) -> String {
    word.chars().take(100).map(|letter| if letter.is_ascii_graphic() { letter } else { '?' }).collect()
}
