//! Reading a file and storing its rows.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context as _, Result};
use lineshift_domain::lines::{Digits, read_line};
use lineshift_domain::terms::LineIdentifier;
use lineshift_store::devices::FactsQuery;
use lineshift_store::import::IMPORT_ROWS;
use serde::Serialize;

use super::header::Header;
use super::row_lines::RowLines;
use super::{Cells, Kind, Problem, Problems, Target};
use crate::exit::Refused;

/// What an import came to.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Rows read.
    pub rows: u64,
    /// Things stored that were not there.
    pub created: u64,
    /// Things stored in the place of what was there.
    pub updated: u64,
    /// Rows that are wrong; nothing of them was stored.
    pub bad_rows: u64,
    /// How many problems they have.
    pub problem_count: u64,
    /// The first hundred of them.
    pub problems: Vec<Problem>,
}

/// Whether rows are stored, or only looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    Check,
    Store,
}

/// Reads a file and stores its rows: all of them or none, or with `take_good` those that are good. `progress` hears how
/// many of how many bytes were read.
///
/// # Errors
/// `Refused` when the header is wrong. Bad rows are no error: they stand in the report.
pub(crate) async fn run<K: Kind>(
    target: &Target<'_>,
    file: &Path,
    take_good: bool,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Report> {
    if !take_good {
        let report = pass::<K>(target, file, Pass::Check, progress).await?;
        if report.bad_rows > 0 {
            return Ok(report);
        }
    }
    pass::<K>(target, file, Pass::Store, progress).await
}

async fn pass<K: Kind>(target: &Target<'_>, file: &Path, pass: Pass, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<Report> {
    let opened = File::open(file).with_context(|| format!("opening {}", file.display()))?;
    let bytes = opened.metadata().with_context(|| format!("opening {}", file.display()))?.len();
    read_rows::<K>(target, file, BufReader::new(opened), pass, &|read| progress(read, bytes)).await
}

/// Looks through a file that is held whole, and stores nothing. `file` is how it is called where something is wrong with it.
///
/// # Errors
/// As [`run`].
pub(super) async fn look_through<K: Kind>(target: &Target<'_>, file: &Path, bytes: &[u8]) -> Result<Report> {
    read_rows::<K>(target, file, bytes, Pass::Check, &|_| ()).await
}

async fn read_rows<K: Kind>(
    target: &Target<'_>,
    file: &Path,
    source: impl Read,
    pass: Pass,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Report> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(RowLines::new(source));
    let reading = || format!("reading {}", file.display());
    let mut record = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut record).with_context(reading)? {
        return Err(Refused(format!("{} is empty, expected a header", file.display())).into());
    }
    let header = Header::read(&record, K::COLUMNS).map_err(|problems| wrong_header(file, &problems))?;

    let mut state = State { problems: Problems::default(), report: Report::default(), chunk: Vec::new() };
    let mut kind = K::begin(target).await?;
    while reader.read_byte_record(&mut record).with_context(reading)? {
        if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
            continue;
        }
        let line = record.position().map_or(0, |position| reader.get_mut().line_of(position));
        state.report.rows += 1;
        let mut cells = Cells::new(&record, &header, target.tenant.time_zone, line, &mut state.problems);
        cells.check_width();
        let row = if cells.is_sound() { kind.read(&mut cells) } else { None };
        let Some(row) = row.filter(|_| cells.is_sound()) else { continue };
        let anew = state.chunk.last().is_none_or(|(_, before)| K::begins_anew(before, &row));
        if state.chunk.len() >= IMPORT_ROWS && anew {
            progress(reader.position().byte());
            state.finish_chunk::<K>(target, pass).await?;
        }
        K::push(&mut state.chunk, line, row);
    }
    state.finish_chunk::<K>(target, pass).await?;
    progress(reader.position().byte());
    Ok(state.finished())
}

fn wrong_header(file: &Path, problems: &[Problem]) -> Refused {
    let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
    Refused(format!("the header of {} is wrong; nothing was stored:\n{}", file.display(), lines.join("\n")))
}

struct State<R> {
    problems: Problems,
    report: Report,
    chunk: Vec<(u64, R)>,
}

impl<R: Send + Sync> State<R> {
    async fn finish_chunk<K: Kind<Row = R>>(&mut self, target: &Target<'_>, pass: Pass) -> Result<()> {
        for (place, problem) in missing_lines::<K>(target, &self.chunk).await?.into_iter().rev() {
            self.chunk.remove(place);
            self.problems.add(problem);
        }
        let chunk = std::mem::take(&mut self.chunk);
        if pass == Pass::Check || chunk.is_empty() {
            return Ok(());
        }
        let (lines, rows): (Vec<u64>, Vec<R>) = chunk.into_iter().unzip();
        let imported = K::store(target, &rows).await.context("storing rows")?;
        self.report.created += imported.created;
        self.report.updated += imported.updated;
        for (place, text) in imported.refused {
            // Checked before, so that something went away meanwhile.
            let problem =
                Problem { line: lines[place], column: None, name: None, found: text, expected: "what it refers to".to_owned() };
            self.problems.add(problem);
        }
        Ok(())
    }

    fn finished(self) -> Report {
        let mut problems = self.problems.listed().to_vec();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Report { bad_rows: self.problems.bad_rows(), problem_count: self.problems.count(), problems, ..self.report }
    }
}

/// Rows whose line is not in the inventory, by place in the chunk.
async fn missing_lines<K: Kind>(target: &Target<'_>, chunk: &[(u64, K::Row)]) -> Result<Vec<(usize, Problem)>> {
    let needed = K::lines_needed(chunk);
    if needed.is_empty() {
        return Ok(Vec::new());
    }
    let identifier = LineIdentifier::Iccid;
    let digits: Vec<Digits> =
        needed.iter().map(|(_, iccid)| read_line(identifier, iccid).expect("a row's ICCID was read as one")).collect();
    let query = FactsQuery::LINE;
    let found = target.store.look_up_lines(target.tenant.id, identifier, &digits, query).await.context("looking lines up")?;
    let mut present = vec![false; needed.len()];
    for line in found {
        present[line.index as usize] = true;
    }
    let missing = needed.into_iter().zip(present).filter(|(_, present)| !present).map(|((place, iccid), _)| {
        let problem = Problem {
            line: chunk[place].0,
            column: None,
            name: None,
            found: format!("ICCID {iccid}"),
            expected: "a line of the inventory; import devices first".to_owned(),
        };
        (place, problem)
    });
    Ok(missing.collect())
}
