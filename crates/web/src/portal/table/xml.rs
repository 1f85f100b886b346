//! XML of which nobody knows how much it is: read event by event, each of them bounded, and all of them together.

use std::io::{BufRead, BufReader, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::{Unreadable, xlsx};

/// The most bytes of a text, a tag or whatever else stands between two others; a spreadsheet's cell has 32,767 characters.
const EVENT: usize = 1 << 20;

/// Elements within each other; a sheet has six.
const DEPTH: usize = 100;

/// A part of a workbook.
pub(super) struct Part<'z> {
    reader: Reader<Bounded<'z>>,
    buffer: Vec<u8>,
    depth: usize,
}

impl<'z> Part<'z> {
    /// Reads from there, as long as bytes are left: what an archive says of its own size may be a lie.
    pub(super) fn new(content: impl Read + 'z, left: &'z mut u64) -> Self {
        let content: Box<dyn Read + 'z> = Box::new(content);
        let bounded = Bounded { content: BufReader::new(content), of_event: EVENT, left, is_over: false };
        let mut reader = Reader::from_reader(bounded);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), depth: 0 }
    }

    /// The next event; after the last one there is none. Errors: the part is no XML, or too large.
    pub(super) fn next(&mut self) -> Result<Option<Event<'_>>, Unreadable> {
        self.buffer.clear();
        self.reader.get_mut().of_event = EVENT;
        match self.reader.read_event_into(&mut self.buffer) {
            Ok(Event::Eof) => Ok(None),
            Ok(event) => {
                match &event {
                    Event::Start(_) => self.depth += 1,
                    Event::End(_) => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                if self.depth > DEPTH { Err(xlsx::too_large()) } else { Ok(Some(event)) }
            }
            Err(_) if self.reader.get_ref().is_over => Err(xlsx::too_large()),
            Err(error) => Err(xlsx::unreadable(&error)),
        }
    }
}

/// An attribute by its name, whatever its prefix.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let found = attributes.with_checks(false).flatten().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
}

/// Bytes that end in an error where they are too many.
struct Bounded<'z> {
    content: BufReader<Box<dyn Read + 'z>>,
    /// How many are left of the event that is read.
    of_event: usize,
    /// How many are left of all parts.
    left: &'z mut u64,
    is_over: bool,
}

impl Read for Bounded<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Bounded<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.of_event == 0 || *self.left == 0 {
            self.is_over = true;
            return Err(std::io::Error::other("there is more than is read"));
        }
        self.content.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.of_event = self.of_event.saturating_sub(bytes);
        *self.left = self.left.saturating_sub(bytes as u64);
        self.content.consume(bytes);
    }
}
