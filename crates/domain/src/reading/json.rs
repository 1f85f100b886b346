//! Reads JSON text into a tree that keeps what an ordinary reading loses: repeated fields, the exact text of numbers,
//! and a million device names without an allocation for each.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::codes;
use super::numbers::NumberTexts;
use super::problems::unreadable;
use crate::limits::Limits;
use crate::lines::LineList;
use crate::refusal::{Refusal, RefusalClass};

/// Values in one body, those in lists of texts not counted: a million lines to activate with three fields each.
/// It bounds the memory of a body of tiny values, which the tree would otherwise hold at twenty times its size.
const MOST_VALUES: usize = 4_100_000;

/// The deepest nesting whatever the configuration says, below the depth at which the JSON reader itself gives up.
const DEEPEST: usize = 100;

/// One JSON value. Texts are borrowed from the body where they hold no escapes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number, exactly as written.
    Number(&'a str),
    /// A text.
    Text(Cow<'a, str>),
    /// An array that is empty or holds nothing but texts.
    Lines(LineList),
    /// Any other array.
    List(Vec<Node<'a>>),
    /// An object: its fields as written, in order, repeated ones included.
    Object(Entries<'a>),
}

/// The fields of an object.
pub(super) type Entries<'a> = Vec<(Cow<'a, str>, Node<'a>)>;

impl Node<'_> {
    /// What kind of value this is, for messages.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Lines(_) | Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads a body, a leading byte-order mark left out.
pub(super) fn read_json<'a>(body: &'a [u8], limits: &Limits) -> Result<Node<'a>, Refusal> {
    let most = limits.body_bytes.min(u32::MAX as usize);
    if body.len() > most {
        let text = format!("the body has {} bytes; at most {most} are allowed: order in several bulk changes", body.len());
        return Err(Refusal::one(RefusalClass::TooLarge, "", codes::BODY_TOO_LARGE, text));
    }
    let text = std::str::from_utf8(body).map_err(|error| not_utf8(body, error.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Err(unreadable(codes::MALFORMED_JSON, "the body is empty; send a JSON object"));
    }
    let mut reader = Reader {
        numbers: NumberTexts::new(text),
        values_left: MOST_VALUES,
        most_depth: limits.body_depth.min(DEEPEST),
        stopped: None,
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let read = ValueSeed { reader: &mut reader, depth: 0 }.deserialize(&mut json).and_then(|node| json.end().map(|()| node));
    read.map_err(|error| reader.refusal(&error))
}

fn not_utf8(body: &[u8], valid_up_to: usize) -> Refusal {
    let before = &body[..valid_up_to];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    unreadable(codes::NOT_UTF8, format!("the body is not UTF-8 at line {line}, column {column}; send it as UTF-8"))
}

/// Why reading was stopped by a limit of ours.
#[derive(Debug, Clone, Copy)]
enum Stop {
    TooDeep,
    TooManyValues,
}

struct Reader<'a> {
    numbers: NumberTexts<'a>,
    values_left: usize,
    most_depth: usize,
    stopped: Option<Stop>,
}

impl Reader<'_> {
    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        let Some(left) = self.values_left.checked_sub(1) else { return Err(self.stop(Stop::TooManyValues)) };
        self.values_left = left;
        Ok(())
    }

    fn stop<E: serde::de::Error>(&mut self, why: Stop) -> E {
        self.stopped = Some(why);
        E::custom("stopped")
    }

    fn refusal(&self, error: &serde_json::Error) -> Refusal {
        let place = format!("at line {}, column {}", error.line(), error.column());
        match self.stopped {
            Some(Stop::TooDeep) => {
                let most = self.most_depth;
                unreadable(codes::TOO_DEEP, format!("the body nests deeper than {most} levels {place}; flatten it"))
            }
            Some(Stop::TooManyValues) => unreadable(
                codes::TOO_MANY_VALUES,
                format!("the body holds more than {MOST_VALUES} values {place}; order in several bulk changes"),
            ),
            None => {
                let full = error.to_string();
                let what = full.rsplit_once(" at line ").map_or(full.as_str(), |(what, _)| what);
                unreadable(codes::MALFORMED_JSON, format!("the body is not JSON {place}: {what}; send one JSON object"))
            }
        }
    }
}

