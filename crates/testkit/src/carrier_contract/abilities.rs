//! What a carrier says that it can do.

use std::collections::BTreeSet;

use lineshift_connectors::carrier::{Known, Next};
use lineshift_domain::carrier::Answers;

use super::{Fixture, to_plan, to_status};

/// What it says of itself does not contradict itself.
pub async fn abilities_are_coherent<F: Fixture>() {
    let fixture = F::new();
    let abilities = fixture.kind().abilities();
    assert!(!abilities.name.is_empty() && abilities.kind.is_carrier(), "{abilities:?}");
    assert!((1..=10_000).contains(&abilities.devices_a_call));
    assert!(abilities.most_days_ahead.is_none_or(|days| days > 0));
    assert!(abilities.rate_plan.is_some() || abilities.status.is_some(), "it can do nothing");
    if let Answers::Later { look_every, deadline, .. } = abilities.answers {
        assert!(look_every.num_seconds() > 0 && deadline > look_every);
    }
    let limits = abilities.limits;
    assert!(limits.concurrency >= 1);
    assert!([limits.calls_a_second, limits.calls_a_minute, limits.calls_a_day].into_iter().flatten().all(|calls| calls > 0));
    if let Some(ability) = abilities.status {
        let names: BTreeSet<&str> = ability.statuses.iter().map(|status| status.name).collect();
        assert_eq!(names.len(), ability.statuses.len(), "a status stands there twice");
        for status in ability.statuses {
            let unknown: Vec<_> = status.reached_from.iter().filter(|from| !names.contains(*from)).collect();
            assert!(unknown.is_empty(), "{} is reached from {unknown:?}, which are none", status.name);
            assert!(!status.is_reached_from(status.name), "staying in {} is no move", status.name);
        }
        assert!(!ability.orderable().is_empty(), "nobody can order a status");
        assert!(ability.statuses.iter().any(|status| status.is_active), "no line is ever active");
    }
    let nothing = Known { there: None, sent_since: false, parts: &[] };
    for asked in [to_plan(fixture.other_plan()), to_status(fixture.other_status())] {
        let first = fixture.kind().next(&asked, &nothing);
        assert!(matches!(first, Next::Read | Next::Send(_)), "{first:?} before anything is known");
        assert_eq!(fixture.kind().next(&asked, &nothing), first, "the same question has the same answer");
    }
}
