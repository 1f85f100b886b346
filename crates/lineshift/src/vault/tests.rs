//! Key files as people and the command write them, and processes that read them while they change.

use lineshift_connectors::credentials::KeyId;
use lineshift_domain::ids::{ServiceProviderId, TenantId};

use super::key_file::HeldKeyFile;
use super::*;

const ROW: SealedFor = SealedFor::Callbacks(TenantId(1), ServiceProviderId(2));

fn new_key() -> (SecretString, KeyId) {
    let text = Vault::generate_key_text().expect("random bytes");
    let id = Vault::from_key_text(&text).expect("a key").key_id();
    (text, id)
}

/// A directory with a key file that holds this text.
fn file_with(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("secret.key");
    key_file::write_new(&path, &SecretString::from(text)).expect("written");
    (directory, path)
}

fn overwrite(path: &Path, text: &str) {
    std::fs::write(path, text).expect("written");
}

fn text() -> SecretString {
    SecretString::from("topsecret")
}

#[test]
fn a_key_file_has_a_key_a_line() {
    let [(one, first), (two, second), (three, third)] = [new_key(), new_key(), new_key()];
    let lines = format!(
        "# of the\n\n  {}  # the present one\r\n{}\nnext {}\n#end",
        one.expose_secret(),
        two.expose_secret(),
        three.expose_secret()
    );
    let (_directory, path) = file_with(&lines);
    let file = KeyFile::read(&path).expect("a key file");
    assert_eq!((file.sealing(), file.old(), file.next()), (first, vec![second], Some(third)));
    assert_eq!(file.ring().key_ids(), [first, second, third]);
}

#[test]
fn a_line_that_is_no_key_is_named_and_not_shown() {
    let (one, _) = new_key();
    for (text, said) in [
        (format!("{}\nhunter2", one.expose_secret()), "line 2: a key is base64 of 32 bytes"),
        (format!("next {}", one.expose_secret()), "it holds no key that seals"),
        ("# nothing\n".to_owned(), "it holds no key that seals"),
        ("#".repeat(20_000), "is too large for a key file"),
    ] {
        let (_directory, path) = file_with(&text);
        let error = KeyFile::read(&path).err().expect("refused").to_string();
        assert!(error.contains(said) && !error.contains("hunter2") && !error.contains(one.expose_secret()), "{error}");
    }
}

#[test]
fn a_rotation_keeps_comments_and_owner_and_puts_the_new_key_first() {
    let (one, first) = new_key();
    let (_directory, path) = file_with(&format!("# of Acme\n{} # old", one.expose_secret()));
    // Left by one that was killed while it wrote.
    overwrite(&path.with_extension("key.new"), "half");
    let (two, second) = new_key();
    let mut held = HeldKeyFile::lock(&path).expect("locked");
    held.keys.add_next(two.clone(), "made today").expect("a key");
    held.store().expect("stored");
    let written = std::fs::read_to_string(&path).expect("the file");
    let (one, two) = (one.expose_secret(), two.expose_secret());
    assert_eq!(written, format!("# of Acme\n{one} # old\nnext {two} # made today\n"));
    held.keys.promote_next();
    held.store().expect("stored");
    let file = KeyFile::read(&path).expect("a key file");
    assert_eq!((file.sealing(), file.old(), file.next()), (second, vec![first], None));
    held.keys.drop_old();
    held.store().expect("stored");
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), format!("# of Acme\n{two} # made today\n"));
    assert!(!path.with_extension("key.new").exists());
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata().expect("the file").permissions()) & 0o777, 0o600);
}

#[test]
fn one_command_changes_the_keys_at_a_time() {
    let (_directory, path) = file_with(new_key().0.expose_secret());
    let mut held = HeldKeyFile::lock(&path).expect("locked");
    assert!(HeldKeyFile::lock(&path).err().expect("held").to_string().contains("another command is changing the keys"));
    held.store().expect("stored");
    assert!(HeldKeyFile::lock(&path).is_err(), "the file that took its place is held as well");
    drop(held);
    HeldKeyFile::lock(&path).expect("free again");
}

#[test]
fn a_running_process_follows_its_file_without_a_restart() {
    let [(one, first), (two, second)] = [new_key(), new_key()];
    let (one, two) = (one.expose_secret(), two.expose_secret());
    let (_directory, path) = file_with(one);
    let keys = Keys::of_file(path.clone()).expect("keys");
    let under_first = keys.seal(ROW, &text()).expect("sealed");
    overwrite(&path, &format!("{one}\nnext {two}\n"));
    assert_eq!(Vault::needed_key(&keys.seal(ROW, &text()).expect("sealed")), Ok(first), "it does not seal yet");
    let other = Vault::from_key_text(&SecretString::from(two)).expect("a key");
    let under_second = other.seal(ROW, &text()).expect("sealed");
    assert!(keys.open(ROW, &under_second).is_ok(), "and opens");
    overwrite(&path, &format!("{two}\n{one}\n"));
    assert_eq!(Vault::needed_key(&keys.seal(ROW, &text()).expect("sealed")), Ok(second));
    assert!(keys.open(ROW, &under_first).is_ok(), "the old key opens still");
    overwrite(&path, two);
    assert!(matches!(keys.open(ROW, &under_first), Err(VaultError::OtherKey { .. })), "dropped");
}

#[test]
fn a_file_that_cannot_be_read_leaves_the_keys_that_were() {
    let [(one, _), (two, second)] = [new_key(), new_key()];
    let (_directory, path) = file_with(one.expose_secret());
    let keys = Keys::of_file(path.clone()).expect("keys");
    let sealed = keys.seal(ROW, &text()).expect("sealed");
    overwrite(&path, "half a ke");
    assert!(keys.open(ROW, &sealed).is_ok() && keys.seal(ROW, &text()).is_ok());
    std::fs::remove_file(&path).expect("removed");
    assert!(keys.open(ROW, &sealed).is_ok());
    key_file::write_new(&path, &two).expect("written");
    assert_eq!(Vault::needed_key(&keys.seal(ROW, &text()).expect("sealed")), Ok(second), "and follows it when it is there again");
    #[cfg(unix)]
    {
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(&path, readable).expect("a mode");
        assert!(keys.seal(ROW, &text()).is_ok());
        assert!(Keys::of_file(path).err().expect("refused").to_string().contains("others may read the key file"));
    }
}

#[test]
fn the_environment_may_hold_several_keys() {
    let [(one, first), (two, second)] = [new_key(), new_key()];
    let (one, two) = (one.expose_secret(), two.expose_secret());
    let as_in_a_file = format!("# of Acme\nnext {two} # made today\n{one}\n");
    for text in [format!("{one},{two}"), format!(" {one}, {two}\n"), format!("{one} {two}"), as_in_a_file] {
        assert_eq!(of_environment(&SecretString::from(text)).expect("keys").key_ids(), [first, second]);
    }
    for wrong in ["", " , ", "key", "next", &format!("next {one}"), &format!("{one},key")] {
        let error = of_environment(&SecretString::from(wrong)).expect_err("refused").to_string();
        assert!(error.starts_with("LINESHIFT_SECRET_KEY: a key is base64") && !error.contains(one), "{error}");
    }
}
