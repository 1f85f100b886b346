//! Callbacks of carriers: a reason to look sooner, and nothing more (B5.6).

use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, ServiceProviderId, TenantId};
use lineshift_domain::judge::Reason;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::StepState;

use super::carriers::{begun, linked, moving, part};
use super::fixture::{Fixture, at, iccid, provider};
use super::waiting::wait;
use super::work::{QUERY, claim, rows};
use crate::billing::StepBatch;
use crate::bulk_changes::LogEntry;
use crate::carriers::CalledBackLine;
use crate::work::{PageClaim, PageWork, Settled};
use crate::{Store, StoreError};

/// When a row is looked at that nobody called back about.
const LATER: i64 = 10_000;

/// Sealed by whoever stores them; replaced, taken away, and each provider's own.
pub async fn callback_credentials_are_kept<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "callback credentials").await;
    let (tenant, own) = (fixture.tenant, fixture.provider);
    assert_eq!(store.get_callback_secret(tenant, own).await.expect("asked"), None);
    for sealed in [Some(&b"\0sealed"[..]), Some(b"anew"), None] {
        store.set_callback_secret(tenant, own, sealed).await.expect("set");
        assert_eq!(store.get_callback_secret(tenant, own).await.expect("asked").as_deref(), sealed);
    }
    store.set_callback_secret(tenant, own, Some(b"kept")).await.expect("set");
    let mut renamed = store.get_service_provider(tenant, own).await.expect("the provider");
    renamed.name = "Renamed".to_owned();
    store.update_service_provider(tenant, &renamed, at(1)).await.expect("renamed");
    assert_eq!(store.get_callback_secret(tenant, own).await.expect("asked").as_deref(), Some(&b"kept"[..]));
    for (of, provider) in [(fixture.other, own), (tenant, ServiceProviderId(own.0 + 1_000))] {
        let answers = [
            store.set_callback_secret(of, provider, None).await,
            store.get_callback_secret(of, provider).await.map(|_| ()),
            store.note_callback(of, provider, "r", &[], at(1)).await.map(|_| ()),
        ];
        for answer in answers {
            assert!(matches!(answer, Err(StoreError::NotFound { .. })), "{answer:?}");
        }
    }
}

/// A change whose rows wait for what a carrier has accepted, each under the request given for it.
async fn waiting<S: Store>(fixture: &Fixture<'_, S>, requests: &[&str]) -> (BulkChangeId, Vec<DeviceChangeId>) {
    let account = linked(fixture).await;
    let id = moving(fixture, account, &fixture.lines(requests.len()).await).await;
    let (held, found) = begun(fixture, id).await;
    accept(fixture, &held, &found, requests).await;
    let page = fixture.store.open_page(&held, at(12)).await.expect("opened");
    hold(page, &found).await;
    assert_eq!(claim(fixture, id, 20).await, None, "it waits");
    (id, found)
}

/// Says that the carrier has accepted something for each row.
async fn accept<S: Store>(fixture: &Fixture<'_, S>, held: &PageClaim, found: &[DeviceChangeId], requests: &[&str]) {
    let steps = found.iter().zip(requests).map(|(row, request)| part(*row, 0, StepState::Waiting, Some(request))).collect();
    let batch = StepBatch { steps, ..StepBatch::default() };
    fixture.store.record_steps(held, &batch, at(11)).await.expect("recorded");
}

/// Makes rows of a page wait, and gives the page back.
async fn hold(mut page: Box<dyn PageWork>, found: &[DeviceChangeId]) {
    page.list_open_lines(QUERY).await.expect("lines");
    let rows: Vec<_> = found.iter().map(|row| wait(*row, Code::AwaitingCarrier, LATER)).collect();
    page.hold_open(&rows).await.expect("held");
    page.finish(None).await.expect("finished");
}

/// Notes a callback; answers of how many rows.
async fn called_back<S: Store>(fixture: &Fixture<'_, S>, request: &str, lines: &[CalledBackLine], now: i64) -> u64 {
    let noted = fixture.store.note_callback(fixture.tenant, fixture.provider, request, lines, at(now)).await;
    noted.expect("noted").rows
}

fn line(nth: usize, failed: Option<&str>) -> CalledBackLine {
    CalledBackLine { iccid: iccid(nth), failed: failed.map(str::to_owned) }
}

/// When each row is looked at next, in seconds.
async fn looked_at<S: Store>(fixture: &Fixture<'_, S>, id: BulkChangeId) -> Vec<Option<i64>> {
    let seconds = |time: chrono::DateTime<chrono::Utc>| (time - at(0)).num_seconds();
    rows(fixture, id).await.into_iter().map(|row| row.next_check_at.map(seconds)).collect()
}

