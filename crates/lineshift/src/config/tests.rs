//! Precedence, and what is said about settings that are wrong.

use std::path::PathBuf;

use super::environment::Environment;
use super::*;

struct File {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

fn file(text: &str) -> File {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("lineshift.toml");
    std::fs::write(&path, text).expect("the file is written");
    File { _dir: dir, path }
}

fn flag(flag: &'static str, setting: &'static str, text: &str) -> Flag {
    Flag { flag, setting, text: text.to_owned() }
}

fn refused(file_text: Option<&str>, variables: &[(&str, &str)], flags: &[Flag]) -> String {
    let file = file_text.map(file);
    let path = file.as_ref().map(|file| file.path.as_path());
    let error = Configuration::load(path, &Environment::of(variables), flags).expect_err("it is refused");
    let text = format!("{error:#}");
    match path {
        Some(path) => text.replace(&path.display().to_string(), "FILE"),
        None => text,
    }
}

#[test]
fn the_default_file_holds_every_setting_with_its_default() {
    let defaults = file(DEFAULT_FILE);
    let configuration = Configuration::load(Some(&defaults.path), &Environment::default(), &[]).expect("it is read");
    assert_eq!(configuration.settings, Settings::default());
    for (name, _, source) in configuration.listed() {
        assert_eq!(*source, Source::File(defaults.path.clone()), "{name} does not stand in the default file");
    }
}

#[test]
fn a_flag_comes_before_the_environment_and_that_before_the_file() {
    let given = file("store = \"sqlite://from-file\"\nurl = \"http://file\"\n[limits]\npage_lines = 7\ndays_back = 8\n");
    let environment = Environment::of(&[("LINESHIFT_STORE", "sqlite://from-environment"), ("LINESHIFT_LIMITS_PAGE_LINES", "9")]);
    let flags = [flag("--store", "store", "sqlite://from-flag")];
    let configuration = Configuration::load(Some(&given.path), &environment, &flags).expect("it is read");
    let settings = &configuration.settings;
    assert_eq!(settings.store.to_string(), "sqlite://from-flag");
    assert_eq!(settings.limits.page_lines, 9);
    assert_eq!(settings.limits.days_back, 8);
    assert_eq!(settings.limits.days_ahead, 730);
    assert_eq!(configuration.source("store").to_string(), "--store");
    assert_eq!(configuration.source("limits.page_lines").to_string(), "LINESHIFT_LIMITS_PAGE_LINES");
    assert_eq!(*configuration.source("url"), Source::File(given.path.clone()));
    assert_eq!(*configuration.source("limits.days_ahead"), Source::Default);
}

#[test]
fn the_environment_may_name_the_file_and_the_flag_names_another() {
    let (one, other) = (file("[limits]\nattempts = 1\n"), file("[limits]\nattempts = 2\n"));
    let path = one.path.to_str().expect("UTF-8");
    let environment = Environment::of(&[("LINESHIFT_CONFIG", path), ("LINESHIFT_API_KEY", "a secret"), ("LINESHIFT_SEEDS", "3")]);
    let load = |file: Option<&std::path::Path>| Configuration::load(file, &environment, &[]).expect("it is read");
    assert_eq!(load(None).settings.limits.attempts, 1);
    assert_eq!(load(Some(&other.path)).settings.limits.attempts, 2);
}

#[test]
fn unknown_keys_are_refused_with_their_place() {
    let text = refused(Some("store = \"sqlite://x\"\n[limits]\npage_line = 5\n"), &[], &[]);
    assert!(text.starts_with("FILE: TOML parse error at line 3, column 1"), "{text}");
    assert!(text.contains("unknown field `page_line`, expected one of `devices_per_change`"), "{text}");

    let text = refused(None, &[("LINESHIFT_LIMITS_PAGE_LINE", "5")], &[]);
    assert_eq!(
        text,
        "the environment has LINESHIFT_LIMITS_PAGE_LINE, which is no setting; did you mean LINESHIFT_LIMITS_PAGE_LINES?; \
         `lineshift config show` lists them"
    );
}

#[test]
fn values_of_a_wrong_type_say_where_they_come_from() {
    let text = refused(Some("listen = \"8080\"\n"), &[], &[]);
    assert!(text.starts_with("FILE: TOML parse error at line 1, column 10"), "{text}");
    assert!(text.contains("invalid socket address syntax"), "{text}");

    let text = refused(None, &[("LINESHIFT_LIMITS_ATTEMPTS", "five")], &[]);
    assert_eq!(text, "LINESHIFT_LIMITS_ATTEMPTS: found \"five\", expected a whole number");
    let text = refused(None, &[], &[flag("--listen", "listen", "everywhere")]);
    assert_eq!(text, "--listen: found \"everywhere\": invalid socket address syntax");
    let text = refused(None, &[("LINESHIFT_LOG_FORMAT", "xml")], &[]);
    assert_eq!(text, "LINESHIFT_LOG_FORMAT: found \"xml\": unknown variant `xml`, expected `text` or `json`");
}

#[test]
fn values_out_of_bounds_are_reported_together() {
    let variables = [("LINESHIFT_LIMITS_PAGE_LINES", "0"), ("LINESHIFT_STORE", "mysql://host/db")];
    let text = refused(Some("[limits]\nheartbeat_seconds = 30\n"), &variables, &[]);
    assert_eq!(
        text,
        "3 settings are wrong:\n  \
         store (from LINESHIFT_STORE): found mysql://host/db, expected sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE\n  \
         limits.page_lines (from LINESHIFT_LIMITS_PAGE_LINES): found 0, expected 1 to 5000\n  \
         limits.heartbeat_seconds (from FILE): found 30, expected less than limits.lease_seconds, which is 30"
    );
}

#[test]
fn a_list_is_given_with_commas_in_the_environment() {
    let load = |text: &str| Configuration::load(None, &Environment::of(&[("LINESHIFT_SERVER_TRUSTED_PROXIES", text)]), &[]);
    let networks = |text: &str| {
        let proxies = load(text).expect("it is read").settings.server.trusted_proxies;
        proxies.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(networks("10.0.0.0/8, fd00::/8"), ["10.0.0.0/8", "fd00::/8"]);
    assert_eq!(networks(","), Vec::<String>::new());
    let text = refused(None, &[("LINESHIFT_SERVER_TRUSTED_PROXIES", "10.0.0.0/8,proxy")], &[]);
    assert_eq!(text, "LINESHIFT_SERVER_TRUSTED_PROXIES: found \"10.0.0.0/8,proxy\": invalid IP address syntax");
}

#[test]
fn limits_of_outside_calls_are_never_zero() {
    let names = [
        "settle_after_seconds",
        "read_back_hours",
        "call_timeout_seconds",
        "connect_timeout_seconds",
        "revio_calls_a_minute",
        "revio_calls_a_day",
        "revio_concurrency",
    ];
    for name in names {
        let text = refused(Some(&format!("[limits]\n{name} = 0\n")), &[], &[]);
        assert!(text.contains(&format!("limits.{name} (from FILE): found 0, expected 1 to ")), "{text}");
    }
    let text = refused(Some("[limits]\nread_back_hours = 1\nsettle_after_seconds = 3600\n"), &[], &[]);
    assert!(text.contains("found 3600, expected less than limits.read_back_hours, which is 1"), "{text}");
}

#[test]
fn the_key_itself_is_no_setting_and_is_not_shown() {
    let environment = Environment::of(&[("LINESHIFT_SECRET_KEY", "s3cret"), ("LINESHIFT_SECRETS_KEY_FILE", "/run/key")]);
    let configuration = Configuration::load(None, &environment, &[]).expect("it is read");
    assert_eq!(configuration.settings.secrets.key_file, "/run/key");
    let listed = format!("{:?} {configuration:?}", configuration.listed());
    assert!(listed.contains("secrets.key_file") && !listed.contains("s3cret"), "{listed}");
}

#[test]
fn a_store_is_chosen_by_its_url() {
    let parse = |url: &str| url.parse::<StoreUrl>().map_err(|error| error.to_string());
    assert_eq!(parse("sqlite://fleet.sqlite3"), Ok(StoreUrl::Sqlite(PathBuf::from("fleet.sqlite3"))));
    assert_eq!(parse("sqlite:///var/lib/fleet.sqlite3"), Ok(StoreUrl::Sqlite(PathBuf::from("/var/lib/fleet.sqlite3"))));
    assert_eq!(parse("postgres://host/db"), Ok(StoreUrl::Postgres("postgres://host/db".to_owned())));
    for (url, expected) in [
        ("sqlite://", "a path after sqlite://, as in sqlite://lineshift.sqlite3"),
        ("postgresql://host", "postgres://USER:PASSWORD@HOST/DATABASE"),
        ("mysql://host/db", "sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE"),
        ("fleet.sqlite3", "sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE"),
    ] {
        assert_eq!(parse(url), Err(expected.to_owned()), "{url}");
    }
}

#[test]
fn the_password_of_a_store_is_shown_nowhere() {
    let url = "postgres://serve:s3cr:et@db.example/lines?sslrootcert=/etc/ca.pem&password=s3cr:et";
    let environment = Environment::of(&[("LINESHIFT_STORE", url)]);
    let configuration = Configuration::load(None, &environment, &[]).expect("it is read");
    let shown = format!("{configuration:?} {:?} {:?}", configuration.listed(), configuration.settings.store.url());
    assert!(shown.contains("postgres://serve:***@db.example/lines?sslrootcert=/etc/ca.pem&password=***"), "{shown}");
    assert!(!shown.contains("s3cr"), "{shown}");
}
