//! Files that are imported.

use lineshift::import::kinds::FileKind;

use crate::Run;
use crate::world::World;

/// The most characters of a problem: a cell is repeated in part, and what was expected may list columns or names.
const MOST_SAID: usize = 1_000;

/// The first byte of an input chooses the kind, the rest is the file.
pub(crate) fn begin() -> Run {
    let world = World::new();
    Box::new(move |bytes| {
        if let Some((kind, file)) = crate::choose(bytes, FileKind::all()) {
            read(&world, kind, file);
        }
    })
}

fn read(world: &World, kind: FileKind, file: &[u8]) {
    let target = world.target();
    match world.runtime.block_on(kind.look_through(&target, file)) {
        Ok(report) => {
            assert!(report.bad_rows <= report.rows && report.bad_rows <= report.problem_count, "{report:?}");
            assert_eq!(report.problem_count == 0, report.problems.is_empty());
            assert_eq!((report.created, report.updated), (0, 0), "nothing is stored");
            assert!(report.problems.len() <= 100);
            for problem in &report.problems {
                assert!(problem.line > 1, "the header is no row: {problem}");
                assert!(problem.to_string().chars().count() <= MOST_SAID, "{problem}");
            }
        }
        Err(refused) => {
            let said = format!("{refused:#}");
            assert!(said.contains("header") || said.contains("reading"), "{said}");
            assert!(said.chars().count() <= 100 * MOST_SAID, "{} characters are said", said.len());
        }
    }
}
