//! The first line of a file: which column stands where.

use lineshift_domain::reading::nearest;

use super::problems::{Problem, shown};

/// A column that a kind of file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name in the header, whatever the case.
    pub(crate) name: &'static str,
    /// Whether the header must have it. Whether its cells may be blank is the kind's to say.
    pub(crate) required: bool,
}

/// A column that must be there.
pub(crate) const fn required(name: &'static str) -> Column {
    Column { name, required: true }
}

/// A column that may be left out.
pub(crate) const fn optional(name: &'static str) -> Column {
    Column { name, required: false }
}

/// Where each known column stands.
#[derive(Debug)]
pub(crate) struct Header {
    /// How many columns the file has.
    pub(super) width: usize,
    places: Vec<(&'static str, usize)>,
}

impl Header {
    /// Reads the header, or answers all that is wrong with it.
    pub(super) fn read(record: &csv::ByteRecord, columns: &[Column]) -> Result<Self, Vec<Problem>> {
        let mut header = Self { width: record.len(), places: Vec::new() };
        let mut problems = Vec::new();
        for (place, cell) in record.iter().enumerate() {
            let written = String::from_utf8_lossy(cell);
            let name = written.trim_matches(['\u{feff}', ' ', '\t']);
            match columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)) {
                Some(column) if header.place(column.name).is_some() => {
                    problems.push(problem(place, name, "each column once".to_owned()));
                }
                Some(column) => header.places.push((column.name, place)),
                None => problems.push(problem(place, name, expected(name, columns))),
            }
        }
        for missing in columns.iter().filter(|column| column.required && header.place(column.name).is_none()) {
            problems.push(Problem {
                line: 1,
                column: None,
                name: None,
                found: format!("no column {}", missing.name),
                expected: format!("the columns {}", names(columns)),
            });
        }
        if problems.is_empty() { Ok(header) } else { Err(problems) }
    }

    /// Where a column stands, from 0.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.iter().find(|(known, _)| *known == name).map(|(_, place)| *place)
    }
}

fn problem(place: usize, name: &str, expected: String) -> Problem {
    Problem { line: 1, column: Some(place + 1), name: Some("header".to_owned()), found: shown(name), expected }
}

fn expected(name: &str, columns: &[Column]) -> String {
    if name.contains([';', '\t']) {
        return format!("columns separated by commas: {}", names(columns));
    }
    let known = columns.iter().map(|column| column.name);
    match nearest(name, known) {
        Some(meant) => format!("{meant} (is that what was meant?)"),
        None => format!("one of {}", names(columns)),
    }
}

fn names(columns: &[Column]) -> String {
    let (required, optional): (Vec<&Column>, Vec<&Column>) = columns.iter().partition(|column| column.required);
    let list = |columns: &[&Column]| columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ");
    if optional.is_empty() { list(&required) } else { format!("{}, and if wanted {}", list(&required), list(&optional)) }
}
