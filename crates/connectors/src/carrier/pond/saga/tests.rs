//! The saga against a SIM in memory, and an engine that is as small as one can be.

mod model;

use proptest::prelude::*;

use self::model::{Happens, Status, World};
use super::*;

const PLAN: &str = "103";

fn walked(world: &mut World, happens: &[Happens]) -> (Next, Vec<String>) {
    world.walk(PLAN, happens)
}

#[test]
fn a_sim_comes_to_another_plan_by_add_activate_terminate() {
    let mut world = World::with(&[("101", Status::Active), ("102", Status::Ended)]);
    let (end, log) = walked(&mut world, &[]);
    assert_eq!(end, Next::Stands);
    assert_eq!(log, ["read", "add package 0", "activate package 10 p3", "terminate package 40 p1"]);
    assert_eq!(world.active(), ["p3"]);
}

#[test]
fn what_is_there_is_adopted_and_never_added_twice() {
    for (packages, expected) in [
        (&[("103", Status::Active)][..], &["read", "found 0 p1"][..]),
        (&[("103", Status::Added)], &["read", "found 0 p1", "activate package 10 p1"]),
        (&[("103", Status::Added), ("103", Status::Active)], &["read", "found 0 p2"]),
        (&[("103", Status::Active), ("103", Status::Active)], &["read", "found 0 p1", "terminate package 40 p2"]),
        (&[("103", Status::Ended)], &["read", "add package 0", "activate package 10 p2"]),
        (
            &[("101", Status::Active), ("102", Status::Active), ("103", Status::Active)],
            &["read", "found 0 p3", "terminate package 40 p1", "terminate package 41 p2"],
        ),
    ] {
        let mut world = World::with(packages);
        assert_eq!(walked(&mut world, &[]), (Next::Stands, expected.iter().map(|text| (*text).to_owned()).collect()));
    }
}

#[test]
fn an_add_of_which_nobody_knows_is_read_back_first() {
    let mut world = World::with(&[("101", Status::Active)]);
    let (end, log) = walked(&mut world, &[Happens::Works, Happens::WorksUnheard]);
    assert_eq!(end, Next::Stands);
    assert_eq!(log[1..4], ["add package 0", "read", "found 0 p2"]);
    assert!(!world.adopted(0), "an intent stood for it");

    let mut world = World::with(&[("101", Status::Active)]);
    let (end, log) = walked(&mut world, &[Happens::Works, Happens::FailsUnheard]);
    assert_eq!((end, &log[1..4]), (Next::Stands, &["add package 0", "read", "add package 0"].map(str::to_owned)[..]));
}

#[test]
fn what_sets_state_is_read_back_and_sent_again_under_its_part() {
    let unheard_activation = [Happens::Works, Happens::Works, Happens::FailsUnheard];
    let (end, log) = walked(&mut World::with(&[("101", Status::Active)]), &unheard_activation);
    let again = ["activate package 10 p2", "read", "activate package 10 p2"].map(str::to_owned);
    assert_eq!((end, &log[2..5]), (Next::Stands, &again[..]));
    let (end, log) =
        walked(&mut World::with(&[("101", Status::Active)]), &[Happens::Works, Happens::Works, Happens::WorksUnheard]);
    let done = ["activate package 10 p2", "read", "terminate package 40 p1"].map(str::to_owned);
    assert_eq!((end, &log[2..]), (Next::Stands, &done[..]));
    let unheard_end = [Happens::Works, Happens::Works, Happens::Works, Happens::WorksUnheard];
    let (end, log) = walked(&mut World::with(&[("101", Status::Active)]), &unheard_end);
    assert_eq!((end, &log[3..]), (Next::Stands, &["terminate package 40 p1", "read"].map(str::to_owned)[..]));
}

fn refused(end: Next) -> String {
    let (Next::Refuse(text) | Next::LeftBeside(text) | Next::TakenBack(text)) = end else { panic!("{end:?}") };
    text
}

#[test]
fn a_refused_add_leaves_what_stands() {
    let mut world = World::with(&[("101", Status::Active)]);
    let (end, _) = walked(&mut world, &[Happens::Works, Happens::Refused]);
    assert_eq!(refused(end), "POND added no package of type 103; active stays p1 (101)");
    world.retry();
    let (end, log) = walked(&mut world, &[]);
    assert_eq!((end, log[1].as_str()), (Next::Stands, "add package 0"));
}