/// The callbacks in a row's log.
async fn told<S: Store>(fixture: &Fixture<'_, S>, id: BulkChangeId, row: DeviceChangeId) -> Vec<LogEntry> {
    let log = fixture.store.list_log(fixture.tenant, id, Some(row), None, 100).await.expect("a log").items;
    log.into_iter().filter(|entry| entry.description.contains("Callback")).collect()
}

/// Those of the same request and no others; the page is claimable at once, the part still waits, and the log says so.
pub async fn a_callback_wakes_every_row_of_its_request<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "a callback").await;
    let (id, found) = waiting(&fixture, &["r-1", "r-1", "r-2"]).await;
    assert_eq!(called_back(&fixture, "r-1", &[], 30).await, 2);
    assert_eq!(looked_at(&fixture, id).await, [Some(30), Some(30), Some(LATER)]);
    for row in &found[..2] {
        let step = store.list_steps(fixture.tenant, *row).await.expect("listed").remove(0);
        assert_eq!((step.state, step.external_id.as_deref(), step.code), (StepState::Waiting, Some("r-1"), None));
        assert_eq!((step.outcome.as_deref(), step.at), (Some("the carrier called back"), at(20)));
        let told = told(&fixture, id, *row).await;
        assert_eq!((told.len(), told[0].description.as_str()), (1, "Jasper Callback: AMOP Update"));
        assert_eq!(told[0].request_text.as_deref(), Some("Jasper Callback: AMOP Update\nr-1"));
        assert_eq!((told[0].has_errors, told[0].processed_at), (false, at(30)));
    }
    let untold = store.list_steps(fixture.tenant, found[2]).await.expect("listed").remove(0);
    assert_eq!((untold.outcome, told(&fixture, id, found[2]).await), (None, vec![]));

    let woken = claim(&fixture, id, 31).await.expect("at once");
    assert_eq!(woken.lost_lease_until, None);
    let mut page = store.open_page(&woken, at(31)).await.expect("opened");
    assert_eq!(page.wake_due().await.expect("woken"), 2);
    assert_eq!(page.list_outside_lines().await.expect("lines").iter().map(|line| line.id).collect::<Vec<_>>(), found[..2]);
}

/// Only the lines that it names, each with what it says of it; what failed is kept in the part, for people and for the read-back.
pub async fn a_callback_names_lines<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "lines called back").await;
    let (id, found) = waiting(&fixture, &["r", "r", "r"]).await;
    let lines = [line(2, Some("Device is \"suspended\"")), line(0, None), line(77, None)];
    assert_eq!(called_back(&fixture, "r", &lines, 30).await, 2);
    assert_eq!(looked_at(&fixture, id).await, [Some(30), Some(LATER), Some(30)]);
    let mut outcomes = Vec::new();
    for row in &found {
        let step = store.list_steps(fixture.tenant, *row).await.expect("listed").remove(0);
        assert_eq!(step.state, StepState::Waiting, "a callback settles nothing");
        outcomes.push((step.outcome, step.code));
    }
    let failed = "Device is \"suspended\"".to_owned();
    let worked = "the carrier called back".to_owned();
    assert_eq!(outcomes, [(Some(worked), None), (None, None), (Some(failed.clone()), Some(Code::CarrierRefused))]);
    let told = told(&fixture, id, found[2]).await;
    assert_eq!((told.len(), told[0].has_errors, told[0].error_text.as_ref()), (1, true, Some(&failed)));

    assert_eq!(called_back(&fixture, "r", &[line(1, Some("no"))], 40).await, 1, "the rest may follow");
    assert_eq!(looked_at(&fixture, id).await, [Some(30), Some(40), Some(30)]);
}

/// The same said twice changes nothing, also once it was looked for in vain; something else said is noted.
pub async fn a_callback_is_noted_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "called back twice").await;
    let (id, found) = waiting(&fixture, &["r"]).await;
    assert_eq!(called_back(&fixture, "r", &[line(0, Some("no"))], 30).await, 1);
    let (noted, steps) = (rows(&fixture, id).await, store.list_steps(fixture.tenant, found[0]).await.expect("listed"));
    assert_eq!(called_back(&fixture, "r", &[line(0, Some("no"))], 31).await, 0);
    assert_eq!((rows(&fixture, id).await, store.list_steps(fixture.tenant, found[0]).await.expect("listed")), (noted, steps));

    let woken = claim(&fixture, id, 32).await.expect("at once");
    let mut page = store.open_page(&woken, at(32)).await.expect("opened");
    page.wake_due().await.expect("woken");
    hold(page, &found).await;
    assert_eq!(called_back(&fixture, "r", &[line(0, Some("no"))], 33).await, 0);
    assert_eq!((looked_at(&fixture, id).await, claim(&fixture, id, 34).await), (vec![Some(LATER)], None));
    assert_eq!(told(&fixture, id, found[0]).await.len(), 1);

    assert_eq!(called_back(&fixture, "r", &[line(0, None)], 40).await, 1);
    assert_eq!(looked_at(&fixture, id).await, [Some(40)]);
    let told: Vec<_> = told(&fixture, id, found[0]).await.into_iter().map(|entry| entry.error_text).collect();
    assert_eq!(told, [Some("no".to_owned()), None]);
    let step = store.list_steps(fixture.tenant, found[0]).await.expect("listed").remove(0);
    assert_eq!((step.outcome.as_deref(), step.code), (Some("the carrier called back"), None));
}

