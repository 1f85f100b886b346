//! What was asked for a line and is not in its history.

use lineshift_domain::codes::Code;
use lineshift_domain::ids::PrincipalId;
use lineshift_domain::judge::Reason;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{DeviceChangeStatus, PlanQueueState, PortalType};

use super::bulk_changes::{amop, refused, stored};
use super::fixture::{Fixture, at};
use crate::Store;
use crate::bulk_changes::NewDeviceChange;
use crate::devices::{LineEvent, LineEventFilter, LineEventKind};
use crate::plan_queue::PlanQueueFilter;

/// Refused rows, what was scheduled, and what became of that without being done: newest first, page by page, of the line, the tenant and
/// the portals alone; and rows are found by their ids.
pub async fn what_was_asked_and_not_done_is_listed<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "asked and not done").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(2).await;
    let archived = NewDeviceChange {
        request_position: 1,
        line: "line 1".to_owned(),
        device: Some((lines[0], 1)),
        refused: Some(Reason::new(Code::DeviceArchived, "it is archived")),
    };
    let change = stored(&fixture, amop(&fixture), vec![refused(0, Code::DeviceNotFound), archived]).await;
    let entries = fixture.schedule(&[fixture.entry(0, 15), fixture.entry(0, 20)]).await;
    assert!(store.cancel_queue_entry(tenant, entries[0].id, "canceler", at(10)).await.expect("canceled"));
    assert_eq!(fixture.run_due(20, &[entries[1].id]).await.map(|done| done.applied), Some(0));

    let all = LineEventFilter { portals: PortalType::ALL.to_vec(), ordered_by: None };
    let listed = async |filter: &LineEventFilter, limit| {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = store.list_line_events(tenant, &Reach::Everything, filter, lines[0], before, limit).await.expect("a page");
            found.extend(page.items);
            before = page.next;
            if before.is_none() {
                return found;
            }
        }
    };
    let told = |event: &LineEvent| match &event.what {
        LineEventKind::Undone { status, code, details, .. } => {
            assert_eq!((*status, details.as_deref()), (DeviceChangeStatus::Error, Some("it is archived")));
            (0, event.row, *code)
        }
        LineEventKind::Scheduled(entry) => (1, entry.id, None),
        LineEventKind::Unscheduled(entry) if entry.state == PlanQueueState::Canceled => (2, entry.id, None),
        LineEventKind::Unscheduled(entry) => (3, entry.id, entry.error_code),
    };
    let whole = listed(&all, 10).await;
    let mut kinds: Vec<_> = whole.iter().map(|event| (event.key.at, told(event))).collect();
    assert_eq!(kinds.iter().map(|(_, (kind, ..))| *kind).filter(|kind| *kind > 1).collect::<Vec<_>>(), [3, 2], "newest first");
    assert_eq!(kinds.len(), 5, "{whole:?}");
    assert!(whole.is_sorted_by(|one, other| one.key > other.key), "{whole:?}");
    kinds.retain(|(_, (kind, ..))| *kind == 0);
    assert_eq!(
        (whole.iter().filter(|event| event.bulk_change_id == change).count(), kinds[0].1.2),
        (1, Some(Code::DeviceArchived))
    );
    for limit in [1, 2, 3] {
        assert_eq!(listed(&all, limit).await, whole, "pages of {limit}");
    }

    let elsewhere = LineEventFilter { portals: vec![PortalType::Lnp], ordered_by: None };
    assert_eq!(listed(&elsewhere, 10).await, []);
    let of_somebody = LineEventFilter { ordered_by: Some(PrincipalId(77)), ..all.clone() };
    assert_eq!(listed(&of_somebody, 10).await.len(), 4, "what others asked and was not done is theirs");
    let other = store.list_line_events(fixture.other, &Reach::Everything, &all, lines[0], None, 10).await.expect("a page");
    assert_eq!(other.items, []);
    let none = store.list_line_events(tenant, &Reach::Everything, &all, lines[1], None, 10).await.expect("a page");
    assert_eq!(none.items, []);

    let of_change = PlanQueueFilter::OfChange(entries[0].bulk_change_id, PlanQueueState::Canceled);
    let canceled = store.list_queue_entries(tenant, &Reach::Everything, of_change, None, 9).await.expect("a page").items;
    assert_eq!(canceled.len(), 1);
    let refused_row = whole.iter().find(|event| event.bulk_change_id == change).expect("it is there").row;
    let asked = [refused_row, entries[0].id, refused_row];
    let found = store.find_device_changes(tenant, change, &asked).await.expect("found");
    assert_eq!(found.iter().map(|row| (row.id, row.error_code)).collect::<Vec<_>>(), [(refused_row, Some(Code::DeviceArchived))]);
    assert_eq!(store.find_device_changes(fixture.other, change, &asked).await.expect("found"), []);
    assert_eq!(store.find_device_changes(tenant, change, &[]).await.expect("found"), []);
}
