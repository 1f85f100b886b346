//! The story of a line: what happened to it, and what was asked for it and not done, or waits, put into one order, newest first.

use lineshift_domain::codes::ErrorKind;
use lineshift_domain::ids::{CustomerRatePlanId, CustomerRatePoolId, DeviceId};
use lineshift_domain::terms::{DeviceChangeStatus, PlanQueueState};
use lineshift_store::catalogue::{Names, Unnamed};
use lineshift_store::devices::{HistoryEntry, HistoryKey, LineEvent, LineEventFilter, LineEventKey, LineEventKind};
use lineshift_store::paging::Listed;
use lineshift_store::plan_queue::PlanQueueEntry;

use super::bulk_changes::act;
use super::plan_queue::changes;
use super::timeline::{self, Event};
use crate::cursor::Cursor as _;
use crate::portal::viewer::{Viewer, segment};
use crate::problem::ApiProblem;
use crate::views::{HistoryEntryView, PlanQueueEntryView};

/// Entries of a page of the story.
const ENTRIES: usize = 50;

/// How far the story was told: the last of what happened, and of what was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) happened: Option<HistoryKey>,
    pub(super) asked: Option<LineEventKey>,
}

impl Told {
    /// The parameters of the page that goes on from there.
    pub(super) fn parameters(&self) -> String {
        let happened = self.happened.map(|key| ("after", key.encode()));
        let asked = self.asked.map(|key| ("asked_after", key.encode()));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(happened.into_iter().chain(asked)).finish()
    }
}

/// Something of the story.
pub(super) enum Entry {
    Happened(Box<HistoryEntryView>),
    Asked(Box<LineEvent>),
}

/// A page of the story.
pub(super) struct Story {
    entries: Vec<Entry>,
    /// Where the next page goes on.
    pub(super) next: Option<Told>,
}

impl Story {
    /// Reads a page. That the viewer may see the line is the caller's to know. Whoever is limited sees what the line went through since it
    /// came within reach, and of what was not done what they ordered themselves.
    pub(super) async fn read(viewer: &Viewer, line: DeviceId, told: Told) -> Result<Self, ApiProblem> {
        let (store, caller) = (viewer.web.engine.store(), &viewer.caller);
        let reach = &caller.rights.reach;
        let filter = LineEventFilter {
            portals: viewer.portals().collect(),
            ordered_by: (!reach.is_everything()).then_some(caller.principal),
        };
        let happened = store.list_device_history(caller.tenant, reach, line, told.happened, ENTRIES).await?;
        let asked = store.list_line_events(caller.tenant, reach, &filter, line, told.asked, ENTRIES).await?;
        Ok(Self::of(happened, asked, told, ENTRIES))
    }

    /// The newest of both lists, at most `most`.
    fn of(
        happened: Listed<HistoryEntry, HistoryKey>,
        asked: Listed<LineEvent, LineEventKey>,
        mut told: Told,
        most: usize,
    ) -> Self {
        let mut are_more = happened.next.is_some() || asked.next.is_some();
        let (mut happened, mut asked) = (happened.items.into_iter().peekable(), asked.items.into_iter().peekable());
        let mut entries = Vec::new();
        while entries.len() < most {
            let at = happened.peek().map(|entry| entry.at.timestamp_micros());
            // Of one moment, what was done comes first: it is what the other led to.
            let is_asked = asked.peek().is_some_and(|event| at.is_none_or(|at| event.key.at > at));
            let next = if is_asked { asked.next().map(Err) } else { happened.next().map(Ok) };
            match next {
                Some(Ok(entry)) => {
                    told.happened = Some(key(&entry));
                    entries.push(Entry::Happened(Box::new(entry.into())));
                }
                Some(Err(event)) => {
                    told.asked = Some(event.key);
                    entries.push(Entry::Asked(Box::new(event)));
                }
                None => break,
            }
        }
        are_more |= happened.peek().is_some() || asked.peek().is_some();
        Self { entries, next: are_more.then_some(told) }
    }

    /// Adds what stands by its id in it.
    pub(super) fn add_unnamed(&self, unnamed: &mut Unnamed) {
        for entry in &self.entries {
            match entry {
                Entry::Happened(entry) => timeline::add_unnamed(entry, unnamed),
                Entry::Asked(event) => {
                    if let LineEventKind::Scheduled(entry) | LineEventKind::Unscheduled(entry) = &event.what {
                        let view = PlanQueueEntryView::of((**entry).clone(), chrono_tz::UTC);
                        unnamed.customer_rate_plans.extend(view.customer_rate_plan_id.map(CustomerRatePlanId));
                        unnamed.customer_rate_pools.extend(view.customer_rate_pool_id.map(CustomerRatePoolId));
                    }
                }
            }
        }
    }

    /// The page as words.
    pub(super) fn events(self, viewer: &Viewer, names: &Names) -> Vec<Event> {
        let words = |entry| match entry {
            Entry::Happened(entry) => timeline::event(viewer, *entry, names),
            Entry::Asked(event) => asked(viewer, *event, names),
        };
        self.entries.into_iter().map(words).collect()
    }
}

