//! The plan queue, as people look at it and change it.

use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::log_text::LogText;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::PlanQueueState;

use super::fixture::{BY, Fixture, at};
use crate::plan_queue::{PlanQueueEntry, PlanQueueFilter};
use crate::{Store, StoreError};

async fn paged<S: Store>(fixture: &Fixture<'_, S>, filter: PlanQueueFilter) -> Vec<DeviceChangeId> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = fixture.store.list_queue_entries(fixture.tenant, &Reach::Everything, filter, after, 2).await.expect("a page");
        assert!(page.items.len() <= 2, "{filter:?}");
        ids.extend(page.items.iter().map(|entry| entry.id));
        after = page.next;
        if after.is_none() {
            return ids;
        }
    }
}

/// Open ones by date, those of a line by date, those of a change by id.
pub async fn entries_are_listed_by_each_filter<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "entries are listed").await;
    let lines = fixture.lines(3).await;
    // Two share a date: then their ids decide.
    let rows = [fixture.entry(0, 30), fixture.entry(1, 10), fixture.entry(2, 30), fixture.entry(0, 20), fixture.entry(0, 40)];
    let open = fixture.schedule(&rows).await;
    assert!(open.is_sorted_by_key(|entry| (entry.effective_date, entry.id)));
    assert_eq!(open.len(), 5);
    let ids = |keep: &dyn Fn(&PlanQueueEntry) -> bool| -> Vec<DeviceChangeId> {
        open.iter().filter(|entry| keep(entry)).map(|entry| entry.id).collect()
    };
    assert_eq!(paged(&fixture, PlanQueueFilter::Open).await, ids(&|_| true));
    assert_eq!(paged(&fixture, PlanQueueFilter::OpenOfDevice(lines[0])).await, ids(&|entry| entry.device_id == lines[0]));

    // A change names a line once: the second and third entries of the line stand under changes of their own.
    let change = open.iter().map(|entry| entry.bulk_change_id).min().expect("five entries");
    let mut of_change = ids(&|entry| entry.bulk_change_id == change);
    of_change.sort_unstable();
    assert_eq!(of_change.len(), 3);
    assert_eq!(paged(&fixture, PlanQueueFilter::OfChange(change, PlanQueueState::Open)).await, of_change);
    assert_eq!(paged(&fixture, PlanQueueFilter::OfChange(change, PlanQueueState::Applied)).await, []);
    assert_eq!(store.get_queue_entry(fixture.tenant, open[2].id).await.expect("the entry"), open[2]);
}

/// As often as wanted; each move is logged; what is not open any more stays.
pub async fn an_entry_is_moved_and_each_move_logged<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "an entry is moved").await;
    let tenant = fixture.tenant;
    fixture.lines(2).await;
    fixture.assign(&[fixture.assignment(0), fixture.assignment(1)]).await;
    let open = fixture.schedule(&[fixture.entry(0, 100), fixture.entry(1, 300)]).await;
    let (id, change) = (open[0].id, open[0].bulk_change_id);
    for (due, now) in [(400, 10), (50, 11), (200, 11)] {
        assert!(store.move_queue_entry(tenant, id, at(due), "mover", at(now)).await.expect("moved"));
        let entry = store.get_queue_entry(tenant, id).await.expect("the entry");
        assert_eq!((entry.effective_date, entry.state), (at(due), PlanQueueState::Open));
        assert_eq!((entry.modified_by.as_deref(), entry.modified_at), (Some("mover"), Some(at(now))));
    }
    assert!(store.open_due(tenant, 10, at(199)).await.expect("a page").is_none());
    assert_eq!(fixture.run_due(200, &[]).await.map(|done| done.applied), Some(1));
    assert!(!store.move_queue_entry(tenant, id, at(900), "mover", at(201)).await.expect("not open any more"));
    assert_eq!(store.get_queue_entry(tenant, id).await.expect("the entry").effective_date, at(200));

    let texts: Vec<_> = fixture.log(change, id).await.into_iter().map(|(text, ..)| text).collect();
    let moved = LogText::MoveScheduledRatePlan.as_str();
    assert_eq!(texts, [moved, moved, moved, LogText::ScheduledRatePlan.as_str()]);
    let log = store.list_log(tenant, change, Some(id), None, 10).await.expect("a log").items;
    assert!(log[0].request_text.as_deref().is_some_and(|text| text.starts_with(&format!("{moved}\n{{"))), "{log:?}");
    assert!(log[0].response_text.as_deref().is_some_and(|text| text.starts_with("moved from 2026-")), "{log:?}");
}

/// It takes no effect, is logged, and cannot be canceled twice.
pub async fn an_entry_is_canceled_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "an entry is canceled").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(1).await;
    let open = fixture.schedule(&[fixture.entry(0, 100)]).await;
    let (id, change) = (open[0].id, open[0].bulk_change_id);
    assert!(store.move_queue_entry(tenant, id, at(90), BY, at(9)).await.expect("moved"));
    assert!(store.cancel_queue_entry(tenant, id, "canceler", at(10)).await.expect("canceled"));
    assert!(!store.cancel_queue_entry(tenant, id, "canceler", at(11)).await.expect("canceled already"));
    let entry = store.get_queue_entry(tenant, id).await.expect("the entry");
    assert_eq!(
        (entry.state, entry.modified_by.as_deref(), entry.modified_at),
        (PlanQueueState::Canceled, Some("canceler"), Some(at(10)))
    );

    assert!(store.open_due(tenant, 10, at(1_000)).await.expect("a page").is_none());
    assert_eq!(fixture.history(lines[0]).await, vec![]);
    let expected = [LogText::MoveScheduledRatePlan, LogText::CancelScheduledRatePlan].map(|text| (text.to_string(), false, None));
    assert_eq!(fixture.log(change, id).await, expected);
}

/// Another tenant neither sees, moves, cancels nor applies them.
pub async fn entries_stay_with_their_tenant<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "entries stay").await;
    let (tenant, other) = (fixture.tenant, fixture.other);
    let lines = fixture.lines(1).await;
    let before = fixture.schedule(&[fixture.entry(0, 100)]).await;
    let id = before[0].id;
    for filter in [
        PlanQueueFilter::Open,
        PlanQueueFilter::OpenOfDevice(lines[0]),
        PlanQueueFilter::OfChange(before[0].bulk_change_id, PlanQueueState::Open),
    ] {
        assert_eq!(store.list_queue_entries(other, &Reach::Everything, filter, None, 10).await.expect("a list").items, vec![]);
    }
    for (tenant, id) in [(other, id), (tenant, DeviceChangeId(i64::MAX))] {
        let missing = [
            store.get_queue_entry(tenant, id).await.map(|_| ()),
            store.move_queue_entry(tenant, id, at(1), BY, at(3)).await.map(|_| ()),
            store.cancel_queue_entry(tenant, id, BY, at(3)).await.map(|_| ()),
        ];
        for missing in missing {
            assert!(matches!(missing, Err(StoreError::NotFound { .. })), "{missing:?}");
        }
    }
    assert!(store.open_due(other, 10, at(1_000)).await.expect("a page").is_none());
    assert_eq!(fixture.open_entries().await, before);
}
