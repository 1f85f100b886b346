//! The methods that the store's traits declare, read from their sources: whoever adds one has to try it here, too.

use std::collections::BTreeSet;
use std::path::Path;

/// `Trait::method` of every async method.
pub(crate) fn declared_methods() -> BTreeSet<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/src");
    let mut methods = BTreeSet::new();
    for file in std::fs::read_dir(directory).expect("the sources of the traits") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            read_methods(&std::fs::read_to_string(path).expect("a text"), &mut methods);
        }
    }
    methods
}

fn read_methods(source: &str, methods: &mut BTreeSet<String>) {
    let mut declaring = "";
    for line in source.lines().map(str::trim_start) {
        if let Some(name) = line.strip_prefix("pub trait ") {
            declaring = identifier(name);
        } else if let Some(name) = line.strip_prefix("async fn ") {
            // Those that begin with a dollar are declared by a macro, once for each kind of thing: they are read from its call.
            if !name.starts_with('$') {
                methods.insert(format!("{declaring}::{}", identifier(name)));
            }
        }
    }
    let Some((_, call)) = source.split_once("\ncatalogue! {") else { return };
    let words = call.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| line.split([' ', ',', ';']));
    let names = words.filter(|word| ["create_", "get_", "update_", "list_"].iter().any(|verb| word.starts_with(verb)));
    methods.extend(names.map(|name| format!("CatalogueStore::{name}")));
}

fn identifier(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len());
    &text[..end]
}
