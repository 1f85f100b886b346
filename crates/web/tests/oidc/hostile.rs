//! A provider that answers what a test has it answer, and signs whatever a test wants signed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, header};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Bytes of an RSA key's modulus here.
const MODULUS_BYTES: usize = 256;

/// What an address answers.
#[derive(Clone)]
pub(crate) enum Says {
    Json(u16, Value),
    Html(String),
    Redirect(String),
    /// That many bytes.
    Huge(usize),
    /// Nothing, for ever.
    Nothing,
}

/// A request as it came.
#[derive(Clone)]
pub(crate) struct Came {
    pub(crate) path: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

#[derive(Default)]
struct Script {
    answers: HashMap<&'static str, Says>,
    came: Vec<Came>,
}

/// The provider; it ends with this.
pub(crate) struct Hostile {
    pub(crate) issuer: String,
    script: Arc<Mutex<Script>>,
    server: JoinHandle<()>,
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";
pub(crate) const KEYS: &str = "/keys";
pub(crate) const TOKEN: &str = "/token";
pub(crate) const USERINFO: &str = "/userinfo";

impl Hostile {
    /// One that says of itself what is right, and knows that key.
    pub(crate) async fn start(key: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let script = Arc::new(Mutex::new(Script::default()));
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&script));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        let started = Self { issuer, script, server };
        started.says(DISCOVERY, Says::Json(200, started.document()));
        started.says(KEYS, Says::Json(200, json!({"keys": [key]})));
        started
    }

    /// What it says of itself.
    pub(crate) fn document(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        json!({"issuer": self.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at(TOKEN),
            "userinfo_endpoint": at(USERINFO), "jwks_uri": at(KEYS)})
    }

    /// Has it answer that from now on.
    pub(crate) fn says(&self, path: &'static str, what: Says) {
        self.script.lock().expect("no panic").answers.insert(path, what);
    }

    /// Has it give that token for any code.
    pub(crate) fn gives(&self, id_token: &str) {
        self.says(TOKEN, Says::Json(200, json!({"id_token": id_token, "access_token": "access", "token_type": "Bearer"})));
    }

    /// What was asked of that address.
    pub(crate) fn came(&self, path: &str) -> Vec<Came> {
        self.script.lock().expect("no panic").came.iter().filter(|came| came.path == path).cloned().collect()
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let says = {
        let mut script = script.lock().expect("no panic");
        let body = String::from_utf8_lossy(&body).into_owned();
        script.came.push(Came { path: path.clone(), authorization: authorization.to_owned(), body });
        script.answers.get(path.as_str()).cloned()
    };
    let response = Response::builder();
    let answer = match says.unwrap_or(Says::Json(404, json!({}))) {
        Says::Json(status, value) => {
            response.status(status).header("content-type", "application/json").body(Body::from(value.to_string()))
        }
        Says::Html(text) => response.header("content-type", "text/html").body(Body::from(text)),
        Says::Redirect(to) => response.status(302).header("location", to).body(Body::empty()),
        Says::Huge(bytes) => response.header("content-type", "application/json").body(Body::from(vec![b' '; bytes])),
        Says::Nothing => std::future::pending().await,
    };
    answer.expect("an answer")
}

/// A key of a provider.
pub(crate) enum Signer {
    Rsa(RsaKeyPair),
    Elliptic(EcdsaKeyPair),
}

impl Signer {
    pub(crate) fn rsa() -> Self {
        Self::Rsa(rsa::KeyPair::generate(KeySize::Rsa2048).expect("a key"))
    }

    pub(crate) fn elliptic() -> Self {
        Self::Elliptic(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"))
    }

    /// What anybody may know of it, as `kid`.
    pub(crate) fn public(&self, id: &str) -> Value {
        match self {
            Self::Rsa(_) => json!({"kty": "RSA", "kid": id, "n": encoded(&self.modulus()), "e": "AQAB"}),
            Self::Elliptic(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "kid": id, "crv": "P-256", "x": encoded(x), "y": encoded(y)})
            }
        }
    }

    /// The public key in DER.
    pub(crate) fn der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Rsa(key) => key.public_key().as_der().expect("DER"),
            Self::Elliptic(key) => key.public_key().as_der().expect("DER"),
        };
        der.as_ref().to_vec()
    }

    /// It stands before the exponent, which is five bytes with its head, at the end.
    fn modulus(&self) -> Vec<u8> {
        let der = self.der();
        let end = der.len() - 5;
        der[end - MODULUS_BYTES..end].to_vec()
    }

    /// A token with that header and those claims.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let random = SystemRandom::new();
        let signature = match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let padding: &'static dyn aws_lc_rs::signature::RsaEncoding =
                    if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                key.sign(padding, &random, signed.as_bytes(), &mut signature).expect("signed");
                signature
            }
            Self::Elliptic(key) => key.sign(&random, signed.as_bytes()).expect("signed").as_ref().to_vec(),
        };
        format!("{signed}.{}", encoded(&signature))
    }
}

/// A token signed with a shared secret.
pub(crate) fn token_by_secret(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let signed = unsigned(header, claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", encoded(tag.as_ref()))
}

/// The part of a token that is signed.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()))
}

fn encoded(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
