//! The words of a text in SQL: enough of a reader to find tables, their aliases and what they are searched by.

use std::collections::{BTreeMap, BTreeSet};

/// The words and signs of a text, in lower case, without comments and with every literal as `''`.
pub(super) struct Words(Vec<String>);

/// A table that a text reads or writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) table: String,
    pub(super) alias: Option<String>,
    /// What is inserted into has its columns behind it.
    pub(super) first_column: Option<String>,
}

/// A function of a migration.
pub(super) struct Function {
    pub(super) name: String,
    pub(super) first_parameter: String,
    pub(super) body: String,
}

/// What may follow a table without being its alias.
const NO_ALIAS: &[&str] = &[
    "where",
    "set",
    "on",
    "join",
    "left",
    "cross",
    "inner",
    "order",
    "group",
    "limit",
    "offset",
    "for",
    "returning",
    "using",
    "values",
    "select",
    "union",
    "with",
    "loop",
    "default",
];

impl Words {
    /// Those of a text.
    pub(super) fn of(text: &str) -> Self {
        let mut words = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let length = if first.is_whitespace() {
                first.len_utf8()
            } else if rest.starts_with("--") {
                rest.find('\n').unwrap_or(rest.len())
            } else if first == '\'' {
                let length = literal(rest);
                words.push("''".to_owned());
                length
            } else if is_of_word(first) {
                let length = rest.find(|at| !is_of_word(at)).unwrap_or(rest.len());
                words.push(rest[..length].to_lowercase());
                length
            } else {
                words.push(first.to_string());
                first.len_utf8()
            };
            rest = &rest[length..];
        }
        Self(words)
    }

    fn at(&self, place: usize) -> &str {
        self.0.get(place).map_or("", String::as_str)
    }

    /// The numbers of the parameters.
    pub(super) fn parameters(&self) -> BTreeSet<usize> {
        self.0.iter().filter_map(|word| word.strip_prefix('$')?.parse().ok()).collect()
    }

    /// Words that stand in it.
    pub(super) fn any_of<'w>(&'w self, of: &'w [&str]) -> impl Iterator<Item = &'w str> {
        self.0.iter().map(String::as_str).filter(|word| of.contains(word))
    }

    /// Words that stand in it and name no column: called, or a value by themselves.
    pub(super) fn calls_of<'w>(&'w self, of: &'w [&str]) -> impl Iterator<Item = &'w str> {
        let called = |place: &usize| self.at(place + 1) == "(" || self.at(*place).starts_with("current_");
        (0..self.0.len()).filter(called).map(|place| self.at(place)).filter(|word| of.contains(word))
    }

    /// Tables that are made here with such a column.
    pub(super) fn tables_made_with(&self, column: &str) -> Vec<String> {
        let mut tables = Vec::new();
        for place in (0..self.0.len()).filter(|place| self.at(*place) == "create" && self.at(place + 1) == "table") {
            let name = if self.at(place + 2) == "if" { place + 5 } else { place + 2 };
            if self.at(name + 1) == "(" && self.at(name + 2) == column {
                tables.push(self.at(name).to_owned());
            }
        }
        tables
    }

    /// Every mention of a table: neither a column's qualifier nor a column.
    pub(super) fn references(&self, tables: &BTreeSet<String>) -> Vec<Reference> {
        let is_mention = |place: &usize| {
            let before = place.checked_sub(1).map_or("", |before| self.at(before));
            ["from", "join", "into", "update"].contains(&before) && tables.contains(self.at(*place)) && self.at(place + 1) != "."
        };
        (0..self.0.len()).filter(is_mention).map(|place| self.reference(place)).collect()
    }

    fn reference(&self, place: usize) -> Reference {
        let inserted = self.at(place - 1) == "into";
        let mut next = place + 1;
        let mut alias = None;
        if self.at(next) == "as" {
            next += 1;
        }
        if self.at(next).chars().next().is_some_and(is_of_word) && !NO_ALIAS.contains(&self.at(next)) {
            alias = Some(self.at(next).to_owned());
            next += 1;
        }
        let first_column = (inserted && self.at(next) == "(").then(|| self.at(next + 1).to_owned());
        Reference { table: self.at(place).to_owned(), alias, first_column }
    }

    /// The tables that are not searched by tenant as often as they are mentioned; `tenants` are the words for it.
    pub(super) fn without_tenant(&self, tables: &BTreeSet<String>, tenants: &[&str]) -> Vec<String> {
        let (mut mentioned, mut wrong) = (BTreeMap::<String, usize>::new(), Vec::new());
        for reference in self.references(tables) {
            match &reference.first_column {
                Some(first) if first == "tenant_id" => {}
                Some(first) => wrong.push(format!("{} is inserted into by {first} first", reference.table)),
                None => {
                    let by = reference.alias.as_ref().unwrap_or(&reference.table);
                    *mentioned.entry(by.clone()).or_default() += 1;
                }
            }
        }
        let mut unqualified = self.searched_by("", tenants);
        for (by, times) in mentioned {
            let searched = self.searched_by(&by, tenants);
            // A table without an alias may be searched without saying whose column it is.
            let missing = times.saturating_sub(searched);
            if missing > unqualified || (missing > 0 && !tables.contains(&by)) {
                wrong.push(format!("{by} stands {times} times and is searched by tenant {searched} times"));
            } else {
                unqualified -= missing;
            }
        }
        wrong
    }

    /// How often `qualifier.tenant_id = tenant` stands here.
    fn searched_by(&self, qualifier: &str, tenants: &[&str]) -> usize {
        let is_search = |place: &usize| {
            let own = if qualifier.is_empty() {
                *place == 0 || self.at(place - 1) != "."
            } else {
                *place > 1 && self.at(place - 1) == "." && self.at(place - 2) == qualifier
            };
            own && self.at(*place) == "tenant_id" && self.at(place + 1) == "=" && tenants.contains(&self.at(place + 2))
        };
        (0..self.0.len()).filter(is_search).count()
    }

    /// What stands behind each RETURNING, item by item.
    pub(super) fn returned(&self) -> Vec<String> {
        let mut items = Vec::new();
        for place in (0..self.0.len()).filter(|place| self.at(*place) == "returning") {
            let behind: Vec<&str> = self.0[place + 1..].iter().map(String::as_str).take_while(|word| *word != ")").collect();
            items.extend(behind.split(|word| *word == ",").map(<[&str]>::concat));
        }
        items
    }

    /// The functions that a migration makes.
    pub(super) fn functions(sql: &str) -> Vec<Function> {
        let mut functions = Vec::new();
        for made in sql.split("\nCREATE FUNCTION ").chain(sql.split("\nCREATE OR REPLACE FUNCTION ").skip(1)).skip(1) {
            let (name, rest) = made.split_once('(').expect("a function has parameters");
            let first_parameter = rest.split_whitespace().next().unwrap_or_default().trim_end_matches(')').to_owned();
            let (_, rest) = rest.split_once("$$").expect("a function has a body");
            let (body, _) = rest.split_once("$$").expect("a body has an end");
            functions.push(Function { name: name.to_owned(), first_parameter, body: body.to_owned() });
        }
        functions
    }
}

fn is_of_word(at: char) -> bool {
    at.is_alphanumeric() || at == '_' || at == '$'
}

/// How long the literal is with which a text begins; two quotes in it stand for one.
fn literal(text: &str) -> usize {
    let mut end = 1;
    while let Some(at) = text[end..].find('\'') {
        end += at + 1;
        if !text[end..].starts_with('\'') {
            return end;
        }
        end += 1;
    }
    text.len()
}
