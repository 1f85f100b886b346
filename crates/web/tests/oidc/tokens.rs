//! Tokens that are not what they should be: each differs in one thing from one that is taken.

use chrono::TimeDelta;
use lineshift_engine::Clock as _;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::Answer;
use serde_json::{Value, json};

use crate::browser::{Browser, word};
use crate::hostile::{Hostile, KEYS, Says, Signer, TOKEN, USERINFO, token_by_secret, unsigned};
use crate::world::{ADA, CLIENT_ID, with_ada};

/// The provider with one key, and the product with Ada in it.
pub(crate) struct Scene {
    pub(crate) signer: Signer,
    pub(crate) hostile: Hostile,
    pub(crate) app: TestApp,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::of(Signer::rsa()).await
    }

    async fn of(signer: Signer) -> Self {
        let hostile = Hostile::start(&signer.public("one")).await;
        let app = with_ada(&hostile.issuer).await;
        Self { signer, hostile, app }
    }

    /// What a token for Ada says that is taken.
    pub(crate) fn claims(&self, nonce: &str) -> Value {
        let now = self.app.operator.clock.now().timestamp();
        json!({"iss": self.hostile.issuer, "aud": CLIENT_ID, "sub": "subject of Ada", "iat": now, "exp": now + 300, "nonce": nonce,
            "email": ADA, "email_verified": true})
    }

    /// Comes back with a code for which the provider gives the token that `make` makes of what would be taken.
    pub(crate) async fn with_token(&self, make: impl FnOnce(&Self, Value) -> String) -> Answer {
        let mut browser = Browser::of(&self.app);
        let there = browser.start("").await;
        self.hostile.gives(&make(self, self.claims(&word(&there, "nonce"))));
        browser.get(&format!("/api/v1/session/openid/callback?code=c&state={}", word(&there, "state"))).await
    }

    /// The same with some claims changed.
    pub(crate) async fn with_claims(&self, change: Value) -> Answer {
        let change = |claims: &mut Value| {
            for (name, value) in change.as_object().expect("an object") {
                claims[name] = value.clone();
            }
        };
        self.with_token(|scene, mut claims| {
            change(&mut claims);
            scene.signer.token(&rs256(), &claims)
        })
        .await
    }
}

fn rs256() -> Value {
    json!({"alg": "RS256", "kid": "one", "typ": "JWT"})
}

fn assert_refused(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 401, "{what}: {}", answer.text());
    assert!(answer.text().contains("is nobody here, or may not sign in"), "{what}: {}", answer.text());
    let cookies = answer.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    assert!(!cookies.into_iter().any(|line| line.starts_with("lineshift=1.")), "{what} signed somebody in");
}

#[tokio::test]
async fn a_token_is_for_this_request_from_this_issuer_to_us() {
    let scene = Scene::new().await;
    assert_eq!(scene.with_claims(json!({})).await.status, 303, "the one that all others differ from");
    let now = scene.app.operator.clock.now().timestamp();
    for wrong in [
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"aud": "another-client"}),
        json!({"aud": [CLIENT_ID, "another-client"]}),
        json!({"azp": "another-client"}),
        json!({"iss": "https://evil.example"}),
        json!({"iss": format!("{}/", scene.hostile.issuer)}),
        json!({"exp": now - 61}),
        json!({"exp": null}),
        json!({"iat": now + 120}),
        json!({"iat": now - 3_600}),
        json!({"nbf": now + 120}),
        json!({"sub": ""}),
        json!({"sub": null}),
    ] {
        assert_refused(&scene.with_claims(wrong.clone()).await, &wrong.to_string());
    }
}

#[tokio::test]
async fn a_signature_is_by_a_key_of_the_provider_and_no_secret() {
    let scene = Scene::new().await;
    assert_eq!(scene.with_claims(json!({})).await.status, 303, "the one that all others differ from");
    let other = Signer::rsa();
    let named = |alg: &str| json!({"alg": alg, "kid": "one"});
    for alg in ["none", "None", "NONE", ""] {
        let answer = scene.with_token(|_, claims| format!("{}.", unsigned(&named(alg), &claims))).await;
        assert_refused(&answer, &format!("alg {alg:?}"));
    }
    let public = scene.signer.public("one");
    let modulus = public["n"].as_str().expect("a modulus").as_bytes();
    for secret in [scene.signer.der().as_slice(), modulus, crate::world::CLIENT_SECRET.as_bytes(), b""] {
        let answer = scene.with_token(|_, claims| token_by_secret(&named("HS256"), &claims, secret)).await;
        assert_refused(&answer, "HS256");
    }
    let answer = scene.with_token(|_, claims| other.token(&named("RS256"), &claims)).await;
    assert_refused(&answer, "the key of somebody else under that name");
    let answer = scene.with_token(|scene, claims| scene.signer.token(&named("PS256"), &claims)).await;
    assert_eq!(answer.status, 303, "the provider's key, by another algorithm that is taken: {}", answer.text());
    let embedded = json!({"alg": "RS256", "jwk": other.public("one")});
    assert_refused(&scene.with_token(|_, claims| other.token(&embedded, &claims)).await, "a key in the token itself");
    let critical = json!({"alg": "RS256", "kid": "one", "crit": ["x"], "x": 1});
    assert_refused(&scene.with_token(|scene, claims| scene.signer.token(&critical, &claims)).await, "crit");
    let cut = scene.with_token(|scene, claims| {
        let token = scene.signer.token(&rs256(), &claims);
        token.rsplit_once('.').map(|(signed, _)| format!("{signed}.")).expect("three parts")
    });
    assert_refused(&cut.await, "no signature");
    for nonsense in ["", "x", "a.b.c", "....", "\u{0}"] {
        assert_refused(&scene.with_token(|_, _| nonsense.to_owned()).await, nonsense);
    }
    assert_refused(&scene.with_token(|_, _| "x".repeat(40_000)).await, "a long one");
}

