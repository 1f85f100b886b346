//! Rows and steps under every sequence of claiming, sending, settling, canceling and retrying.

use lineshift_domain::counts::{Counts, derive_status};
use lineshift_domain::states::{codes, may_cancel, may_cancel_row, may_retry, may_start};
use lineshift_domain::terms::{BulkChangeStatus as Bulk, DeviceChangeStatus as Row, StepState};
use proptest::prelude::*;

use crate::counting::{by_the_words, recount};

/// What happens to a bulk change; rows and choices are taken modulo what there is.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// A worker takes the change up.
    Begin,
    /// A row is moved, if that is allowed.
    Move { row: usize, to: Row },
    /// A step of an open row is moved, if that is allowed.
    Step { row: usize, step: usize, to: StepState },
    /// B10.1.
    Cancel,
    /// B10.2.
    Retry,
}

fn events() -> impl Strategy<Value = Event> {
    let state = prop::sample::select(StepState::ALL);
    prop_oneof![
        1 => Just(Event::Begin),
        6 => (any::<usize>(), prop::sample::select(Row::ALL)).prop_map(|(row, to)| Event::Move { row, to }),
        6 => (any::<usize>(), 0..2_usize, state).prop_map(|(row, step, to)| Event::Step { row, step, to }),
        1 => Just(Event::Cancel),
        1 => Just(Event::Retry),
    ]
}

/// A bulk change as the store keeps it: the counts are moved with the rows and never recounted.
#[derive(Debug)]
struct Change {
    rows: Vec<(Row, [StepState; 2])>,
    counts: Counts,
    begun: bool,
    done_as_asked: Vec<usize>,
}

impl Change {
    fn new(rows: usize) -> Self {
        let total = rows as i64;
        Self {
            rows: vec![(Row::New, [StepState::Pending; 2]); rows],
            counts: Counts { total, open: total, ..Counts::default() },
            begun: false,
            done_as_asked: Vec::new(),
        }
    }

    fn status(&self) -> Bulk {
        derive_status(false, self.begun, &self.counts)
    }

    fn bucket(&mut self, status: Row) -> &mut i64 {
        match status {
            Row::New | Row::Processing | Row::Pending => &mut self.counts.open,
            Row::Processed => &mut self.counts.processed,
            Row::Error => &mut self.counts.error,
            Row::Canceled => &mut self.counts.canceled,
        }
    }

    fn move_row(&mut self, row: usize, to: Row) {
        let from = self.rows[row].0;
        if !from.can_move_to(to) || (to == Row::Canceled && !may_cancel_row(from, &self.rows[row].1)) {
            return;
        }
        *self.bucket(from) -= 1;
        *self.bucket(to) += 1;
        self.rows[row].0 = to;
        if to == Row::Processed {
            self.done_as_asked.push(row);
        }
    }

    fn happen(&mut self, event: Event) {
        let rows = self.rows.len();
        match event {
            Event::Begin => self.begun = true,
            Event::Move { row, to } if self.begun && to != Row::New => self.move_row(row % rows, to),
            Event::Move { .. } => {}
            Event::Step { row, step, to } => {
                let (status, steps) = &mut self.rows[row % rows];
                if self.begun && status.is_open() && steps[step].can_move_to(to) {
                    steps[step] = to;
                }
            }
            Event::Cancel if may_cancel(self.status(), false).is_ok() => (0..rows).for_each(|row| {
                if self.rows[row].0.is_open() {
                    self.move_row(row, Row::Canceled);
                }
            }),
            Event::Retry if may_retry(self.status(), false).is_ok() => (0..rows).for_each(|row| {
                if self.rows[row].0 == Row::Error {
                    self.move_row(row, Row::New);
                }
            }),
            Event::Cancel | Event::Retry => {}
        }
    }
}

