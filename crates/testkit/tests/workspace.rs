//! The workspace's shape, kept by tests: which crate may know which, what may be in the graph, what every file keeps to.
//!
//! A failure here is a question, not a fault in the code: either the change belongs elsewhere, or the shape changes, with a
//! decision in `docs/decisions/` and an edit of the tables below.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which crates of the workspace each crate may build on. Tests may use more (dev-dependencies are not looked at), but for
/// the domain, whose tests need nobody either.
const MAY_USE: &[(&str, &[&str])] = &[
    ("lineshift-domain", &[]),
    ("lineshift-store", &["lineshift-domain"]),
    ("lineshift-store-sql", &["lineshift-domain", "lineshift-store"]),
    ("lineshift-store-sqlite", &["lineshift-domain", "lineshift-store", "lineshift-store-sql"]),
    ("lineshift-store-postgres", &["lineshift-domain", "lineshift-store", "lineshift-store-sql"]),
    ("lineshift-connectors", &["lineshift-domain"]),
    ("lineshift-simulators", &["lineshift-domain"]),
    ("lineshift-engine", &["lineshift-domain", "lineshift-store", "lineshift-connectors"]),
    ("lineshift-web", &["lineshift-domain", "lineshift-store", "lineshift-connectors", "lineshift-engine"]),
    (
        "lineshift",
        &[
            "lineshift-domain",
            "lineshift-store",
            "lineshift-store-sql",
            "lineshift-store-sqlite",
            "lineshift-store-postgres",
            "lineshift-connectors",
            "lineshift-engine",
            "lineshift-web",
            "lineshift-simulators",
        ],
    ),
    (
        "lineshift-testkit",
        &[
            "lineshift-domain",
            "lineshift-store",
            "lineshift-store-sql",
            "lineshift-store-sqlite",
            "lineshift-store-postgres",
            "lineshift-connectors",
            "lineshift-engine",
            "lineshift-web",
            "lineshift-simulators",
        ],
    ),
    (
        "lineshift-fuzz-targets",
        &[
            "lineshift",
            "lineshift-domain",
            "lineshift-store",
            "lineshift-store-sqlite",
            "lineshift-connectors",
            "lineshift-engine",
            "lineshift-testkit",
            "lineshift-web",
        ],
    ),
];

/// What a crate must not meet in its whole graph, however far down.
const NEVER_BELOW: &[(&str, &[&str])] = &[
    ("lineshift-domain", &["tokio", "async-trait", "futures", "axum", "hyper", "reqwest", "rusqlite", "sqlx", "tracing"]),
    ("lineshift-store", &["tokio", "axum", "hyper", "reqwest", "rusqlite", "sqlx"]),
    ("lineshift-store-sql", &["tokio", "axum", "hyper", "reqwest", "rusqlite", "postgres", "sqlx"]),
    ("lineshift-connectors", &["axum", "hyper", "reqwest", "rusqlite", "postgres", "sqlx"]),
    ("lineshift-engine", &["axum", "hyper", "reqwest", "rusqlite", "postgres", "sqlx"]),
    ("lineshift-web", &["reqwest", "rusqlite", "postgres", "sqlx"]),
    // Whoever simulates the other side shares no code with this one: both would have the same mistake.
    ("lineshift-simulators", &["lineshift-connectors", "reqwest", "rusqlite", "sqlx"]),
];

/// The database drivers, and who may name them: the stores, and the binary for its benchmark's peers.
const DRIVERS: &[&str] = &["rusqlite", "libsqlite3-sys", "postgres", "tokio-postgres", "sqlx"];
const MAY_NAME_DRIVERS: &[&str] = &["lineshift-store-sqlite", "lineshift-store-postgres", "lineshift"];

/// One TLS provider, aws-lc-rs; `deny.toml` says the same to those who read that first.
const BANNED: &[&str] = &["ring", "openssl", "openssl-sys", "native-tls"];

/// Dependencies that no source file names, each with its reason. None so far.
const NAMED_NOWHERE: &[(&str, &str)] = &[];

/// Past this a file wants to be two.
const MOST_LINES: usize = 500;

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the workspace's root is two folders above this crate")
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

struct Member {
    name: String,
    folder: PathBuf,
    /// Name and kind (`normal`, `build` or `dev`) of each dependency, as written in its manifest.
    dependencies: Vec<(String, String)>,
}

fn members() -> Vec<Member> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps", "--locked"])).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages is a list");
    packages.iter().map(member).collect()
}

fn member(package: &Value) -> Member {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let dependencies = package["dependencies"].as_array().expect("dependencies is a list");
    let manifest = PathBuf::from(text(&package["manifest_path"]));
    Member {
        name: text(&package["name"]),
        folder: manifest.parent().expect("a manifest stands in a folder").to_owned(),
        dependencies: dependencies
            .iter()
            .map(|dependency| (text(&dependency["name"]), dependency["kind"].as_str().unwrap_or("normal").to_owned()))
            .collect(),
    }
}