/// Before its rows wait, after they ended, for an unknown request, of another provider or tenant.
pub async fn a_callback_too_early_or_too_late_changes_nothing<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "called back in vain").await;
    let account = linked(&fixture).await;
    let id = moving(&fixture, account, &fixture.lines(1).await).await;
    let (held, found) = begun(&fixture, id).await;
    accept(&fixture, &held, &found, &["r"]).await;
    let before = rows(&fixture, id).await;
    let early = store.note_callback(fixture.tenant, fixture.provider, "r", &[], at(30)).await.expect("noted");
    assert_eq!((early.rows, early.early), (0, 1), "too early: it is to be repeated");
    assert_eq!(rows(&fixture, id).await, before);

    hold(store.open_page(&held, at(12)).await.expect("opened"), &found).await;
    let before = rows(&fixture, id).await;
    let second = store.create_service_provider(fixture.tenant, &provider("Second"), at(0)).await.expect("another provider");
    let foreign = store.create_service_provider(fixture.other, &provider("Jasper"), at(0)).await.expect("another tenant's");
    for (tenant, provider, request) in
        [(fixture.tenant, fixture.provider, "R"), (fixture.tenant, second, "r"), (fixture.other, foreign, "r")]
    {
        let noted = store.note_callback(tenant, provider, request, &[], at(30)).await.expect("noted");
        assert_eq!(noted.rows, 0, "{request} of {provider} of {tenant}");
    }
    assert_eq!(called_back(&fixture, "r", &[line(5, None)], 30).await, 0, "of another line");
    assert_eq!((rows(&fixture, id).await, told(&fixture, id, found[0]).await), (before, vec![]));

    assert!(
        store
            .cancel_bulk_change(fixture.tenant, id, &super::bulk_changes::orderer(), &Reach::Everything, at(40))
            .await
            .expect("canceled")
    );
    let last = claim(&fixture, id, 41).await.expect("the page");
    let mut page = store.open_page(&last, at(41)).await.expect("opened");
    page.wake_due().await.expect("woken");
    page.list_open_lines(QUERY).await.expect("lines");
    page.settle(&[Settled::Unsettled(found[0], Reason::new(Code::OutcomeUnknown, "given up"))]).await.expect("settled");
    page.finish(None).await.expect("finished");
    let ended = rows(&fixture, id).await;
    assert_eq!(called_back(&fixture, "r", &[], 50).await, 0, "too late");
    assert_eq!((rows(&fixture, id).await, told(&fixture, id, found[0]).await), (ended, vec![]));
    let of_no_tenant = store.note_callback(TenantId(fixture.tenant.0 + 1_000_000), fixture.provider, "r", &[], at(50)).await;
    assert!(of_no_tenant.is_err());
}

/// A page that somebody holds is not taken from him: he gives it back until the row is due, which is now.
pub async fn a_page_in_hand_is_told_by_its_rows<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "called back in hand").await;
    let (id, found) = waiting(&fixture, &["r", "s"]).await;
    assert_eq!(called_back(&fixture, "s", &[], 30).await, 1);
    let held = claim(&fixture, id, 31).await.expect("the page");
    assert_eq!(called_back(&fixture, "r", &[], 32).await, 1);
    assert_eq!(claim(&fixture, id, 33).await, None, "it is held");
    let mut page = store.open_page(&held, at(31)).await.expect("opened");
    assert_eq!(page.wake_due().await.expect("woken"), 1, "the other row, as it stood then");
    page.list_open_lines(QUERY).await.expect("lines");
    page.hold_open(&[wait(found[1], Code::AwaitingCarrier, LATER)]).await.expect("held");
    assert_eq!(page.finish(None).await.expect("finished").waiting, 2);
    assert_eq!(looked_at(&fixture, id).await, [Some(32), Some(LATER)]);
    claim(&fixture, id, 33).await.expect("at once");
}
