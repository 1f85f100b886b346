//! The places of an account, leased to the processes that call it (B7.4). How they are shared is tested where it is decided; here is
//! what the store keeps of it.

use chrono::TimeDelta;
use lineshift_domain::ids::IntegrationAuthenticationId;
use lineshift_domain::places::{PlacesAsked, PlacesLeased};

use super::fixture::{Fixture, at, authentication};
use crate::{Store, StoreError};

const LEASE: TimeDelta = TimeDelta::seconds(62);

fn asked(wanted: u32, kept: u32, concurrency: u32, now: i64) -> PlacesAsked {
    PlacesAsked { wanted, kept, concurrency, until: at(now) + LEASE }
}

/// Two processes share an account; what is given up, given back or ran out is another's, and accounts know nothing of each other.
pub async fn places_are_leased_and_come_free<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "places").await;
    let (tenant, account) = (fixture.tenant, fixture.authentication);
    let ask = async |holder: &str, wanted: u32, kept: u32, now: i64| {
        store.lease_places(tenant, account, holder, asked(wanted, kept, 4, now), at(now)).await.expect("leased")
    };
    assert_eq!(ask("a", 8, 0, 0).await, PlacesLeased { places: 4, share: 4 });
    assert_eq!(ask("b", 8, 0, 1).await, PlacesLeased { places: 0, share: 2 });
    assert_eq!(ask("a", 8, 3, 2).await, PlacesLeased { places: 3, share: 2 }, "three of its calls are under way");
    assert_eq!(ask("b", 8, 0, 3).await, PlacesLeased { places: 1, share: 2 });
    assert_eq!(ask("a", 8, 2, 4).await, PlacesLeased { places: 2, share: 2 });
    assert_eq!(ask("b", 8, 1, 5).await, PlacesLeased { places: 2, share: 2 });

    let other = store.create_integration_authentication(tenant, &authentication("another"), at(0)).await.expect("an account");
    let of_other = store.lease_places(tenant, other, "b", asked(4, 0, 4, 5), at(5)).await.expect("leased");
    assert_eq!(of_other, PlacesLeased { places: 4, share: 4 }, "each account has its own");

    store.return_places(tenant, account, "a").await.expect("given back");
    store.return_places(tenant, account, "a").await.expect("there is nothing to give back");
    assert_eq!(ask("b", 8, 2, 6).await, PlacesLeased { places: 4, share: 4 });
    // It asks no more: its lease runs out.
    assert_eq!(ask("c", 8, 0, 6 + 61).await, PlacesLeased { places: 0, share: 2 });
    assert_eq!(ask("c", 8, 0, 6 + 62).await, PlacesLeased { places: 4, share: 4 });

    let missing = store.lease_places(tenant, IntegrationAuthenticationId(999_999), "a", asked(1, 0, 1, 0), at(0)).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })), "{missing:?}");
    let stranger = Fixture::new(store, "places of a stranger").await;
    let missing = store.lease_places(stranger.tenant, other, "a", asked(1, 0, 1, 0), at(0)).await;
    assert!(missing.is_err() || other == stranger.authentication, "accounts stay with their tenant: {missing:?}");
}

/// With one place and two who want it, it changes hands, and is never had twice.
pub async fn a_single_place_is_had_in_turns<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "one place").await;
    let (tenant, account) = (fixture.tenant, fixture.authentication);
    let ask = async |holder: &str, held: PlacesLeased, now: i64| {
        let kept = held.places.min(held.share);
        store.lease_places(tenant, account, holder, asked(1, kept, 1, now), at(now)).await.expect("leased")
    };
    let (mut a, mut b) = (PlacesLeased { places: 0, share: 0 }, PlacesLeased { places: 0, share: 0 });
    let (mut turns, mut last) = ([0, 0], None);
    for second in 0..60 {
        a = ask("a", a, second).await;
        b = ask("b", b, second).await;
        assert!(a.places + b.places <= 1, "second {second}: {a:?} and {b:?}");
        let now = match (a.places, b.places) {
            (1, _) => Some(0),
            (_, 1) => Some(1),
            _ => None,
        };
        if now.is_some() && now != last {
            turns[now.unwrap_or_default()] += 1;
            last = now;
        }
    }
    assert!(turns[0] >= 4 && turns[1] >= 4, "turns: {turns:?}");
}
