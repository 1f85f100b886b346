//! TLS to a real server with a certificate of an authority of our own: who is spoken to, and who is not.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use lineshift_store::StoreError;
use lineshift_store::access::AccessStore as _;
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_postgres::{Options, connect};
use tempfile::TempDir;
use url::Url;

/// An authority's certificate, and one made out to `localhost` by it, in that directory.
fn certificates(directory: &Path) {
    let openssl = |arguments: &[&str]| {
        let ran = Command::new("openssl").args(arguments).current_dir(directory).output();
        let ran = ran.expect("openssl is installed: PostgreSQL's package asks for it");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    };
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    for (name, subject) in [("ours", "/CN=Ours"), ("others", "/CN=Others")] {
        let (key_out, out) = (format!("{name}.key"), format!("{name}.pem"));
        let rest = ["-subj", subject, "-days", "2", "-keyout", &key_out, "-out", &out];
        openssl(&[&["req", "-x509"], &key[..], &rest].concat());
    }
    openssl(&[&["req"], &key[..], &["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"]].concat());
    let extensions = "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n";
    std::fs::write(directory.join("extensions"), extensions).expect("written");
    let authority = ["-CA", "ours.pem", "-CAkey", "ours.key", "-CAcreateserial", "-extfile", "extensions"];
    openssl(&[&["x509", "-req", "-in", "server.csr", "-days", "2", "-out", "server.crt"], &authority[..]].concat());
}

/// A server of this test's own that speaks TLS.
struct Server {
    directory: TempDir,
    certificates: TempDir,
    url: String,
}

impl Server {
    fn start() -> Self {
        let (directory, made) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        // It runs as another user where the tests run as root.
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).expect("its owner may");
        certificates(made.path());
        let url = script(&["start".as_ref(), directory.path(), made.path()]);
        Self { directory, certificates: made, url }
    }

    /// The URL of its product's role, on that host, with those parameters.
    fn url(&self, host: &str, parameters: &str) -> String {
        let mut url = Url::parse(&self.url).expect("a URL");
        url.set_username("lineshift_app").expect("a role");
        url.set_host(Some(host)).expect("a host");
        url.set_query(Some(parameters));
        url.to_string()
    }

    fn authority(&self, name: &str) -> PathBuf {
        self.certificates.path().join(format!("{name}.pem"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        script(&["stop".as_ref(), self.directory.path()]);
    }
}

fn script(arguments: &[&Path]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ci/postgres");
    let ran = Command::new(script).args(arguments).output().expect("the script runs");
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("a URL").trim().to_owned()
}

/// What stands behind a refusal, outermost first.
async fn refusal(url: &str) -> String {
    let error = connect(url, Options::default()).await.err().expect("nobody is spoken to");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    let mut said = Vec::new();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        said.push(error.to_string());
        cause = error.source();
    }
    said.join(": ")
}

#[tokio::test]
async fn a_server_is_spoken_to_when_its_certificate_is_of_a_known_authority_and_made_out_to_its_host() {
    let server = Server::start();
    let (ours, others) = (server.authority("ours"), server.authority("others"));
    // What is asked for by TLS comes as far as the schema, which is not there.
    for mode in ["verify-full", "require"] {
        let url = server.url("localhost", &format!("sslmode={mode}&sslrootcert={}", ours.display()));
        let answered = connect(&url, Options::default()).await.err().expect("there is no schema").to_string();
        assert!(answered.contains("the database lacks every migration"), "{answered}");
    }
    let to_do = "its certificate must be valid, made out to the host of the URL, and of an authority";
    let roots = format!("sslmode=verify-full&sslrootcert={}", ours.display());
    for (host, parameters, why) in [
        ("localhost", &format!("sslmode=require&sslrootcert={}", others.display()), "invalid peer certificate"),
        ("localhost", &"sslmode=verify-full".to_owned(), "invalid peer certificate"),
        ("127.0.0.1", &roots, "not valid for"),
    ] {
        let refused = refusal(&server.url(host, parameters)).await;
        assert!(refused.contains(to_do) && refused.contains(why), "{host} {parameters}: {refused}");
    }
}

#[tokio::test]
async fn work_is_done_over_tls_and_a_listener_hears_over_it() {
    let server = Server::start();
    let roots = format!("sslmode=verify-full&sslrootcert={}", server.authority("ours").display());
    let database = TestDatabase::on(&server.url).await;
    let path = Url::parse(&database.app_url()).expect("a URL").path().to_owned();
    let mut url = Url::parse(&server.url("localhost", &roots)).expect("a URL");
    url.set_path(&path);
    let store = connect(url.as_str(), Options::default()).await.expect("it opens");
    let mut signals = lineshift_store_sql::Engine::signals(&*store).expect("it hears");
    assert_eq!(signals.next().await, lineshift_store::signals::Signal::Heard);
    assert!(store.list_tenants().await.expect("it answers").is_empty());
    let over_tls = "SELECT count(*) >= 2, bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                      WHERE usename = 'lineshift_app' AND datname = current_database()";
    assert_eq!(database.look(over_tls).await, [["1", "1"]], "the listener's connection, and the one that was read on");
}

#[tokio::test]
async fn a_server_without_tls_is_told_nothing_when_tls_is_wanted() {
    let database = TestDatabase::new().await;
    let refused = refusal(&format!("{}?sslmode=verify-full", database.app_url())).await;
    assert!(refused.contains("no TLS with the database") && refused.contains("server does not support TLS"), "{refused}");
}