fn key(entry: &HistoryEntry) -> HistoryKey {
    HistoryKey {
        at: entry.at.timestamp_micros(),
        bulk_change_id: entry.bulk_change_id.0,
        attempt: entry.attempt,
        entry: entry.entry,
    }
}

fn asked(viewer: &Viewer, event: LineEvent, names: &Names) -> Event {
    let at = chrono::DateTime::from_timestamp_micros(event.key.at).unwrap_or_default();
    let sees_it = viewer.caller.rights.reach.is_everything() || event.ordered_by_id == viewer.caller.principal;
    let row = format!("/{}/bulk-changes/{}/lines/{}", segment(event.portal), event.bulk_change_id, event.row);
    let (what, by, note) = match event.what {
        LineEventKind::Undone { change_type, status, code, details, canceled_by } => {
            let is_canceled = status == DeviceChangeStatus::Canceled;
            let failed = code.is_some_and(|code| matches!(code.kind(), ErrorKind::Integration | ErrorKind::Internal));
            let became = if is_canceled {
                "canceled"
            } else if failed {
                "asked, failed"
            } else {
                "asked, refused"
            };
            let by = canceled_by.filter(|_| is_canceled).unwrap_or(event.ordered_by);
            (format!("{}: {became}", act(change_type.as_str())), by, reason(code.map(|code| code.to_string()), details))
        }
        LineEventKind::Scheduled(entry) => {
            let when = viewer.when(entry.effective_date).text;
            (format!("Scheduled for {when}"), event.ordered_by, Some(planned(viewer, &entry, names)))
        }
        LineEventKind::Unscheduled(entry) => {
            let became = if entry.state == PlanQueueState::Canceled { "canceled" } else { "refused when it fell due" };
            let what = format!("Scheduled for {}: {became}", viewer.when(entry.effective_date).text);
            let why = reason(entry.error_code.map(|code| code.to_string()), entry.status_details.clone());
            let planned = planned(viewer, &entry, names);
            let note = why.map_or_else(|| planned.clone(), |why| format!("{planned}; {why}"));
            (what, entry.modified_by.unwrap_or(event.ordered_by), Some(note))
        }
    };
    Event { at: viewer.when(at), what, by, note, changes: Vec::new(), change: None, row: sees_it.then_some(row) }
}

/// A code and what it means here.
fn reason(code: Option<String>, details: Option<String>) -> Option<String> {
    match (code, details) {
        (Some(code), Some(details)) => Some(format!("{code}: {details}")),
        (code, details) => code.or(details),
    }
}

/// What an entry of the plan queue would change.
fn planned(viewer: &Viewer, entry: &PlanQueueEntry, names: &Names) -> String {
    changes(&PlanQueueEntryView::of(entry.clone(), viewer.zone()), names).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, PrincipalId};
    use lineshift_domain::terms::{ChangeRequestType, PortalType};

    fn happened(at: i64) -> HistoryEntry {
        HistoryEntry {
            at: DateTime::from_timestamp_micros(at).expect("a moment"),
            bulk_change_id: BulkChangeId(1),
            attempt: 1,
            entry: 1,
            action: "status".to_owned(),
            old_value: "null".to_owned(),
            new_value: "null".to_owned(),
            changed_by: "ada".to_owned(),
        }
    }

    fn undone(at: i64) -> LineEvent {
        LineEvent {
            key: LineEventKey { at, kind: 0, row: at },
            row: DeviceChangeId(at),
            bulk_change_id: BulkChangeId(1),
            portal: PortalType::M2M,
            ordered_by: "ada".to_owned(),
            ordered_by_id: PrincipalId(1),
            what: LineEventKind::Undone {
                change_type: ChangeRequestType::StatusUpdate,
                status: DeviceChangeStatus::Error,
                code: None,
                details: None,
                canceled_by: None,
            },
        }
    }

    /// What a page of two lists of a store would hold that goes on from `told`.
    fn page(told: Told, most: usize) -> (Vec<i64>, Option<Told>) {
        let all_happened = [9, 5, 4, 1].map(happened);
        let all_asked = [8, 7, 5, 3, 2].map(undone);
        let left = all_happened.into_iter().filter(|entry| told.happened.is_none_or(|before| key(entry) < before)).collect();
        let happened = Listed::from_surplus(left, most, key);
        let left = all_asked.into_iter().filter(|event| told.asked.is_none_or(|before| event.key < before)).collect();
        let asked = Listed::from_surplus(left, most, |event| event.key);
        let story = Story::of(happened, asked, told, most);
        let at = |entry: &Entry| match entry {
            Entry::Happened(entry) => entry.at.timestamp_micros(),
            Entry::Asked(event) => -event.key.at,
        };
        (story.entries.iter().map(at).collect(), story.next)
    }

    #[test]
    fn both_lists_are_told_once_and_in_order_however_long_pages_are() {
        for most in 1..12 {
            let (mut told, mut all) = (Told::default(), Vec::new());
            loop {
                let (entries, next) = page(told, most);
                assert!(entries.len() <= most);
                all.extend(entries);
                let Some(next) = next else { break };
                told = next;
            }
            assert_eq!(all, [9, -8, -7, 5, -5, 4, -3, -2, 1], "pages of {most}");
        }
    }
}