/// Reads one value. `depth` is that of the value around it.
struct ValueSeed<'r, 'a> {
    reader: &'r mut Reader<'a>,
    depth: usize,
}

impl<'r, 'a> ValueSeed<'r, 'a> {
    fn number<E: serde::de::Error>(self) -> Result<Node<'a>, E> {
        self.reader.count()?;
        // The parser met a number here, so the text holds one; the default only keeps this free of panics.
        Ok(Node::Number(self.reader.numbers.next().unwrap_or_default()))
    }

    fn enter<E: serde::de::Error>(self) -> Result<(&'r mut Reader<'a>, usize), E> {
        self.reader.count()?;
        if self.depth >= self.reader.most_depth {
            return Err(self.reader.stop(Stop::TooDeep));
        }
        Ok((self.reader, self.depth + 1))
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, 'de> {
    type Value = Node<'de>;
    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Node<'de>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_, 'de> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Node<'de>, E> {
        self.reader.count().map(|()| Node::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<Node<'de>, E> {
        self.reader.count().map(|()| Node::Flag(flag))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Node<'de>, E> {
        self.number()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Node<'de>, E> {
        self.number()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Node<'de>, E> {
        self.number()
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Node<'de>, E> {
        self.reader.count().map(|()| Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node<'de>, E> {
        self.reader.count().map(|()| Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Node<'de>, A::Error> {
        let (reader, depth) = self.enter()?;
        let mut lines = LineList::default();
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(ElementSeed { reader, depth, lines: &mut lines })? {
            let Some(other_than_text) = element else { continue };
            list.reserve(lines.len() + 1);
            for text in lines.iter() {
                reader.count()?;
                list.push(Node::Text(Cow::Owned(text.to_owned())));
            }
            list.push(other_than_text);
            break;
        }
        if list.is_empty() {
            return Ok(Node::Lines(lines));
        }
        while let Some(node) = elements.next_element_seed(ValueSeed { reader, depth })? {
            list.push(node);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node<'de>, A::Error> {
        let (reader, depth) = self.enter()?;
        let mut entries = Vec::new();
        while let Some(name) = fields.next_key_seed(NameSeed)? {
            entries.push((name, fields.next_value_seed(ValueSeed { reader, depth })?));
        }
        Ok(Node::Object(entries))
    }
}

/// Reads an element of an array that held nothing but texts so far: a text goes into the list and gives none.
struct ElementSeed<'r, 'l, 'a> {
    reader: &'r mut Reader<'a>,
    depth: usize,
    lines: &'l mut LineList,
}

impl<'r, 'a> ElementSeed<'r, '_, 'a> {
    fn value(self) -> ValueSeed<'r, 'a> {
        ValueSeed { reader: self.reader, depth: self.depth }
    }
}

impl<'de> DeserializeSeed<'de> for ElementSeed<'_, '_, 'de> {
    type Value = Option<Node<'de>>;
    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Option<Node<'de>>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ElementSeed<'_, '_, 'de> {
    type Value = Option<Node<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Option<Node<'de>>, E> {
        self.lines.push(text);
        Ok(None)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Option<Node<'de>>, E> {
        self.value().visit_unit().map(Some)
    }

    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<Option<Node<'de>>, E> {
        self.value().visit_bool(flag).map(Some)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Option<Node<'de>>, E> {
        self.value().visit_i64(number).map(Some)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Option<Node<'de>>, E> {
        self.value().visit_u64(number).map(Some)
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Option<Node<'de>>, E> {
        self.value().visit_f64(number).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Option<Node<'de>>, A::Error> {
        self.value().visit_seq(elements).map(Some)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Option<Node<'de>>, A::Error> {
        self.value().visit_map(fields).map(Some)
    }
}

/// Reads the name of a field without a copy where it holds no escapes.
struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;
    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Cow<'de, str>, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
