//! Due plan queue entries (B8.3): judged and applied in pages, at most once.

use lineshift_domain::codes::Code;
use lineshift_domain::ids::{CustomerRatePlanId, PrincipalId};
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::Setting;
use lineshift_domain::terms::{IntegrationKind, PlanQueueState};
use rust_decimal::Decimal;

use super::fixture::{self, Fixture, at, iccid, refusal};
use crate::Store;
use crate::catalogue::{CustomerRatePlan, CustomerRatePool};
use crate::import::{ImportAssignment, ImportQueueEntry};
use crate::plan_queue::{DueResult, DueWork};
use crate::work::message_kind;

/// Line, history, log and entry; opened again, there is nothing left.
pub async fn due_entries_take_effect_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "take effect once").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(2).await;
    fixture.assign(&[fixture.assignment(0), fixture.assignment(1)]).await;
    let open = fixture.schedule(&[fixture.entry(0, 100), fixture.entry(1, 100)]).await;
    assert!(store.open_due(tenant, 10, at(99)).await.expect("a page").is_none(), "not due yet");

    let work = store.open_due(tenant, 10, at(100)).await.expect("a page").expect("two are due");
    assert_eq!(work.entries().iter().map(|due| due.id).collect::<Vec<_>>(), [open[0].id, open[1].id]);
    let due = &work.entries()[0];
    assert_eq!((due.bulk_change_id, due.service_provider_id), (open[0].bulk_change_id, fixture.provider));
    assert_eq!((due.integration_kind, due.values), (IntegrationKind::JASPER, open[0].values));
    assert_eq!((due.customer_unchanged, due.plan_active, due.pool_active), (true, true, true));
    assert_eq!((due.facts.device_id, due.facts.assignment.plan), (lines[0], Some(fixture.plan)));
    assert_eq!(work.finish(&[]).await.expect("applied"), DueResult { applied: 2, failed: 0 });
    assert!(store.open_due(tenant, 10, at(101)).await.expect("a page").is_none(), "at most once");

    for (line, entry) in lines.iter().zip(&open) {
        let after = store.get_device(tenant, *line).await.expect("the line");
        assert_eq!((after.customer_rate_plan_id, after.version, after.modified_at), (Some(fixture.bounded_plan), 3, at(100)));
        let history = fixture.history(*line).await;
        assert_eq!(history.len(), 1);
        assert_eq!((history[0].bulk_change_id, history[0].at), (entry.bulk_change_id, at(100)));
        let old = format!(
            r#"{{"customer_rate_plan_id":{},"customer_rate_pool_id":null,"customer_data_allocation_mb":null}}"#,
            fixture.plan
        );
        assert_eq!(history[0].old_value, old);
        assert_eq!(history[0].new_value, old.replace(&fixture.plan.to_string(), &fixture.bounded_plan.to_string()));
        let stored = store.get_queue_entry(tenant, entry.id).await.expect("the entry");
        assert_eq!((stored.state, stored.error_code, stored.modified_at), (PlanQueueState::Applied, None, Some(at(100))));
        let expected = [(LogText::ScheduledRatePlan.to_string(), false, None)];
        assert_eq!(fixture.log(entry.bulk_change_id, entry.id).await, expected);
    }
}

/// Plan, pool and allocation, each by itself (B8.4, B8.5).
pub async fn null_keeps_and_zero_clears<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "null keeps").await;
    fixture.lines(3).await;
    let ten = Some(Decimal::from(10));
    let full = |nth: usize| ImportAssignment {
        customer_rate_pool_id: Some(fixture.pool),
        customer_data_allocation_mb: ten,
        ..fixture.assignment(nth)
    };
    fixture.assign(&[full(0), full(1), full(2)]).await;
    let none = |nth: usize| ImportQueueEntry { customer_rate_plan_id: None, ..fixture.entry(nth, 10) };
    let rows = [
        ImportQueueEntry { customer_data_allocation_mb: Some(Decimal::new(55, 1)), ..none(0) },
        ImportQueueEntry { customer_rate_plan_id: Some(0), customer_rate_pool_id: Some(0), ..none(1) },
        ImportQueueEntry { customer_data_allocation_mb: Some(Decimal::ZERO), ..fixture.entry(2, 10) },
    ];
    let open = fixture.schedule(&rows).await;
    assert_eq!(open[1].values.plan, Setting::Clear);
    assert_eq!(open[2].values.allocation_mb, Setting::Clear);
    assert_eq!(fixture.run_due(10, &[]).await, Some(DueResult { applied: 3, failed: 0 }));

    for (nth, expected) in [
        (0, (Some(fixture.plan), Some(fixture.pool), Some(Decimal::new(55, 1)))),
        (1, (None, None, ten)),
        (2, (Some(fixture.bounded_plan), Some(fixture.pool), None)),
    ] {
        let line = fixture.find(&iccid(nth)).await;
        let found = (line.customer_rate_plan_id, line.customer_rate_pool_id, line.customer_data_allocation_mb);
        assert_eq!((found, line.version), (expected, 3), "line {nth}");
    }
}

