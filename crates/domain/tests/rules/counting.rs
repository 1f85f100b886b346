//! The status of a bulk change against the words of B2.1.

use lineshift_domain::counts::{Counts, derive_status};
use lineshift_domain::terms::BulkChangeStatus as Bulk;
use lineshift_domain::terms::DeviceChangeStatus::{self as Row, Canceled, Error, New, Pending, Processed, Processing};
use proptest::prelude::*;

/// B2.1 read aloud: the first line that fits.
pub(crate) fn by_the_words(receiving: bool, page_begun: bool, rows: &[Row]) -> Bulk {
    let open = rows.iter().any(|row| [New, Processing, Pending].contains(row));
    let words: [(bool, Bulk); 7] = [
        (receiving, Bulk::Receiving),
        (!page_begun && open, Bulk::New),
        (open, Bulk::Processing),
        (rows.iter().all(|row| *row == Processed), Bulk::Processed),
        (rows.contains(&Processed), Bulk::Partial),
        (rows.iter().all(|row| *row == Canceled), Bulk::Canceled),
        (true, Bulk::Error),
    ];
    words.into_iter().find_map(|(fits, status)| fits.then_some(status)).expect("the last line always fits")
}

pub(crate) fn recount(rows: &[Row]) -> Counts {
    let count = |statuses: &[Row]| rows.iter().filter(|row| statuses.contains(row)).count() as i64;
    Counts {
        total: rows.len() as i64,
        open: count(&[New, Processing, Pending]),
        processed: count(&[Processed]),
        error: count(&[Error]),
        canceled: count(&[Canceled]),
    }
}

#[test]
fn each_status_has_its_example() {
    let derived = |receiving, page_begun, rows: &[Row]| derive_status(receiving, page_begun, &recount(rows));
    assert_eq!(derived(true, false, &[New]), Bulk::Receiving);
    assert_eq!(derived(false, false, &[New, Error]), Bulk::New);
    assert_eq!(derived(false, true, &[New, Processed]), Bulk::Processing);
    assert_eq!(derived(false, true, &[Pending, Error]), Bulk::Processing);
    assert_eq!(derived(false, true, &[Processed, Processed]), Bulk::Processed);
    assert_eq!(derived(false, true, &[Processed, Error]), Bulk::Partial);
    assert_eq!(derived(false, true, &[Processed, Canceled]), Bulk::Partial);
    assert_eq!(derived(false, false, &[Canceled, Canceled]), Bulk::Canceled);
    assert_eq!(derived(false, true, &[Canceled, Error]), Bulk::Error);
    assert_eq!(derived(false, false, &[Error]), Bulk::Error);
}

proptest! {
    #![proptest_config(crate::cases(1024))]

    #[test]
    fn the_derived_status_is_that_of_the_words(
        receiving in any::<bool>(),
        page_begun in any::<bool>(),
        rows in prop::collection::vec(prop::sample::select(Row::ALL), 0..6),
    ) {
        let counts = recount(&rows);
        prop_assert!(counts.add_up());
        prop_assert_eq!(derive_status(receiving, page_begun, &counts), by_the_words(receiving, page_begun, &rows));
    }
}