#[tokio::test]
async fn an_elliptic_key_is_taken_for_its_own_algorithm() {
    let scene = Scene::of(Signer::elliptic()).await;
    let named = |alg: &str| json!({"alg": alg, "kid": "one"});
    let answer = scene.with_token(|scene, claims| scene.signer.token(&named("ES256"), &claims)).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    for alg in ["ES384", "RS256"] {
        assert_refused(&scene.with_token(|scene, claims| scene.signer.token(&named(alg), &claims)).await, alg);
    }
}

#[tokio::test]
async fn an_unknown_key_has_the_keys_fetched_once_and_not_all_the_time() {
    let scene = Scene::new().await;
    assert_eq!(scene.with_claims(json!({})).await.status, 303);
    assert_eq!(scene.hostile.came(KEYS).len(), 1);
    let next = Signer::rsa();
    let by_next = || scene.with_token(|_, claims| next.token(&json!({"alg": "RS256", "kid": "two"}), &claims));
    for _ in 0..5 {
        assert_refused(&by_next().await, "a key that nobody knows");
    }
    assert_eq!(scene.hostile.came(KEYS).len(), 1, "they were fetched just now");
    scene.app.operator.clock.advance(TimeDelta::seconds(5));
    for _ in 0..5 {
        assert_refused(&by_next().await, "a key that nobody knows");
    }
    assert_eq!(scene.hostile.came(KEYS).len(), 2);
    scene.hostile.says(KEYS, Says::Json(200, json!({"keys": [next.public("two")]})));
    scene.app.operator.clock.advance(TimeDelta::seconds(5));
    assert_eq!(by_next().await.status, 303, "the provider's new key");
    assert_refused(&scene.with_claims(json!({})).await, "its former one");
}

#[tokio::test]
async fn the_code_is_given_with_the_secret_and_the_verifier() {
    let scene = Scene::new().await;
    let mut browser = Browser::of(&scene.app);
    let there = browser.start("").await;
    scene.hostile.gives(&scene.signer.token(&rs256(), &scene.claims(&word(&there, "nonce"))));
    let back = format!("/api/v1/session/openid/callback?code=c%26d%3De&state={}", word(&there, "state"));
    assert_eq!(browser.get(&back).await.status, 303);
    let came = scene.hostile.came(TOKEN).remove(0);
    // lineshift : hush+/=%:&, each as a form writes it.
    assert_eq!(came.authorization, "Basic bGluZXNoaWZ0Omh1c2glMkIlMkYlM0QlMjUlM0ElMjY=");
    let form: Vec<(String, String)> =
        reqwest::Url::parse(&format!("http://form?{}", came.body)).expect("a form").query_pairs().into_owned().collect();
    let field = |name: &str| form.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str()).unwrap_or_default();
    assert_eq!((field("grant_type"), field("code")), ("authorization_code", "c&d=e"));
    assert_eq!(field("redirect_uri"), "https://portal.example/api/v1/session/openid/callback");
    let challenge = {
        use base64::Engine as _;
        use sha2::Digest as _;
        base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(field("code_verifier")))
    };
    assert_eq!(challenge, word(&there, "code_challenge"));
    assert!(!came.body.contains("hush"), "the secret stands in one place");

    let mut document = scene.hostile.document();
    document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
    scene.hostile.says(crate::hostile::DISCOVERY, Says::Json(200, document));
    scene.app.operator.clock.advance(TimeDelta::hours(1));
    assert_eq!(scene.with_claims(json!({})).await.status, 303);
    let came = scene.hostile.came(TOKEN).remove(1);
    assert_eq!(came.authorization, "");
    assert!(came.body.ends_with("&client_id=lineshift&client_secret=hush%2B%2F%3D%25%3A%26"), "{}", came.body);
}

#[tokio::test]
async fn an_address_counts_when_it_is_verified_wherever_it_is_told() {
    let scene = Scene::new().await;
    for verified in [json!(false), json!("true"), json!(1), json!(null)] {
        assert_refused(&scene.with_claims(json!({"email_verified": verified})).await, &verified.to_string());
    }
    assert!(scene.hostile.came(USERINFO).is_empty(), "the token has told");
    let silent = json!({"email": null, "email_verified": null});
    for (told, is_taken) in [
        (json!({"sub": "subject of Ada", "email": ADA}), false),
        (json!({"sub": "subject of Ada", "email": ADA, "email_verified": false}), false),
        (json!({"sub": "subject of Ada", "email": "", "email_verified": true}), false),
        (json!({"sub": "subject of Ada", "email": "Ada@Fleet.Example", "email_verified": true}), true),
    ] {
        scene.hostile.says(USERINFO, Says::Json(200, told.clone()));
        let answer = scene.with_claims(silent.clone()).await;
        assert_eq!(answer.status, if is_taken { 303 } else { 401 }, "{told}: {}", answer.text());
    }
    assert_eq!(scene.hostile.came(USERINFO)[0].authorization, "Bearer access");
    let other = json!({"sub": "somebody else", "email": null, "email_verified": null});
    scene.hostile.says(USERINFO, Says::Json(200, json!({"sub": "subject of Ada", "email": ADA, "email_verified": true})));
    assert_refused(&scene.with_claims(other).await, "what is told of another subject");
    let asked = scene.hostile.came(USERINFO).len();
    assert_eq!(scene.with_claims(silent).await.status, 303, "who is known needs no address");
    assert_eq!(scene.hostile.came(USERINFO).len(), asked);
}