/// The names of all packages that are built for `scope`, itself included, on this machine.
fn graph(scope: &[&str], kinds: &str) -> BTreeSet<String> {
    let mut arguments = vec!["tree", "--locked", "--prefix", "none", "--format", "{p}", "--edges", kinds];
    arguments.extend(scope);
    cargo(&arguments)
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// All files of the project, by path from the root; what a build or git put there is left out.
fn files() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder of the project can be read") {
            let entry = entry.expect("an entry of the project can be read");
            let kind = entry.file_type().expect("an entry has a type");
            let name = entry.file_name();
            if kind.is_dir() && name != "target" && name != ".git" && name != "node_modules" {
                walk(&entry.path(), found);
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    let root = root();
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.into_iter().map(|path| path.strip_prefix(&root).expect("below the root").to_owned()).collect()
}

fn files_ending(extensions: &[&str]) -> Vec<PathBuf> {
    let ends =
        |path: &PathBuf| path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| extensions.contains(&ending));
    let found: Vec<PathBuf> = files().into_iter().filter(ends).collect();
    assert!(!found.is_empty(), "no file ends in {extensions:?}: this test looks in the wrong place");
    found
}

fn text_of(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn assert_none(problems: &[String], rule: &str) {
    assert!(problems.is_empty(), "{rule}\n  {}", problems.join("\n  "));
}

#[test]
fn dependencies_point_one_way() {
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut problems = Vec::new();
    for member in members() {
        let Some(allowed) = table.get(member.name.as_str()) else {
            problems.push(format!("{} has no place in the table MAY_USE", member.name));
            continue;
        };
        for (name, kind) in &member.dependencies {
            let looked_at = kind != "dev" || allowed.is_empty();
            if looked_at && name.starts_with("lineshift") && !allowed.contains(&name.as_str()) {
                problems.push(format!("{} -> {name}", member.name));
            }
        }
    }
    assert_none(&problems, "domain <- store, connectors <- engine <- web <- lineshift, and nothing back:");
}

#[test]
fn no_crate_meets_what_lies_above_it() {
    let mut problems = Vec::new();
    for (name, never) in NEVER_BELOW {
        let below = graph(&["--package", name], "normal,build");
        assert!(below.contains(*name), "the graph of {name} holds {name} itself");
        problems.extend(never.iter().filter(|met| below.contains(**met)).map(|met| format!("{name} .. -> {met}")));
    }
    assert_none(&problems, "somewhere below these crates stands what they must not know:");
}

#[test]
fn only_the_stores_and_the_benchmark_know_a_database_driver() {
    let mut problems = Vec::new();
    for member in members().iter().filter(|member| !MAY_NAME_DRIVERS.contains(&member.name.as_str())) {
        let named = member.dependencies.iter().filter(|(name, _)| DRIVERS.contains(&name.as_str()));
        problems.extend(named.map(|(name, kind)| format!("{} -> {name} ({kind})", member.name)));
    }
    assert_none(&problems, "a database driver belongs to a store crate:");
}

#[test]
fn there_is_one_tls_provider() {
    let all = graph(&["--workspace"], "normal,build,dev");
    assert!(all.contains("aws-lc-rs"), "the provider itself is in the graph");
    let met: Vec<String> = BANNED.iter().filter(|name| all.contains(**name)).map(|name| (*name).to_owned()).collect();
    assert_none(&met, "`cargo tree --workspace --invert NAME` shows who brings in:");
}

#[test]
fn every_crate_inherits_the_lints() {
    let without = |member: &Member| !text_of(&member.folder.join("Cargo.toml")).contains("[lints]\nworkspace = true\n");
    let problems: Vec<String> = members().into_iter().filter(without).map(|member| member.name).collect();
    assert_none(&problems, "`[lints] workspace = true` is missing in the manifest of:");
}

#[test]
fn every_dependency_is_used() {
    let mut problems = Vec::new();
    for member in members() {
        let sources = source_text(&member.folder);
        for (name, kind) in &member.dependencies {
            let excused = NAMED_NOWHERE.iter().any(|(excused, _)| excused == name);
            if !excused && !names_crate(&sources, &name.replace('-', "_")) {
                problems.push(format!("{} -> {name} ({kind})", member.name));
            }
        }
    }
    assert_none(&problems, "no source file of the crate names this dependency:");
}

#[test]
fn every_shared_dependency_is_used() {
    let used: BTreeSet<String> = members().into_iter().flat_map(|member| member.dependencies).map(|(name, _)| name).collect();
    let manifest = text_of(Path::new("Cargo.toml"));
    let shared =
        manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1).take_while(|line| !line.starts_with('['));
    let names: Vec<&str> = shared.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect();
    assert!(names.contains(&"serde_json"), "the section was found");
    // The testkit is for tests: a shared name for it may stand ready before a crate's tests take it.
    let unused = names.into_iter().filter(|name| *name != "lineshift-testkit" && !used.contains(*name));
    assert_none(&unused.map(str::to_owned).collect::<Vec<_>>(), "no crate takes this from [workspace.dependencies]:");
}

