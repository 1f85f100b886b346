//! The OpenID provider in the configuration.

use std::os::unix::fs::PermissionsExt as _;

use crate::program::Place;

const SECRET: &str = "hush-of-the-client";

/// A place whose configuration names a provider, on this machine, where nobody listens.
fn with_provider() -> Place {
    let mut place = Place::empty();
    place.run(&["admin", "tenant", "create", "Acme"]).expect(0);
    let file = place.write(
        "lineshift.toml",
        "[openid]\nissuer = \"http://127.0.0.1:9\"\nclient_id = \"lineshift\"\nlabel = \"Example Inc.\"\n\
         public_url = \"https://portal.example\"\n",
    );
    place.set("LINESHIFT_CONFIG", &file);
    place
}

fn with_key(mut place: Place) -> Place {
    let file = place.path("lineshift.key").to_str().expect("UTF-8").to_owned();
    place.run(&["admin", "secret-key", "--file", &file]).expect(0);
    place.set("LINESHIFT_SECRETS_KEY_FILE", &file);
    place
}

fn refused(place: &Place) -> String {
    place.run(&["serve", "--listen", "127.0.0.1:0"]).failure(2)
}

#[test]
fn what_is_missing_is_said_before_anything_is_served() {
    let place = with_provider();
    assert!(refused(&place).contains("this server has no key to seal credentials with"), "{}", refused(&place));
    let mut place = with_key(place);
    assert!(refused(&place).contains("there is no secret of the client"), "{}", refused(&place));
    let file = place.write("secret", SECRET);
    place.set("LINESHIFT_OPENID_CLIENT_SECRET_FILE", &file);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    let said = refused(&place);
    assert!(said.contains("others may read") && said.contains("chmod 600") && !said.contains(SECRET), "{said}");
    place.write("secret", " \n");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    assert!(refused(&place).contains("holds no secret"), "{}", refused(&place));
    place.set("LINESHIFT_OPENID_CLIENT_SECRET", SECRET);
    place.set("LINESHIFT_OPENID_ISSUER", "http://id.example.com");
    place.set("LINESHIFT_OPENID_PUBLIC_URL", "https://portal.example/path");
    let said = refused(&place);
    assert!(said.contains("openid.issuer (from LINESHIFT_OPENID_ISSUER): found \"http://id.example.com\""), "{said}");
    assert!(said.contains("openid.public_url"), "every problem at once: {said}");
}

#[tokio::test]
async fn a_server_says_where_to_sign_in_and_shows_the_secret_nowhere() {
    let mut place = with_key(with_provider());
    let file = place.write("secret", &format!("{SECRET}\n"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    place.set("LINESHIFT_OPENID_CLIENT_SECRET_FILE", &file);
    let shown = place.run(&["config", "show"]).expect(0);
    assert!(shown.contains("openid.client_secret_file") && !shown.contains(SECRET), "{shown}");
    let server = place.serve(&["--no-worker"]);
    let client = reqwest::Client::builder().build().expect("a client");
    let get = async |path: &str| {
        let answer = client.get(format!("{}{path}", place.url())).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    };
    let (status, ways) = get("/api/v1/session/openid").await;
    assert_eq!((status, ways.contains("Example Inc.")), (200, true), "{ways}");
    let (status, down) = get("/api/v1/session/openid/start").await;
    assert_eq!(status, 503, "{down}");
    server.until("nobody can sign in at the OpenID provider");
    let ended = server.end_by("TERM");
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(!ended.err.contains(SECRET) && !down.contains(SECRET), "{}", ended.err);
}
