//! What is read: lines, lists, the catalogue, usage.

use std::collections::BTreeSet;

use lineshift_simulators::Fault;

use super::{Fixture, assert_kept, connected};

/// Status, plan and packages as the ledger has them; usage where the carrier tells it.
pub async fn a_line_is_read_as_it_stands<F: Fixture>() {
    let fixture = F::new();
    let carrier = connected(&fixture);
    carrier.test_connection().await.result.expect("the credentials work");
    for line in fixture.lines().iter().take(3) {
        let called = carrier.read_line(line).await;
        let read = called.result.expect("read").expect("it is there");
        let stands = fixture.stands(line).expect("it is there");
        assert_eq!((&read.status, &read.rate_plan), (&stands.status, &stands.rate_plan));
        assert_eq!(read.packages, stands.packages);
        assert_eq!(carrier.read_usage(line).await.result.expect("read").is_some(), carrier.tells_usage());
        assert_kept(&fixture, &[called.exchange.request, called.exchange.response]);
    }
    assert_eq!(carrier.read_usage(&fixture.unknown_line()).await.result, Ok(None));
}

/// Empty bodies, HTML, XML, 5xx, resets and throttling do not keep a read from its answer.
pub async fn a_read_gets_through_what_passes<F: Fixture>() {
    for fault in Fault::ALL.into_iter().chain(Fault::OF_CARRIERS) {
        let fixture = F::new();
        let carrier = connected(&fixture);
        let line = fixture.lines().swap_remove(0);
        fixture.meet_next(fault);
        let called = carrier.read_line(&line).await;
        let read = called.result.unwrap_or_else(|error| panic!("{fault:?}: {error}")).expect("it is there");
        assert_eq!(Some(read.status), fixture.stands(&line).map(|stands| stands.status), "{fault:?}");
        assert_kept(&fixture, &[called.exchange.request, called.exchange.response]);
    }
}

/// Every line once, however many pages there are.
pub async fn lists_go_to_the_end<F: Fixture>() {
    let fixture = F::new();
    let carrier = connected(&fixture);
    let (mut listed, mut page) = (Vec::new(), 1);
    loop {
        let batch = carrier.list_lines(None, page).await.result.expect("a page");
        listed.extend(batch.records);
        if !batch.has_more {
            break;
        }
        page += 1;
    }
    assert!(page > 1, "the fixture has more lines than a page");
    let expected: BTreeSet<String> = fixture.lines().into_iter().map(|line| line.iccid).collect();
    assert_eq!(listed.len(), expected.len());
    assert_eq!(listed.iter().map(|line| line.iccid.clone()).collect::<BTreeSet<_>>(), expected);
    for line in listed.iter().take(3) {
        let stands = fixture.lines().into_iter().find(|known| known.iccid == line.iccid).and_then(|known| fixture.stands(&known));
        assert_eq!(Some(&line.line.status), stands.as_ref().map(|stands| &stands.status));
    }
    assert_kept(&fixture, &[]);
}

/// A carrier that has a list of its plans lists those that lines can be put on.
pub async fn the_catalogue_has_the_plans<F: Fixture>() {
    let fixture = F::new();
    let plans = connected(&fixture).list_rate_plans().await.result.expect("read");
    if let Some(plans) = plans {
        assert!(plans.iter().any(|plan| plan.code == fixture.other_plan() && !plan.name.is_empty()), "{plans:?}");
        assert!(!plans.iter().any(|plan| plan.code == fixture.unknown_plan()));
    }
    assert_kept(&fixture, &[]);
}
