//! What works when nothing goes wrong.

use lineshift_connectors::CallError;
use lineshift_connectors::carrier::{Act, Known, LineAct, LineRef, Next, Sent};
use lineshift_domain::carrier::CarrierChange;

use super::{End, Fixture, assert_kept, connected, to_plan, to_status, walk};

/// Another plan, by the ledger too; what was active before is not.
pub async fn a_line_comes_to_another_plan<F: Fixture>() {
    let fixture = F::new();
    let line = fixture.lines().swap_remove(0);
    let walked = walk(&fixture, &*connected(&fixture), &line, &to_plan(fixture.other_plan())).await;
    assert_eq!(walked.end, End::Stands, "{:?}", walked.acts);
    assert_stands_on(&fixture, &line, fixture.other_plan());
    let stated = fixture.kind().abilities().rate_plan.expect("it changes plans").calls;
    assert_eq!(walked.acts.len(), usize::try_from(stated.0).expect("few"), "{:?}", walked.acts);
    assert_kept(&fixture, &walked.texts);
}

/// That a line is on that plan and on no other.
pub(super) fn assert_stands_on<F: Fixture>(fixture: &F, line: &LineRef, plan: &str) {
    let stands = fixture.stands(line).expect("it is there");
    assert_eq!(stands.rate_plan.as_deref(), Some(plan), "{stands:?}");
    assert!(stands.packages.iter().filter(|package| package.is_active).count() <= 1, "{stands:?}");
    assert_eq!(fixture.duplicates(), 0, "{stands:?}");
}

/// Another status, by the ledger too, and back.
pub async fn a_line_comes_to_another_status<F: Fixture>() {
    let fixture = F::new();
    let line = fixture.lines().swap_remove(0);
    let before = fixture.stands(&line).and_then(|stands| stands.status).expect("it has a status");
    for status in [fixture.other_status(), &before] {
        let walked = walk(&fixture, &*connected(&fixture), &line, &to_status(status)).await;
        assert_eq!(walked.end, End::Stands, "{:?}", walked.acts);
        assert_eq!(fixture.stands(&line).and_then(|stands| stands.status).as_deref(), Some(status));
        let stated = fixture.kind().abilities().status.expect("it moves statuses").calls;
        assert_eq!(walked.acts.len(), usize::try_from(stated.0).expect("few"), "{:?}", walked.acts);
        assert_kept(&fixture, &walked.texts);
    }
}

/// Who asks for what stands changes nothing and is told that it stands.
pub async fn what_stands_is_no_harm_to_ask_for<F: Fixture>() {
    let fixture = F::new();
    let line = fixture.lines().swap_remove(0);
    let before = fixture.stands(&line).expect("it is there");
    let plan = before.rate_plan.clone().expect("it has a plan");
    let status = before.status.clone().expect("it has a status");
    for asked in [to_plan(&plan), to_status(&status)] {
        let walked = walk(&fixture, &*connected(&fixture), &line, &asked).await;
        assert_eq!(walked.end, End::Stands, "{:?}", walked.acts);
        let after = fixture.stands(&line).expect("it is there");
        assert_eq!((&after.rate_plan, &after.status), (&before.rate_plan, &before.status));
        assert_eq!(fixture.duplicates(), 0);
    }
}

/// As many lines as a call takes, one of them unknown where there are several: every line has its own outcome, in order.
pub async fn a_batch_tells_of_each_line<F: Fixture>() {
    let fixture = F::new();
    let carrier = connected(&fixture);
    let most = fixture.kind().abilities().devices_a_call;
    let mut lines = fixture.lines();
    lines.truncate(most);
    if most > 1 {
        lines[1] = fixture.unknown_line();
    }
    let asked = to_status(fixture.other_status());
    let act = first_act(&fixture, &asked);
    let acts: Vec<LineAct<'_>> = lines.iter().map(|line| LineAct { line, act: &act }).collect();
    let permit = carrier.account().permit().await.expect("patience is long");
    let sent = carrier.send(permit, &asked, &acts).await;
    assert_eq!(sent.results.len(), lines.len());
    for (place, result) in sent.results.iter().enumerate() {
        let is_unknown = most > 1 && place == 1;
        let is_taken = matches!(result, Ok(Sent::Done { .. } | Sent::Accepted { .. }));
        let is_refused = matches!(result, Err(CallError::Rejected { .. } | CallError::NotFound { .. }));
        assert_eq!((is_taken, is_refused), (!is_unknown, is_unknown), "line {place}: {result:?}");
    }
    assert_eq!(fixture.traffic().wrong_requests, 0, "{:?}", fixture.traffic().wrong_texts);
}

/// The first act that sends something for it.
pub(super) fn first_act<F: Fixture>(fixture: &F, asked: &CarrierChange) -> Act {
    let there = fixture.lines().first().and_then(|line| fixture.stands(line));
    let kind = fixture.kind();
    let first = kind.next(asked, &Known { there: None, sent_since: false, parts: &[] });
    let known = Known { there: there.as_ref(), sent_since: false, parts: &[] };
    let first = if first == Next::Read { kind.next(asked, &known) } else { first };
    let Next::Send(act) = first else { panic!("{first:?}") };
    act
}
