//! The OpenID provider as the configuration names it, and the ways to call it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use lineshift_connectors::http::{Destinations, HttpsTransport};
use lineshift_web::OpenId;
use lineshift_web::accounts::NO_KEY;
use secrecy::{ExposeSecret as _, SecretString};

use crate::cli::Context;
use crate::config::environment::OPENID_CLIENT_SECRET;
use crate::exit::WrongCall;
use crate::vault;
use crate::vault::key_file::refuse_if_others_may_read;

/// More than any secret: whoever names another file gets no megabytes read.
const MOST_SECRET_BYTES: u64 = 4_096;

/// The largest answer of a provider, in bytes: its documents and tokens are small.
const MOST_ANSWER_BYTES: usize = 256 << 10;

/// The provider; none: the configuration names none.
///
/// # Errors
/// The secret, or the key of credentials, is missing or cannot be read; there is no TLS on this machine.
pub(crate) fn provider(context: &Context) -> Result<Option<Arc<OpenId>>> {
    let section = &context.settings().openid;
    if !section.is_set() {
        return Ok(None);
    }
    if vault::source(context)?.is_none() {
        return Err(WrongCall(format!("openid.issuer names a provider to sign in at, but {NO_KEY}")).into());
    }
    let is_local = section.issuer.starts_with("http://");
    // Whoever runs the server names the issuer: it may be anywhere. The hosts that its documents name may not.
    let named = if is_local { Destinations::default().of_account(true) } else { Destinations::every() };
    let others = context.settings().outbound.destinations();
    let transport =
        |destinations| HttpsTransport::to(destinations).map(|https| Arc::new(https.reading_at_most(MOST_ANSWER_BYTES)));
    let named = transport(named).context("preparing calls of the OpenID provider")?;
    let others = transport(others).context("preparing calls of the OpenID provider")?;
    let provider = OpenId::new(section.of_web(client_secret(context)?), named, others);
    Ok(Some(Arc::new(provider.map_err(|wrong| WrongCall(format!("openid.{wrong}")))?)))
}

fn client_secret(context: &Context) -> Result<SecretString> {
    if let Some(secret) = context.environment.openid_client_secret() {
        return Ok(secret);
    }
    let path = &context.settings().openid.client_secret_file;
    if path.is_empty() {
        let text = format!(
            "openid.issuer names a provider, but there is no secret of the client: name its file as openid.client_secret_file, or \
             give it in {OPENID_CLIENT_SECRET}"
        );
        return Err(WrongCall(text).into());
    }
    read_secret(Path::new(path))
}

fn read_secret(path: &Path) -> Result<SecretString> {
    let opened = File::open(path);
    let file = opened.with_context(|| format!("opening {} (setting openid.client_secret_file)", path.display()))?;
    refuse_if_others_may_read(&file, path, "file")?;
    let mut text = String::new();
    let read = file.take(MOST_SECRET_BYTES + 1).read_to_string(&mut text);
    let length = read.with_context(|| format!("reading {}", path.display()))?;
    let text = SecretString::from(text);
    let secret = text.expose_secret().trim();
    if secret.is_empty() || length as u64 > MOST_SECRET_BYTES {
        return Err(WrongCall(format!("{} holds no secret, or too much for one", path.display())).into());
    }
    Ok(SecretString::from(secret))
}