#[test]
fn a_package_that_cannot_be_activated_is_ended_and_a_retry_adds_another() {
    let mut world = World::with(&[("101", Status::Active)]);
    let (end, log) = walked(&mut world, &[Happens::Works, Happens::Works, Happens::Refused]);
    let text = "POND did not activate the new package p2 of type 103, and it was ended again; active stays p1 (101)";
    assert_eq!(refused(end), text);
    assert_eq!(log[3..], ["terminate package 40 p2"]);
    world.retry();
    let (end, log) = walked(&mut world, &[]);
    assert_eq!(end, Next::Stands);
    assert_eq!(log, ["read", "add package 1", "activate package 11 p3", "terminate package 41 p1", "read"]);
}

#[test]
fn a_package_that_can_neither_be_activated_nor_ended_is_named_and_taken_up_again() {
    let mut world = World::with(&[("101", Status::Active)]);
    let (end, _) = walked(&mut world, &[Happens::Works, Happens::Works, Happens::Refused, Happens::Refused]);
    let text =
        "POND neither activated nor terminated the new package p2 of type 103: it is left there, inactive; active stays p1 (101)";
    assert_eq!(refused(end), text);
    world.retry();
    let (end, log) = walked(&mut world, &[]);
    assert_eq!((end, &log[1..]), (Next::Stands, &["activate package 10 p2", "terminate package 41 p1"].map(str::to_owned)[..]));
}

#[test]
fn a_package_that_was_there_before_is_never_ended_for_not_being_activated() {
    let mut world = World::with(&[("101", Status::Active), ("103", Status::Added)]);
    let (end, log) = walked(&mut world, &[Happens::Works, Happens::Refused]);
    assert_eq!(refused(end), "POND did not activate package p2 of type 103, which was there before; active stays p1 (101)");
    assert!(world.adopted(0) && !log.iter().any(|line| line.starts_with("terminate")), "{log:?}");
}

#[test]
fn an_old_package_that_does_not_end_is_named_and_a_retry_goes_on_there() {
    let mut world = World::with(&[("101", Status::Active), ("102", Status::Active)]);
    let (end, _) = walked(&mut world, &[Happens::Works, Happens::Works, Happens::Works, Happens::Refused]);
    let text = "POND did not terminate the old package p1 (101): still active beside the new package p3 of type 103";
    assert_eq!(end, Next::LeftBeside(text.to_owned()));
    assert_eq!(world.active(), ["p1", "p3"], "the other one has ended all the same");
    world.retry();
    let (end, log) = walked(&mut world, &[]);
    assert_eq!((end, log), (Next::Stands, ["read", "terminate package 40 p1"].map(str::to_owned).to_vec()));
}

#[test]
fn what_pond_cannot_do_is_refused_before_anything_is_read() {
    let known = Known { there: None, sent_since: false, parts: &[] };
    let asked = CarrierChange::RatePlan { rate_plan: None, comm_plan: Some("LTE".to_owned()), effective_at: None };
    assert!(matches!(next(&asked, &known), Next::Refuse(_)));
}

#[test]
fn what_was_done_and_no_longer_stands_gets_another_part() {
    let mut world = World::with(&[("101", Status::Active)]);
    assert_eq!(walked(&mut world, &[]).0, Next::Stands);
    world.change("p1", Status::Active);
    world.change("p2", Status::Added);
    world.retry();
    let (end, log) = walked(&mut world, &[]);
    let again = ["activate package 11 p2", "read", "terminate package 41 p1", "read"];
    assert_eq!((end, &log[1..]), (Next::Stands, &again.map(str::to_owned)[..]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The world itself refuses a second live package of a type, and a part that is done twice.
    #[test]
    fn whatever_happens_it_ends_and_stands_only_where_exactly_the_asked_package_is_active(
        packages in prop::collection::vec((prop::sample::select(vec!["101", "102", PLAN]), any::<Status>()), 0..5),
        happens in prop::collection::vec(any::<Happens>(), 0..24),
        meddling in prop::collection::vec(prop::option::of((0_usize..8, any::<Status>())), 0..6),
    ) {
        let mut world = World::with(&packages).meddled_with(meddling);
        let mut left = happens;
        let mut attempts = 0;
        loop {
            let (end, log) = world.walk(PLAN, &left);
            left.drain(..left.len().min(world.happened()));
            attempts += 1;
            match end {
                Next::Stands => break,
                Next::Refuse(_) | Next::LeftBeside(_) | Next::TakenBack(_) => world.retry(),
                other => prop_assert!(false, "{other:?} after {log:?}"),
            }
            prop_assert!(attempts <= 26, "it is tried for ever: {log:?}");
        }
        prop_assert_eq!(world.active_plans(), vec![PLAN]);
    }
}