proptest! {
    #![proptest_config(crate::cases(256))]

    #[test]
    fn every_row_ends_and_the_counts_add_up(rows in 1..6_usize, history in prop::collection::vec(events(), 0..120)) {
        let mut change = Change::new(rows);
        for event in history {
            let before = change.rows.clone();
            change.happen(event);
            let statuses: Vec<Row> = change.rows.iter().map(|(status, _)| *status).collect();
            prop_assert!(change.counts.add_up());
            prop_assert_eq!(change.counts, recount(&statuses));
            prop_assert_eq!(change.status(), by_the_words(false, change.begun, &statuses));
            for row in &change.done_as_asked {
                prop_assert_eq!(statuses[*row], Row::Processed, "what was done as asked stays so");
            }
            for ((was, _), (is, steps)) in before.iter().zip(&change.rows) {
                let sent = steps.iter().any(|step| step.may_be_sent());
                prop_assert!(*is != Row::Canceled || *was == Row::Canceled || !sent, "canceled after something was sent");
            }
        }
        for row in 0..rows {
            change.move_row(row, Row::Error);
        }
        prop_assert_eq!(change.counts.open, 0, "whatever happened, every open row can be ended");
        prop_assert!(change.rows.iter().all(|(status, _)| !status.is_open()));
    }
}

#[test]
fn every_open_row_can_end_and_only_errors_begin_again() {
    for from in Row::ALL {
        assert!(!from.can_move_to(*from), "{from} to itself is no move");
        for to in Row::ALL {
            let allowed = from.can_move_to(*to);
            if from.is_open() && !to.is_open() {
                assert!(allowed, "{from} to {to}");
            }
            if !from.is_open() {
                assert_eq!(allowed, (*from, *to) == (Row::Error, Row::New), "{from} to {to}");
            }
        }
    }
    assert!(!Row::Processing.can_move_to(Row::New) && !Row::Pending.can_move_to(Row::New), "begun is begun");
}

/// The states that can be reached from one, itself included.
fn reachable(from: StepState) -> Vec<StepState> {
    let mut found = vec![from];
    let mut next = 0;
    while next < found.len() {
        let here = found[next];
        found.extend(
            StepState::ALL.iter().filter(|to| here.can_move_to(**to) && !found.contains(to)).copied().collect::<Vec<_>>(),
        );
        next += 1;
    }
    found
}

#[test]
fn no_step_is_ever_lost_and_none_done_is_sent_again() {
    for from in StepState::ALL {
        assert!(!from.can_move_to(*from), "{from} to itself is no move");
        assert!(reachable(*from).contains(&StepState::Done), "{from} can still be done");
    }
    assert!(!StepState::Done.can_move_to(StepState::Intended) && !StepState::Done.can_move_to(StepState::Pending));
    assert!(!StepState::Ambiguous.can_move_to(StepState::Intended), "read back before it is sent again (B7.3)");
    let into_intended: Vec<_> = StepState::ALL.iter().filter(|from| from.can_move_to(StepState::Intended)).collect();
    assert_eq!(into_intended, [&StepState::Pending], "an intent is stored before each call (B7.1)");
}

#[test]
fn changes_are_started_canceled_and_retried_when_that_means_something() {
    let code = |result: Result<(), lineshift_domain::refusal::Problem>| result.err().map(|problem| problem.code);
    let some = |code: &str| Some(code.to_owned());
    for (status, start, cancel, retry) in [
        (Bulk::Receiving, some(codes::STILL_RECEIVING), some(codes::STILL_RECEIVING), some(codes::STILL_RECEIVING)),
        (Bulk::New, None, None, some(codes::NOT_FINISHED)),
        (Bulk::Processing, some(codes::ALREADY_BEGUN), None, some(codes::NOT_FINISHED)),
        (Bulk::Processed, some(codes::ALREADY_BEGUN), None, some(codes::NOTHING_TO_RETRY)),
        (Bulk::Partial, some(codes::ALREADY_BEGUN), None, None),
        (Bulk::Error, some(codes::ALREADY_BEGUN), some(codes::NOTHING_TO_CANCEL), None),
        (Bulk::Canceled, some(codes::ALREADY_BEGUN), some(codes::NOTHING_TO_CANCEL), some(codes::NOTHING_TO_RETRY)),
    ] {
        assert_eq!(code(may_start(status, true)), start, "start {status}");
        assert_eq!(code(may_cancel(status, true)), cancel, "cancel {status}");
        assert_eq!(code(may_retry(status, true)), retry, "retry {status}");
    }
    assert_eq!(code(may_start(Bulk::New, false)), some(codes::NOT_HELD));
}
