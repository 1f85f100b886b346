//! The line of a file in which a row really begins.
//!
//! The CSV reader says where it stood before the row: with the line ends of Windows that is before the second half of the last one, and
//! before blank lines it is before those. People count otherwise.

use std::collections::VecDeque;
use std::io::{self, Read};

/// A source that remembers the line ends in what was read ahead of the rows.
pub(super) struct RowLines<R> {
    source: R,
    /// How many bytes were read.
    read: u64,
    /// Where each line end stands, and whether a carriage return goes before it.
    ends: VecDeque<(u64, bool)>,
    last: u8,
}

impl<R> RowLines<R> {
    pub(super) const fn new(source: R) -> Self {
        Self { source, read: 0, ends: VecDeque::new(), last: 0 }
    }

    /// The line in which a row begins that the CSV reader began to look for at that place. Rows are asked for in their order.
    pub(super) fn line_of(&mut self, position: &csv::Position) -> u64 {
        let (mut place, mut line) = (position.byte(), position.line());
        while let Some(&(end, after_return)) = self.ends.front() {
            if end == place || (after_return && end == place + 1) {
                place = end + 1;
                line += 1;
            } else if end > place {
                break;
            }
            self.ends.pop_front();
        }
        line
    }
}

impl<R: Read> Read for RowLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        for (place, &byte) in (self.read..).zip(&buffer[..count]) {
            if byte == b'\n' {
                self.ends.push_back((place, self.last == b'\r'));
            }
            self.last = byte;
        }
        self.read += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line of each row.
    fn lines(text: &str) -> Vec<u64> {
        let source = RowLines::new(text.as_bytes());
        let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).buffer_capacity(3).from_reader(source);
        let (mut record, mut lines) = (csv::ByteRecord::new(), Vec::new());
        while reader.read_byte_record(&mut record).expect("rows") {
            let position = record.position().cloned().expect("a row of a file has a place");
            lines.push(reader.get_mut().line_of(&position));
        }
        lines
    }

    #[test]
    fn rows_are_counted_as_people_count_them() {
        assert_eq!(lines("a,b\n1,2\n3,4"), [1, 2, 3]);
        assert_eq!(lines("a,b\r\n1,2\r\n3,4\r\n"), [1, 2, 3]);
        assert_eq!(lines("\n\na,b\n\n\n1,2\n"), [3, 6]);
        assert_eq!(lines("\r\na,b\r\n\r\n1,2\r\n"), [2, 4]);
        assert_eq!(lines("a,b\r\n\"1\r\n1\",2\r\n3,4\r\n"), [1, 2, 4], "a line end within a text");
        assert_eq!(lines("a,b\n\"1\n\n1\",2\n\n3,4\n"), [1, 2, 6]);
    }
}
