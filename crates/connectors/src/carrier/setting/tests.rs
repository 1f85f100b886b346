//! Every state, and walks through all that can happen.

use proptest::prelude::*;

use super::*;
use crate::carrier::KnownPart;

const ASKED: &str = "ACTIVATED";

fn status() -> CarrierChange {
    CarrierChange::Status { status: ASKED.to_owned(), reason_code: None }
}

fn plan(dated: bool) -> CarrierChange {
    let effective_at = dated.then(|| "2027-01-01T00:00:00Z".parse().expect("a moment"));
    CarrierChange::RatePlan { rate_plan: Some("Gold".to_owned()), comm_plan: None, effective_at }
}

fn setting(believed: Believed) -> Setting {
    Setting { carrier: "Example", what: "set status", believed }
}

fn line(status: &str) -> CarrierLine {
    CarrierLine { status: Some(status.to_owned()), rate_plan: Some(status.to_owned()), ..CarrierLine::default() }
}

fn after(
    state: Option<StepState>,
    there: Option<&CarrierLine>,
    sent_since: bool,
    asked: &CarrierChange,
    believed: Believed,
) -> Next {
    let part = state.map(|state| KnownPart { part: PART, state, external_id: None, adopted: false });
    let parts: Vec<KnownPart> = part.into_iter().collect();
    setting(believed).next(asked, &Known { there, sent_since, parts: &parts })
}

fn sends(next: &Next) -> bool {
    matches!(next, Next::Send(Act { part: PART, what: "set status", repeat: Repeat::Harmless, about: None, clears: false }))
}

#[test]
fn nothing_is_read_before_the_first_call() {
    for believed in [Believed::WhenAnswered, Believed::WhenShown] {
        for state in [None, Some(StepState::Pending)] {
            assert!(sends(&after(state, None, false, &status(), believed)));
            assert!(sends(&after(state, Some(&line("INVENTORY")), false, &status(), believed)));
        }
    }
}

#[test]
fn what_was_refused_is_not_sent_again() {
    let refused = Next::Refuse("Example did not set status; the line stays there as it was".to_owned());
    assert_eq!(after(Some(StepState::Failed), None, true, &status(), Believed::WhenShown), refused);
}

#[test]
fn a_success_is_believed_when_it_is_answered_or_when_it_is_shown() {
    let done = Some(StepState::Done);
    assert_eq!(after(done, None, true, &status(), Believed::WhenAnswered), Next::Stands);
    assert_eq!(after(done, None, true, &status(), Believed::WhenShown), Next::Read);
    assert_eq!(after(done, Some(&line(ASKED)), true, &status(), Believed::WhenShown), Next::Read, "it was read too early");
    assert_eq!(after(done, Some(&line("activated")), false, &status(), Believed::WhenShown), Next::Stands);
    let shown = after(done, Some(&line("RETIRED")), false, &status(), Believed::WhenShown);
    assert_eq!(shown, Next::Refuse("Example took it, but shows the status RETIRED".to_owned()));
    let nothing = after(done, Some(&CarrierLine::default()), false, &plan(false), Believed::WhenShown);
    assert_eq!(nothing, Next::Refuse("Example took it, but shows the rate plan none".to_owned()));
}

#[test]
fn what_nobody_knows_is_read_first_and_then_sent_again() {
    for state in [StepState::Ambiguous, StepState::Waiting, StepState::Intended] {
        for believed in [Believed::WhenAnswered, Believed::WhenShown] {
            assert_eq!(after(Some(state), None, false, &status(), believed), Next::Read);
            assert_eq!(after(Some(state), Some(&line(ASKED)), true, &status(), believed), Next::Read);
            assert_eq!(after(Some(state), Some(&line(ASKED)), false, &status(), believed), Next::Stands);
            assert!(sends(&after(Some(state), Some(&line("INVENTORY")), false, &status(), believed)));
        }
    }
}

#[test]
fn what_is_dated_ahead_cannot_be_read_and_is_sent_again() {
    for believed in [Believed::WhenAnswered, Believed::WhenShown] {
        assert!(sends(&after(Some(StepState::Ambiguous), None, false, &plan(true), believed)));
        assert!(sends(&after(Some(StepState::Ambiguous), Some(&line("Gold")), false, &plan(true), believed)));
        assert_eq!(after(Some(StepState::Done), None, true, &plan(true), believed), Next::Stands);
    }
}

/// What happens to one call: whether it works, what is heard of it, and whether the process dies then.
#[derive(Debug, Clone, Copy)]
struct Happens {
    works: bool,
    heard: bool,
    dies: bool,
}

proptest! {
    #[test]
    fn whatever_happens_it_ends_and_stands_only_where_the_carrier_has_it(
        happens in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), 0..20),
        by_answer in any::<bool>(),
    ) {
        let believed = if by_answer { Believed::WhenAnswered } else { Believed::WhenShown };
        let mut happens = happens.into_iter().map(|(works, heard, dies)| Happens { works, heard, dies });
        let (mut at_carrier, mut there, mut sent_since, mut state) = ("INVENTORY", None, false, None);
        for _ in 0..100 {
            match after(state, there.as_ref(), sent_since, &status(), believed) {
                Next::Stands => {
                    prop_assert_eq!(at_carrier, ASKED);
                    return Ok(());
                }
                Next::Refuse(_) | Next::LeftBeside(_) | Next::TakenBack(_) => {
                    prop_assert_eq!(at_carrier, "INVENTORY");
                    return Ok(());
                }
                Next::Read => {
                    let now = happens.next().unwrap_or(Happens { works: true, heard: true, dies: false });
                    (there, sent_since) = (now.heard.then(|| line(at_carrier)), false);
                }
                Next::Send(act) => {
                    prop_assert_eq!(act.part, PART);
                    let now = happens.next().unwrap_or(Happens { works: true, heard: true, dies: false });
                    // A carrier that has it already, because an earlier call worked unheard, does not refuse it.
                    let works = now.works || at_carrier == ASKED;
                    at_carrier = if works { ASKED } else { at_carrier };
                    state = Some(match (now.heard, works) {
                        (false, _) => StepState::Ambiguous,
                        (true, true) => StepState::Done,
                        (true, false) => StepState::Failed,
                    });
                    sent_since = true;
                    if now.dies {
                        (there, sent_since) = (None, false);
                    }
                }
                Next::Found { .. } => prop_assert!(false, "nothing is created"),
            }
        }
        prop_assert!(false, "it does not end");
    }
}
