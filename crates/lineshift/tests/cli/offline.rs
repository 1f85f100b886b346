//! Commands that need no server.

use crate::program::{Place, example};

#[test]
fn the_default_configuration_is_printed_and_read_back() {
    let place = Place::empty();
    let text = place.run(&["config", "default"]).expect(0);
    let file = place.write("lineshift.toml", &text);
    let shown = place.run(&["config", "show", "--json", "--config", &file]).json(0);
    let settings = shown.as_array().expect("a list");
    assert!(settings.len() > 15);
    assert!(settings.iter().all(|setting| setting["from"] == file.as_str()), "{shown}");
}

#[test]
fn a_wrong_configuration_ends_every_command_with_its_place() {
    let mut place = Place::empty();
    let file = place.write("wrong.toml", "store = \"sqlite://x\"\n[limits]\npage_lines = \"many\"\n");
    let err = place.run(&["migrate", "--config", &file]).failure(2);
    assert!(err.starts_with(&format!("error: {file}: TOML parse error at line 3, column 14")), "{err}");
    let err = place.run(&["migrate", "--store", "mysql://host/lineshift"]).failure(2);
    assert_eq!(
        err,
        "error: store (from --store): found mysql://host/lineshift, expected sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE\n"
    );
    place.set("LINESHIFT_LISTN", "127.0.0.1:1");
    let err = place.run(&["config", "show"]).failure(2);
    assert!(err.contains("LINESHIFT_LISTN, which is no setting; did you mean LINESHIFT_LISTEN?"), "{err}");
}

#[test]
fn a_missing_store_is_made_by_migrate_and_by_nothing_that_needs_one() {
    let place = Place::empty();
    let err = place.run(&["backup", "copy.sqlite3"]).failure(2);
    assert!(err.starts_with("error: there is no store lineshift.sqlite3; name another with --store"), "{err}");
    assert!(!place.path("lineshift.sqlite3").exists());
    let made = place.run(&["migrate", "--json"]).json(0);
    assert_eq!(made["store"], "lineshift.sqlite3");
    assert!(place.path("lineshift.sqlite3").exists());
    assert_eq!(made["made"], true);
    let again = place.run(&["migrate", "--json"]).json(0);
    assert_eq!((&again["made"], &again["migrations"]), (&false.into(), &made["migrations"]), "a second time changes nothing");
    let text = place.run(&["migrate"]).expect(0);
    assert!(text.starts_with("lineshift.sqlite3 is up to date: "), "{text}");
    let text = place.run(&["migrate", "--store", "sqlite://other.sqlite3"]).expect(0);
    assert!(text.starts_with("other.sqlite3 was made; ") && text.contains("applied: 0001_tenants, "), "{text}");
    let err = place.run(&["migrate", "--store", "sqlite://missing/new.sqlite3"]).failure(1);
    assert_eq!(err.matches("missing/new.sqlite3").count(), 1, "the file is named once: {err}");
}

#[test]
fn the_description_of_the_api_is_printed() {
    let document = Place::empty().run(&["openapi"]).json(0);
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/api/v1/bulk-changes"].is_object());
}

#[test]
fn exit_codes_stand_in_the_help() {
    let help = Place::empty().run(&["--help"]).expect(0);
    assert!(help.contains("3  done in part") && help.contains("4  refused"), "{help}");
    let err = Place::empty().run(&["demo", "--devices", "5"]).failure(2);
    assert!(err.contains("5 is not in 100..=2000000"), "{err}");
}

#[test]
fn rows_are_imported_as_a_whole_or_as_far_as_they_are_good() {
    let place = Place::empty();
    let err = place.run(&["import", "pools", &example("pools.csv")]).failure(2);
    assert!(err.contains("there is no store"), "{err}");
    place.run(&["migrate"]).expect(0);
    let err = place.run(&["import", "pools", &example("pools.csv")]).failure(2);
    assert_eq!(err, "error: the store has no tenant; make one: lineshift admin tenant create NAME\n");
    place.run(&["admin", "tenant", "create", "Acme"]).expect(0);

    let file = place.write("pools.csv", "id,name\n1,One\nx,Two\n3,\n");
    let ran = place.run(&["import", "pools", &file]);
    assert_eq!((ran.code, ran.out.as_str()), (4, "pools: 3 rows, 0 new, 0 replaced, 2 bad\n"));
    assert_eq!(
        ran.err,
        format!(
            "{file}: line 3, column 1 (id): found \"x\", expected a whole number from 1 to 9007199254740991\n\
             {file}: line 4, column 2 (name): found nothing, expected a name\n\
             error: 2 of 3 rows are bad; nothing was stored: correct them, or take the good ones with --take-good\n"
        )
    );
    let report = place.run(&["import", "pools", &file, "--take-good", "--json"]).json(3);
    assert_eq!((&report["rows"], &report["stored"], &report["bad_rows"]), (&3.into(), &1.into(), &2.into()));
    assert_eq!(report["problems"][0]["line"], 3);
    let again = place.run(&["import", "pools", &file, "--take-good"]).expect(3);
    assert_eq!(again, "pools: 3 rows, 0 new, 1 replaced, 2 bad\n");
}

#[test]
fn generated_files_are_written_where_they_are_wanted() {
    let place = Place::empty();
    let generate =
        |out: &str| place.run(&["examples", "generate", "--devices", "250", "--seed", "4", "--out", out, "--json"]).json(0);
    let written = generate("fleet/one");
    assert_eq!(generate("fleet/other"), written);
    let devices = std::fs::read_to_string(place.path("fleet/one/devices.csv")).expect("the file is there");
    assert_eq!(devices.lines().count(), 251);
}