/// All Rust source below `folder` as one text, comments taken out.
fn source_text(folder: &Path) -> String {
    let folder = folder.strip_prefix(root()).expect("a member lies below the root");
    let sources =
        files().into_iter().filter(|path| path.starts_with(folder) && path.extension().is_some_and(|ending| ending == "rs"));
    let lines = |text: String| text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    sources.map(|path| lines(text_of(&path))).collect::<Vec<_>>().join("\n")
}

/// Whether the source names the crate: `name::`, or `use name` as a whole. A local module of the same name hides a crate that
/// is not used; the test then says too little, never too much.
fn names_crate(source: &str, name: &str) -> bool {
    let word = |character: char| character.is_alphanumeric() || character == '_';
    source.match_indices(name).any(|(at, _)| {
        let (before, after) = (&source[..at], &source[at + name.len()..]);
        let whole = !before.ends_with(word) && !after.starts_with(word);
        let used = before.ends_with("use ") || before.ends_with("extern crate ");
        whole && (after.starts_with("::") || (used && after.starts_with([';', ' '])))
    })
}

#[test]
fn a_crate_is_named_by_a_path_or_by_use() {
    for source in [
        "use serde_json::Value;",
        "fn f() -> serde_json::Value",
        "use serde_json;",
        "use serde_json as json;",
        "#[serde_json::x]",
    ] {
        assert!(names_crate(source, "serde_json"), "{source}");
    }
    for source in ["use my_serde_json::Value;", "let serde_json = 1;", "serde_json_more::x", ""] {
        assert!(!names_crate(source, "serde_json"), "{source}");
    }
}

#[test]
fn migrations_are_numbered_without_a_gap() {
    // A migration is a file, or a folder of files that run as one.
    let mut folders: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for path in files() {
        let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).expect("a file name is UTF-8").to_owned();
        let Some(folder) = path.parent() else { continue };
        if folder.ends_with("migrations") {
            folders.entry(folder.to_owned()).or_default().insert(name(&path));
        } else if let Some(above) = folder.parent().filter(|above| above.ends_with("migrations")) {
            folders.entry(above.to_owned()).or_default().insert(format!("{}.sql", name(folder)));
        }
    }
    assert!(!folders.is_empty(), "a store has its migrations in a folder of that name");
    let mut problems = Vec::new();
    for (folder, names) in folders {
        for (index, name) in names.iter().enumerate() {
            if !is_migration_name(name, index + 1) {
                problems.push(format!("{}, expected {:04}_name.sql", folder.join(name).display(), index + 1));
            }
        }
    }
    assert_none(&problems, "migrations are NNNN_name.sql, counted from 0001:");
}

fn is_migration_name(name: &str, number: usize) -> bool {
    let words = name.strip_prefix(&format!("{number:04}_")).and_then(|rest| rest.strip_suffix(".sql"));
    words.is_some_and(|words| {
        !words.is_empty() && words.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    })
}

#[test]
fn no_file_is_too_long() {
    let mut problems = Vec::new();
    for path in files_ending(&["rs", "sql", "js", "css"]) {
        let lines = text_of(&path).lines().count();
        if lines >= MOST_LINES {
            problems.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert_none(&problems, &format!("a source file has fewer than {MOST_LINES} lines:"));
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let first =
        |text: &str| text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#![")).unwrap_or("").to_owned();
    let without = |path: &PathBuf| !first(&text_of(path)).starts_with("//!");
    let problems: Vec<String> =
        files_ending(&["rs"]).into_iter().filter(without).map(|path| path.display().to_string()).collect();
    assert_none(&problems, "a source file opens with `//!` and what it is for:");
}

#[test]
fn no_file_names_a_development_machine() {
    // Put together here, so that this file does not hold them itself.
    let homes = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];
    let mut problems = Vec::new();
    for path in files() {
        // What is not text, a picture say, is left out.
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        for (index, line) in text.lines().enumerate() {
            if homes.iter().any(|home| line.contains(home)) {
                problems.push(format!("{}:{}: {}", path.display(), index + 1, line.trim()));
            }
        }
    }
    assert_none(&problems, "a path of somebody's machine:");
}

#[test]
fn every_claim_of_the_security_page_names_a_test() {
    let page = text_of(&root().join("docs/security.md"));
    let named: Vec<(&str, &str)> = page
        .split('`')
        .filter(|quoted| quoted.starts_with("crates/") && !quoted.contains(char::is_whitespace))
        .filter_map(|quoted| quoted.split_once('#'))
        .collect();
    assert!(named.len() > 40, "the page names its tests as crates/path.rs#function");
    let missing: Vec<String> = named
        .iter()
        .filter(|(file, function)| {
            !fs::read_to_string(root().join(file)).is_ok_and(|text| text.contains(&format!("fn {function}(")))
        })
        .map(|(file, function)| format!("{file}#{function}"))
        .collect();
    assert_none(&missing, "docs/security.md names tests that are there");
    let claims = page.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 3);
    let unproven: Vec<String> = claims
        .skip_while(|line| !line.starts_with("| claim"))
        .filter(|line| !line.starts_with("| claim") && !line.contains(".rs#"))
        .map(str::to_owned)
        .collect();
    assert_none(&unproven, "every claim names its test");
}
