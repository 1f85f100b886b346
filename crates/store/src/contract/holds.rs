//! Rule 6 of B4.6: which change holds a line.

use lineshift_domain::facts::{Hold, Holds};
use lineshift_domain::ids::{DeviceId, PrincipalId};
use lineshift_domain::order::{PlanValues, Setting, StoredOrder, StoredPlan};
use lineshift_domain::terms::{LineIdentifier, PortalType};

use super::devices::{PLAN_CHANGE, digits};
use super::fixture::{Fixture, at, iccid};
use crate::Store;
use crate::bulk_changes::{NewBulkChange, NewDeviceChange, Orderer};
use crate::devices::FactsQuery;
use crate::work::CalledAccounts;

/// A change of so many rows that holds its lines so.
pub(super) fn change<S>(fixture: &Fixture<'_, S>, holds: Holds, rows: usize) -> NewBulkChange {
    let values = PlanValues { plan: Setting::Set(fixture.bounded_plan), ..PlanValues::default() };
    NewBulkChange {
        order: StoredOrder::CustomerRatePlanChange(StoredPlan {
            values,
            effective_at: None,
            queued: false,
            replace_scheduled: false,
        }),
        portal: PortalType::M2M,
        service_provider_id: fixture.provider,
        identifier: LineIdentifier::Iccid,
        name: None,
        reason: None,
        orderer: Orderer { name: "contract".to_owned(), principal: PrincipalId(1) },
        created_at: at(5),
        process_changes: true,
        holds,
        rows,
        duplicates: 0,
        page_lines: 5_000,
        accounts: CalledAccounts::NONE,
    }
}

/// The same, calling the fixture's account as a carrier's.
pub(super) fn calling<S>(fixture: &Fixture<'_, S>, holds: Holds, rows: usize) -> NewBulkChange {
    let accounts = CalledAccounts { carrier: Some(fixture.authentication), ..CalledAccounts::NONE };
    NewBulkChange { accounts, ..change(fixture, holds, rows) }
}

/// Its rows, of the first lines.
pub(super) fn rows(lines: &[DeviceId]) -> Vec<NewDeviceChange> {
    let row = |(nth, line): (usize, &DeviceId)| NewDeviceChange {
        request_position: u32::try_from(nth).expect("a few rows"),
        line: iccid(nth),
        device: Some((*line, 1)),
        refused: None,
    };
    lines.iter().enumerate().map(row).collect()
}

/// By which change each of the first lines is held, for an order with these effects.
async fn held<S: Store>(fixture: &Fixture<'_, S>, count: usize, holds: Holds) -> Vec<Option<Hold>> {
    let asked = digits(LineIdentifier::Iccid, &(0..count).map(iccid).collect::<Vec<_>>());
    let query = FactsQuery { holds, ..PLAN_CHANGE };
    let found = fixture.store.look_up_lines(fixture.tenant, LineIdentifier::Iccid, &asked, query).await;
    let mut found = found.expect("a look-up");
    found.sort_by_key(|line| line.index);
    found.iter().map(|line| line.facts.held_by).collect()
}

/// Its accepted rows do, for orders with the same effect only.
pub async fn a_stored_change_holds_its_lines<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "a stored change").await;
    let lines = fixture.lines(2).await;
    let new = change(&fixture, Holds::CUSTOMER_AND_PLAN, 1);
    let stored = store.store_bulk_change(fixture.tenant, &new, rows(&lines[..1]), None).await.expect("stored");
    let hold = Hold { bulk_change_id: stored.id, outcome_unknown: false };
    assert_eq!(held(&fixture, 2, Holds::CUSTOMER_AND_PLAN).await, [Some(hold), None]);
    assert_eq!(held(&fixture, 2, Holds::CARRIER).await, [None, None]);

    let unknown = change(&fixture, Holds(Holds::CARRIER.0 | Holds::OUTCOME_UNKNOWN.0), 1);
    let stored = store.store_bulk_change(fixture.tenant, &unknown, rows(&lines[..1]), None).await.expect("stored");
    let hold = Hold { bulk_change_id: stored.id, outcome_unknown: true };
    assert_eq!(held(&fixture, 2, Holds::CARRIER).await, [Some(hold), None]);
}

/// While it is RECEIVING; from its last row on it does.
pub async fn a_change_that_still_arrives_holds_nothing<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "still arrives").await;
    let (tenant, lines) = (fixture.tenant, fixture.lines(1).await);
    let new = change(&fixture, Holds::CUSTOMER_AND_PLAN, 1);
    let id = store.begin_receiving(tenant, &new, at(60), None).await.expect("begun");
    store.append_received(tenant, id, &new, 0, rows(&lines), at(60)).await.expect("a page of rows");
    assert_eq!(held(&fixture, 1, Holds::CUSTOMER_AND_PLAN).await, [None]);

    store.finish_receiving(tenant, id, &new, None, at(6)).await.expect("finished");
    let hold = Hold { bulk_change_id: id, outcome_unknown: false };
    assert_eq!(held(&fixture, 1, Holds::CUSTOMER_AND_PLAN).await, [Some(hold)]);
}

/// Not the one that began first.
pub async fn of_two_changes_the_one_stored_first_counts<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "stored first").await;
    let (tenant, lines) = (fixture.tenant, fixture.lines(1).await);
    let new = change(&fixture, Holds::CUSTOMER_AND_PLAN, 1);
    let slow = store.begin_receiving(tenant, &new, at(60), None).await.expect("begun");
    store.append_received(tenant, slow, &new, 0, rows(&lines), at(60)).await.expect("a page of rows");
    let quick = store.store_bulk_change(tenant, &new, rows(&lines), None).await.expect("stored");
    store.finish_receiving(tenant, slow, &new, None, at(6)).await.expect("finished");

    assert!(slow < quick.id);
    let hold = Hold { bulk_change_id: quick.id, outcome_unknown: false };
    assert_eq!(held(&fixture, 1, Holds::CUSTOMER_AND_PLAN).await, [Some(hold)]);
}
