//! Server-sent events, as far as the API sends them: an `event` and one line of `data` each.

use anyhow::{Context as _, Result};
use reqwest::Response;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Its name.
    pub(super) name: String,
    /// Its data.
    pub(super) data: String,
}

/// The events of an answer as they arrive.
pub(super) struct Events {
    response: Response,
    reader: Reader,
}

impl Events {
    pub(super) fn of(response: Response) -> Self {
        Self { response, reader: Reader::default() }
    }

    /// The next event; none when the stream has ended.
    pub(super) async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.reader.next_event() {
                return Ok(Some(event));
            }
            let Some(chunk) = self.response.chunk().await.context("listening to the server")? else { return Ok(None) };
            self.reader.add(&chunk);
        }
    }
}

/// Takes events out of bytes, however those were cut.
#[derive(Debug, Default)]
struct Reader {
    bytes: Vec<u8>,
}

impl Reader {
    fn add(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
    }

    /// The next whole event; comments, which keep the connection open, are none.
    fn next_event(&mut self) -> Option<Event> {
        loop {
            let end = self.bytes.windows(2).position(|pair| pair == b"\n\n")?;
            let block: Vec<u8> = self.bytes.drain(..end + 2).collect();
            let block = String::from_utf8_lossy(&block);
            let field = |name: &str| {
                block.lines().filter_map(|line| line.strip_prefix(name)).map(|value| value.trim_start().to_owned()).next_back()
            };
            if let Some(data) = field("data:") {
                return Some(Event { name: field("event:").unwrap_or_else(|| "message".to_owned()), data });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_however_the_bytes_were_cut() {
        let text = ": hello\n\nevent: progress\nid: 1\ndata: {\"a\":1}\n\ndata: plain\n\nevent: done\ndata: {}\n\nevent: cut";
        let event = |name: &str, data: &str| Event { name: name.to_owned(), data: data.to_owned() };
        let expected = [event("progress", "{\"a\":1}"), event("message", "plain"), event("done", "{}")];
        for size in [1, 2, 3, 7, text.len()] {
            let mut reader = Reader::default();
            let mut found = Vec::new();
            for chunk in text.as_bytes().chunks(size) {
                reader.add(chunk);
                found.extend(std::iter::from_fn(|| reader.next_event()));
            }
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }
}