/// One page holds at most one entry a line, the earliest; the next page the next.
pub async fn two_entries_of_a_line_apply_by_date<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "two entries of a line").await;
    let lines = fixture.lines(2).await;
    fixture.assign(&[fixture.assignment(0), fixture.assignment(1)]).await;
    let later = ImportQueueEntry { customer_rate_plan_id: Some(0), ..fixture.entry(0, 20) };
    let open = fixture.schedule(&[later, fixture.entry(0, 10), fixture.entry(1, 15)]).await;

    // Both are overdue after a long downtime.
    let work = store.open_due(fixture.tenant, 10, at(1_000)).await.expect("a page").expect("entries are due");
    assert_eq!(work.entries().iter().map(|due| due.id).collect::<Vec<_>>(), [open[0].id, open[1].id]);
    work.finish(&[]).await.expect("applied");
    assert_eq!(fixture.find(&iccid(0)).await.customer_rate_plan_id, Some(fixture.bounded_plan));
    assert_eq!(fixture.run_due(1_001, &[]).await, Some(DueResult { applied: 1, failed: 0 }));
    assert_eq!(fixture.find(&iccid(0)).await.customer_rate_plan_id, None);
    assert_eq!(fixture.history(lines[0]).await.len(), 2);
    assert_eq!(fixture.run_due(1_002, &[]).await, None);
}

/// As if it had never been opened, also for the next one to come.
pub async fn dropped_work_leaves_nothing_behind<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "dropped work").await;
    let lines = fixture.lines(1).await;
    fixture.assign(&[fixture.assignment(0)]).await;
    let open = fixture.schedule(&[fixture.entry(0, 10)]).await;
    let before = store.get_device(fixture.tenant, lines[0]).await.expect("the line");

    let work = store.open_due(fixture.tenant, 10, at(10)).await.expect("a page").expect("one is due");
    assert_eq!(work.entries().len(), 1);
    drop(work);
    assert_eq!(fixture.open_entries().await, open);
    assert_eq!(store.get_device(fixture.tenant, lines[0]).await.expect("the line"), before);

    // A page whose judge names an entry of another page is not written either.
    let work = due_when_given_back(&fixture).await;
    assert!(work.finish(&[(lineshift_domain::ids::DeviceChangeId(i64::MAX), refusal())]).await.is_err());
    assert_eq!(fixture.open_entries().await, open);
    let work = due_when_given_back(&fixture).await;
    assert_eq!(work.finish(&[]).await.expect("written"), DueResult { applied: 1, failed: 0 });
}

/// What is due, once nobody has it. What was dropped is taken back in its own time, and until then its entry is left to it.
async fn due_when_given_back<S: Store>(fixture: &Fixture<'_, S>) -> Box<dyn DueWork> {
    for _ in 0..10_000 {
        if let Some(work) = fixture.store.open_due(fixture.tenant, 10, at(10)).await.expect("a page") {
            return work;
        }
    }
    panic!("the entry is never given back");
}

/// Failed with its reason, logged, counted on its change, announced once a change; the line stays as it was.
pub async fn a_refused_entry_is_told<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "a refused entry").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(3).await;
    let open = fixture.schedule(&[fixture.entry(0, 10), fixture.entry(1, 10), fixture.entry(2, 10)]).await;
    let change = open[0].bulk_change_id;
    assert_eq!(fixture.run_due(11, &[open[0].id, open[2].id]).await, Some(DueResult { applied: 1, failed: 2 }));

    let failed = store.get_queue_entry(tenant, open[0].id).await.expect("the entry");
    assert_eq!((failed.state, failed.error_code), (PlanQueueState::Failed, Some(Code::DeviceArchived)));
    assert_eq!(failed.status_details.as_deref(), Some("the line is archived"));
    let expected = [(LogText::ScheduledRatePlan.to_string(), true, Some("the line is archived".to_owned()))];
    assert_eq!(fixture.log(change, open[0].id).await, expected);
    assert_eq!(fixture.history(lines[0]).await, vec![]);
    let line = store.get_device(tenant, lines[0]).await.expect("the line");
    assert_eq!((line.customer_rate_plan_id, line.version), (None, 1));
    assert_eq!(store.get_bulk_change(tenant, PrincipalId(0), change).await.expect("the change").scheduled_failed, 2);

    let messages = store.take_messages(1_000).await.expect("messages");
    let told: Vec<_> = messages.iter().filter(|message| message.tenant_id == tenant).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].kind.as_str(), told[0].bulk_change_id), (message_kind::SCHEDULED_FAILED, change));
    assert_eq!(fixture.run_due(12, &[]).await, None);
}

