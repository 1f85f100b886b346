//! The fields of one JSON object: matched with the known names, unknown and repeated ones reported.

use super::codes;
use super::json::{Entries, Node, read_json};
use super::nearest::nearest;
use super::problems::{Problems, shown, unreadable};
use crate::limits::Limits;
use crate::refusal::{Refusal, place_of};

/// Names of the fields that an object may have, in groups that several objects share.
pub(super) type Known = &'static [&'static [&'static str]];

/// An object whose fields are taken out one by one, each by its known name.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    path: String,
    known: Known,
    values: Vec<Option<Node<'a>>>,
}

impl<'a> Fields<'a> {
    /// Reads a body that must be one object.
    pub(super) fn of_body(body: &'a [u8], known: Known, limits: &Limits, problems: &mut Problems) -> Result<Self, Refusal> {
        match read_json(body, limits)? {
            Node::Object(entries) => Ok(Self::open(String::new(), known, entries, problems)),
            other => {
                let message = format!("the body is {}, expected a JSON object", other.kind());
                Err(unreadable(codes::NOT_AN_OBJECT, message))
            }
        }
    }

    /// Matches the fields of the object at `path` (empty for the body itself).
    pub(super) fn open(path: String, known: Known, entries: Entries<'a>, problems: &mut Problems) -> Self {
        let mut fields = Self { path, known, values: Vec::new() };
        fields.values.resize_with(fields.names().count(), || None);
        for (written, node) in entries {
            let Some(nth) = fields.names().position(|name| name.eq_ignore_ascii_case(&written)) else {
                fields.report_unknown(&written, problems);
                continue;
            };
            if fields.values[nth].replace(node).is_some() {
                let message = format!("{} stands there more than once; give it once", shown(&written));
                problems.add(fields.path_at(nth), codes::REPEATED_FIELD, message);
            }
        }
        fields
    }

    fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.known.iter().flat_map(|group| group.iter().copied())
    }

    fn report_unknown(&self, written: &str, problems: &mut Problems) {
        let advice = match nearest(written, self.names()) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("leave it out; known here are {}", self.names().collect::<Vec<_>>().join(", ")),
        };
        let path = self.path_of(place_of(&written.chars().take(64).collect::<String>()));
        problems.add(path, codes::UNKNOWN_FIELD, format!("there is no field {} here; {advice}", shown(written)));
    }

    fn path_at(&self, nth: usize) -> String {
        self.path_of(self.names().nth(nth).unwrap_or_default())
    }

    fn position(&self, name: &str) -> usize {
        self.names().position(|known| known == name).expect("the code asks for known fields only")
    }

    /// The path of a field of this object, for messages.
    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Whether the field was given, with anything but `null`, and not taken yet.
    pub(super) fn is_given(&self, name: &str) -> bool {
        !matches!(self.values[self.position(name)], None | Some(Node::Null))
    }

    /// Whether the field was given and asks for something: `false`, an empty text and an empty array do not.
    pub(super) fn asks(&self, name: &str) -> bool {
        match &self.values[self.position(name)] {
            None | Some(Node::Null | Node::Flag(false)) => false,
            Some(Node::Text(text)) => !text.is_empty(),
            Some(Node::Lines(lines)) => !lines.is_empty(),
            Some(_) => true,
        }
    }

    /// Takes the field's value; none where it is absent or `null`.
    pub(super) fn take(&mut self, name: &str) -> Option<Node<'a>> {
        let nth = self.position(name);
        self.values[nth].take().filter(|node| *node != Node::Null)
    }

    /// Reports a problem with one of the fields.
    pub(super) fn report(&self, name: &str, code: &'static str, message: impl Into<String>, problems: &mut Problems) {
        problems.add(self.path_of(name), code, message);
    }

    /// Reports a value of another type than `expected`.
    pub(super) fn report_type(&self, name: &str, found: &Node<'_>, expected: &str, problems: &mut Problems) {
        self.report(name, codes::WRONG_TYPE, format!("found {}, expected {expected}", found.kind()), problems);
    }

    /// Whether the field was given; reports that it is missing if not.
    pub(super) fn require(&self, name: &str, expected: &str, problems: &mut Problems) -> bool {
        let given = self.is_given(name);
        if !given {
            self.report(name, codes::MISSING_FIELD, format!("missing; give {expected}"), problems);
        }
        given
    }
}
