//! The small bodies of `/api/v1`: reference data, accounts, people and keys.

use lineshift_web::reading::{Body, Reader};
use lineshift_web::views::ProblemView;

use crate::Run;
use crate::json_layout::spread;
use crate::refusals::{self, Said};
use crate::world::World;

/// The first byte of an input chooses the kind, the rest is the body.
pub(crate) fn begin() -> Run {
    let world = World::new();
    let reader = Reader::new(world.engine());
    Box::new(move |bytes| {
        let _alive = &world;
        if let Some((kind, body)) = crate::choose(bytes, &Body::ALL) {
            read(&reader, kind, body);
        }
    })
}

fn read(reader: &Reader, kind: Body, body: &[u8]) {
    match reader.body(kind, body) {
        Ok(read) => {
            assert_eq!(reader.body(kind, &spread(body)).as_ref(), Ok(&read), "another layout, another meaning");
            assert!(read.unchanged.is_none_or(|unchanged| unchanged == read.meaning), "a change of nothing changes something");
        }
        Err(problem) => check(&problem),
    }
}

/// What holds for every problem that is answered.
pub(crate) fn check(problem: &ProblemView) {
    assert!(problem.detail.len() <= 2_000, "a detail of {} bytes", problem.detail.len());
    let said = problem.errors.iter().map(|error| Said { field: &error.field, code: &error.code, message: &error.message });
    refusals::check(said, problem.status == 422);
}
