//! The lines of an order by flags: one a line of a file.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::exit::WrongCall;

/// What first lines say that are a header.
const HEADERS: [&str; 4] = ["iccid", "iccids", "number", "numbers"];

/// Reads a file, or standard input for `-`.
pub(super) fn read_input(file: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes).context("reading standard input")?;
    } else {
        bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    }
    Ok(bytes)
}

/// Reads lines; blank ones and a header are left out. A file with several columns is refused; what else is wrong with a line
/// the server says.
pub(super) fn read_lines(file: &Path) -> Result<Vec<String>> {
    let bytes = read_input(file)?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(WrongCall(format!("{} is not UTF-8", file.display())).into());
    };
    if let Some((number, line)) = first_of_columns(&text) {
        let shown: String = line.chars().take(60).collect();
        let hint = "expected one ICCID or number a line; keep only that column of the file";
        return Err(WrongCall(format!("{}, line {number}: found {shown:?}, {hint}", file.display())).into());
    }
    let lines: Vec<String> = lines_of(&text);
    if lines.is_empty() {
        return Err(WrongCall(format!("{} names no line", file.display())).into());
    }
    Ok(lines)
}

/// The first line that has several columns, with its number from 1.
fn first_of_columns(text: &str) -> Option<(usize, &str)> {
    text.lines().enumerate().find(|(_, line)| line.contains([',', ';'])).map(|(nth, line)| (nth + 1, line.trim()))
}

fn lines_of(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_header = |line: &str| HEADERS.iter().any(|header| header.eq_ignore_ascii_case(line.trim_matches('"')));
    lines.enumerate().filter(|(nth, line)| *nth > 0 || !is_header(line)).map(|(_, line)| line.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_columns_is_noticed_at_its_first_line() {
        assert_eq!(first_of_columns("iccid\n8901 1234\n"), None);
        assert_eq!(first_of_columns("iccid,status\n8901,ACTIVATED\n"), Some((1, "iccid,status")));
        assert_eq!(first_of_columns("8901\n\n8902;x\r\n"), Some((3, "8902;x")));
    }

    #[test]
    fn blank_lines_a_header_and_a_byte_order_mark_are_left_out() {
        assert_eq!(lines_of("\u{feff}ICCID\r\n 8901 \r\n\r\n8902\n"), ["8901", "8902"]);
        assert_eq!(lines_of("8901\niccid\n"), ["8901", "iccid"]);
        assert!(lines_of(" \n\n").is_empty());
    }
}