/// Applied and logged, without history and without a new version.
pub async fn what_stands_so_leaves_no_history<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "stands so").await;
    let lines = fixture.lines(1).await;
    fixture.assign(&[fixture.assignment(0)]).await;
    let same = ImportQueueEntry { customer_rate_plan_id: Some(fixture.plan.0), ..fixture.entry(0, 10) };
    let open = fixture.schedule(&[same]).await;
    assert_eq!(fixture.run_due(10, &[]).await, Some(DueResult { applied: 1, failed: 0 }));
    assert_eq!(fixture.history(lines[0]).await, vec![]);
    assert_eq!(store.get_device(fixture.tenant, lines[0]).await.expect("the line").version, 2);
    let log = store.list_log(fixture.tenant, open[0].bulk_change_id, Some(open[0].id), None, 10).await.expect("a log").items;
    assert_eq!((log.len(), log[0].response_text.as_deref()), (1, Some("already so")));
}

/// The customer (on the AMOP path the site), the plan, the pool.
pub async fn due_entries_say_what_has_changed<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "what has changed").await;
    let tenant = fixture.tenant;
    fixture.lines(4).await;
    let amop = |nth: usize| ImportAssignment {
        rev_customer_id: None,
        site_id: fixture.amop_site,
        customer_rate_plan_id: None,
        ..fixture.assignment(nth)
    };
    fixture.assign(&[fixture.assignment(0), fixture.assignment(1), amop(2), amop(3)]).await;
    let second_site =
        store.create_site(tenant, &fixture::site("Acme, Reno", Some(fixture.customer)), at(1)).await.expect("a site");
    let pooled = ImportQueueEntry {
        customer_rate_plan_id: Some(fixture.plan.0),
        customer_rate_pool_id: Some(fixture.pool.0),
        ..fixture.entry(3, 10)
    };
    fixture.schedule(&[fixture.entry(0, 10), fixture.entry(1, 10), fixture.entry(2, 10), pooled]).await;

    // Another site of the same customer, the AMOP customer instead, another AMOP customer.
    let third = store.create_site(tenant, &fixture::site("Core", None), at(1)).await.expect("a site");
    let moved = ImportAssignment { site_id: second_site, ..fixture.assignment(0) };
    fixture.assign(&[moved, amop(1), ImportAssignment { site_id: third, ..amop(2) }]).await;
    let closed = CustomerRatePlan { id: fixture.bounded_plan, is_active: false, ..fixture::plan("Small", Some(500)) };
    store.update_customer_rate_plan(tenant, &closed, at(3)).await.expect("closed");
    let closed = CustomerRatePool { id: fixture.pool, is_active: false, ..fixture::pool("Shared") };
    store.update_customer_rate_pool(tenant, &closed, at(3)).await.expect("closed");

    let work = store.open_due(tenant, 10, at(10)).await.expect("a page").expect("four are due");
    let said: Vec<_> = work.entries().iter().map(|due| (due.customer_unchanged, due.plan_active, due.pool_active)).collect();
    assert_eq!(said, [(true, false, true), (false, false, true), (false, false, true), (true, true, false)]);
}

/// By date, at most as many as asked for, the rest after that.
pub async fn a_page_takes_the_earliest<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "the earliest").await;
    fixture.lines(5).await;
    let rows: Vec<_> = (0..5).map(|nth| fixture.entry(nth, 50 - i64::try_from(nth).expect("five"))).collect();
    let open = fixture.schedule(&rows).await;
    for page in open.chunks(2) {
        let work = store.open_due(fixture.tenant, 2, at(60)).await.expect("a page").expect("entries are due");
        let expected: Vec<_> = page.iter().map(|entry| entry.id).collect();
        assert_eq!(work.entries().iter().map(|due| due.id).collect::<Vec<_>>(), expected);
        work.finish(&[]).await.expect("applied");
    }
    assert_eq!(fixture.open_entries().await, vec![]);
    assert_eq!(fixture.find(&iccid(0)).await.customer_rate_plan_id, Some(CustomerRatePlanId(fixture.bounded_plan.0)));
}

/// Which tenants have entries due, and when the next one falls due, follow every write.
pub async fn work_is_found_across_tenants<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "across tenants").await;
    let tenant = fixture.tenant;
    fixture.lines(2).await;
    // Long before anything that other bodies may have left in the same store.
    let early = -1_000_000;
    let due = async |now: i64| store.list_tenants_with_due_entries(at(now)).await.expect("tenants").contains(&tenant);
    let next = async || store.next_due().await.expect("a date");
    assert!(!due(0).await);
    let open = fixture.schedule(&[fixture.entry(0, early), fixture.entry(1, early + 10)]).await;
    assert_eq!((due(early - 1).await, due(early).await, next().await), (false, true, Some(at(early))));

    assert!(store.move_queue_entry(tenant, open[0].id, at(early + 20), "mover", at(3)).await.expect("moved"));
    assert_eq!((due(early + 9).await, next().await), (false, Some(at(early + 10))));
    assert!(store.cancel_queue_entry(tenant, open[1].id, "canceler", at(4)).await.expect("canceled"));
    assert_eq!((due(early + 19).await, next().await), (false, Some(at(early + 20))));
    assert_eq!(fixture.run_due(early + 20, &[]).await, Some(DueResult { applied: 1, failed: 0 }));
    assert!(!due(0).await);
    assert_ne!(next().await, Some(at(early + 20)));
}
