//! What goes wrong on the way. A plan and a status each meet every fault, at every call that changes something.

use lineshift_domain::carrier::CarrierChange;
use lineshift_simulators::Fault;

use super::changes::assert_stands_on;
use super::{End, Fixture, Walk, assert_kept, connected, to_plan, to_status, walk};

const WORKED_UNHEARD: [Fault; 10] = [
    Fault::WorksThenSilence,
    Fault::WorksThenReset,
    Fault::WorksThenCut,
    Fault::WorksThenUnreadable,
    Fault::WorksThenEmpty,
    Fault::WorksThenHtml,
    Fault::WorksThenXml,
    Fault::Works500,
    Fault::Works502,
    Fault::Works504,
];

const DID_NOT_WORK: [Fault; 8] = [
    Fault::Silence,
    Fault::Reset,
    Fault::Fails500,
    Fault::Fails502,
    Fault::Fails503,
    Fault::Fails504,
    Fault::Throttled,
    Fault::ThrottledInWords,
];

/// How many calls that change something a plan change takes, and a status change.
async fn acts_of<F: Fixture>(asked: impl Fn(&F) -> CarrierChange) -> usize {
    let fixture = F::new();
    let line = fixture.lines().swap_remove(0);
    walk(&fixture, &*connected(&fixture), &line, &asked(&fixture)).await.acts.len()
}

/// A walk whose call number `at` meets the fault.
async fn struck<F: Fixture>(fixture: &F, asked: &CarrierChange, at: usize, fault: Fault) -> Walk {
    let line = fixture.lines().swap_remove(0);
    for _ in 0..at {
        fixture.meet_next_change(Fault::SearchLags);
    }
    fixture.meet_next_change(fault);
    let walked = walk(fixture, &*connected(fixture), &line, asked).await;
    assert_eq!(walked.end, End::Stands, "{fault:?} at {at}: {:?}", walked.acts);
    match asked {
        CarrierChange::RatePlan { .. } => assert_stands_on(fixture, &line, fixture.other_plan()),
        CarrierChange::Status { status, .. } => {
            assert_eq!(fixture.stands(&line).and_then(|stands| stands.status).as_ref(), Some(status), "{fault:?}");
        }
    }
    assert_kept(fixture, &walked.texts);
    walked
}

async fn each_fault<F: Fixture>(faults: &[Fault], look: impl Fn(Fault, &Walk)) {
    let changes: [fn(&F) -> CarrierChange; 2] =
        [|fixture| to_plan(fixture.other_plan()), |fixture| to_status(fixture.other_status())];
    for asked in changes {
        for at in 0..acts_of::<F>(asked).await {
            for fault in faults {
                let fixture = F::new();
                let walked = struck(&fixture, &asked(&fixture), at, *fault).await;
                look(*fault, &walked);
            }
        }
    }
}

/// A time-out, a reset, a 5xx, an empty body, HTML, XML after the carrier did the work: it is read, and not done twice.
pub async fn what_worked_unheard_is_settled_by_reading_and_not_done_twice<F: Fixture>() {
    each_fault::<F>(&WORKED_UNHEARD, |fault, walked| {
        assert_eq!(walked.count(": failed"), 0, "{fault:?}: {:?}", walked.acts);
    })
    .await;
}

/// What did not work, whatever was said, is sent again.
pub async fn what_did_not_work_is_sent_again<F: Fixture>() {
    each_fault::<F>(&DID_NOT_WORK, |fault, walked| {
        assert_eq!(walked.count(": failed"), 0, "{fault:?}: {:?}", walked.acts);
        assert_eq!(walked.count(": ambiguous") + walked.count(": pending"), 1, "{fault:?}: {:?}", walked.acts);
    })
    .await;
}

/// What works only when its caller has given up is there once in the end.
pub async fn what_works_late_is_not_done_twice<F: Fixture>() {
    each_fault::<F>(&[Fault::WorksLate], |fault, walked| {
        assert_eq!(walked.count(": ambiguous"), 1, "{fault:?}: {:?}", walked.acts);
    })
    .await;
}

/// An error in the body of a success is never taken for one.
pub async fn an_error_inside_a_success_is_no_success<F: Fixture>() {
    each_fault::<F>(&[Fault::FailsInside], |fault, walked| {
        assert_eq!(walked.count(": ambiguous") + walked.count(": pending"), 1, "{fault:?}: {:?}", walked.acts);
    })
    .await;
}
