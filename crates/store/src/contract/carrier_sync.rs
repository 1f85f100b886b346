//! Synchronisation with carriers: what a run writes of lines, plans and usage, page by page.

use lineshift_domain::carrier::CarrierLine;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::{DeviceId, ServiceProviderId};
use lineshift_domain::sync::{FindingKind, FindingSubject, SyncPart, SyncParts, SyncPhase};
use lineshift_domain::terms::IntegrationKind;

use super::fixture::{self, Fixture, at, iccid, number};
use super::holds;
use crate::Store;
use crate::billing::AccountSettings;
use crate::catalogue::{IntegrationAuthentication, ServiceProvider};
use crate::sync::{
    AccountToSync, GoneLine, NewSyncRun, SyncBatch, SyncClaim, SyncCounts, SyncFinding, SyncPlace, SyncedLine, SyncedPlan,
    UsedLine,
};

/// A run of the service provider that began at that moment, in hand for a minute.
async fn begun<S: Store>(
    fixture: &Fixture<'_, S>,
    provider: ServiceProviderId,
    what: &[SyncPart],
    usage_lines: Vec<DeviceId>,
    began: i64,
) -> SyncClaim {
    let run = NewSyncRun {
        integration_authentication_id: fixture.authentication,
        service_provider_id: Some(provider),
        what: what.iter().copied().collect(),
        full: false,
        usage_lines,
        ordered_by: "contract".to_owned(),
    };
    let run = fixture.store.begin_sync_run(fixture.tenant, &run, at(began)).await.expect("a run");
    let claim = fixture.store.claim_sync_run(fixture.tenant, run.id, at(began + 60), at(began)).await.expect("a store");
    claim.expect("nobody else holds it")
}

/// A run of lines.
async fn of_lines<S: Store>(fixture: &Fixture<'_, S>, began: i64) -> SyncClaim {
    begun(fixture, fixture.provider, &[SyncPart::Devices], Vec::new(), began).await
}

/// A line as the fixture brings it in.
fn line(nth: usize) -> SyncedLine {
    let line = CarrierLine {
        status: Some("ACTIVATED".to_owned()),
        rate_plan: Some("carrier plan".to_owned()),
        subscriber_number: Some(number(nth)),
        activated_at: Some(at(-86_400)),
        ..CarrierLine::default()
    };
    SyncedLine { iccid: iccid(nth), line }
}

/// The same with something else in it.
fn but(nth: usize, change: impl FnOnce(&mut CarrierLine)) -> SyncedLine {
    let mut synced = line(nth);
    change(&mut synced.line);
    synced
}

/// Writes lines that were read ten seconds before that moment.
async fn record<S: Store>(fixture: &Fixture<'_, S>, claim: &SyncClaim, lines: Vec<SyncedLine>, now: i64) -> SyncClaim {
    let batch = SyncBatch { lines, lines_read_at: Some(at(now - 10)), ..SyncBatch::default() };
    let next = SyncPlace { phase: SyncPhase::Devices, page: claim.run.page + 1, after: 0 };
    fixture.store.record_sync(claim, &batch, next, at(now)).await.expect("the page is written")
}

async fn end<S: Store>(fixture: &Fixture<'_, S>, claim: &SyncClaim, now: i64) -> SyncCounts {
    let next = SyncPlace::beginning(SyncPhase::Finished);
    fixture.store.record_sync(claim, &SyncBatch::default(), next, at(now)).await.expect("it ends").run.counts
}

async fn findings<S: Store>(fixture: &Fixture<'_, S>, claim: &SyncClaim) -> Vec<SyncFinding> {
    fixture.store.list_sync_findings(fixture.tenant, claim.run.id, None, None, 1_000).await.expect("listed").items
}

/// Read, new, changed, unchanged, left out, gone.
fn met(counts: SyncCounts) -> (i64, i64, i64, i64, i64, i64) {
    let SyncCounts { read, new, changed, unchanged, left_out, gone, .. } = counts;
    (read, new, changed, unchanged, left_out, gone)
}

/// New lines have their assignment from the start; what is shown twice counts once; lines are asked for since the last run began.
pub async fn a_first_run_brings_lines_and_a_second_nothing_new<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "carrier sync: first").await;
    let known = fixture.lines(1).await[0];
    let held = of_lines(&fixture, 30).await;
    assert_eq!((held.run.changed_since, held.run.service_provider_id), (None, Some(fixture.provider)));
    assert_eq!((held.run.phase, held.run.what.iter().collect::<Vec<_>>()), (SyncPhase::Devices, vec![SyncPart::Devices]));
    let held = record(&fixture, &held, vec![line(0), line(1), line(2), line(1)], 40).await;
    let held = record(&fixture, &held, vec![line(2)], 41).await;
    assert_eq!(met(held.run.counts), (3, 2, 0, 1, 0, 0));
    let new = fixture.find(&iccid(1)).await;
    assert!(new.id > known, "an id of its own");
    let assignment = (new.rev_customer_id, new.is_active, new.version);
    assert_eq!(assignment, (None, false, 1));
    assert_eq!((new.status.as_str(), new.subscriber_number), ("ACTIVATED", Some(number(1))));
    let found = findings(&fixture, &held).await;
    let told: Vec<_> = found.iter().map(|one| (one.kind, one.subject, one.device_id, one.line.clone())).collect();
    assert_eq!(told[0], (FindingKind::New, FindingSubject::Line, Some(new.id), Some(iccid(1))));
    assert_eq!((told.len(), found[0].there.as_deref()), (2, Some("ACTIVATED, rate plan carrier plan")));
    end(&fixture, &held, 50).await;

    let held = of_lines(&fixture, 7_200).await;
    assert_eq!(held.run.changed_since, Some(at(30 - 3_600)), "an hour before the last one began");
    let held = record(&fixture, &held, vec![line(0), line(1), line(2)], 7_220).await;
    assert_eq!(met(held.run.counts), (3, 0, 0, 3, 0, 0));
    end(&fixture, &held, 7_230).await;
    let second = store.create_service_provider(fixture.tenant, &fixture::provider("Second"), at(1)).await.expect("another");
    let other = begun(&fixture, second, &[SyncPart::Devices], Vec::new(), 7_300).await;
    assert_eq!(other.run.changed_since, None, "the first run of that service provider");
}

/// What the carrier does not say stays; a status is told in the history.
pub async fn what_differs_of_a_line_is_written_and_told<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "carrier sync: changed").await;
    let ids = fixture.lines(3).await;
    let held = of_lines(&fixture, 30).await;
    let changed = but(0, |line| {
        line.status = Some("DEACTIVATED".to_owned());
        line.rate_plan = Some("other plan".to_owned());
        line.subscriber_number = None;
        line.activated_at = None;
    });
    let more = but(1, |line| {
        line.imei = Some("356938035643809".to_owned());
        line.comm_plan = Some("LTE".to_owned());
        line.ip_address = Some("10.0.0.1".to_owned());
        line.carrier_device_id = Some("truck 7".to_owned());
        line.activated_at = Some(at(-60));
    });
    let held = record(&fixture, &held, vec![changed, more.clone(), line(2)], 40).await;
    assert_eq!(met(held.run.counts), (3, 0, 2, 1, 0, 0));
    let first = fixture.find(&iccid(0)).await;
    assert_eq!((first.status.as_str(), first.carrier_rate_plan.as_deref()), ("DEACTIVATED", Some("other plan")));
    assert_eq!((first.subscriber_number, first.activated_at), (Some(number(0)), Some(at(-86_400))), "it said nothing of them");
    let second = fixture.find(&iccid(1)).await;
    assert_eq!((second.imei.as_deref(), second.activated_at), (Some("356938035643809"), Some(at(-60))));
    let history = fixture.history(ids[0]).await;
    assert_eq!(history.len(), 1);
    let told = &history[0];
    assert_eq!((told.action.as_str(), told.changed_by.as_str(), told.bulk_change_id.0), ("status", "synchronisation", 0));
    assert_eq!(
        (told.old_value.clone(), told.new_value.clone()),
        (r#"{"status":"ACTIVATED"}"#.to_owned(), r#"{"status":"DEACTIVATED"}"#.to_owned())
    );
    assert!(fixture.history(ids[1]).await.is_empty() && fixture.history(ids[2]).await.is_empty());
    let found = findings(&fixture, &held).await;
    let said: Vec<_> = found.iter().map(|one| (one.here.as_deref(), one.there.as_deref())).collect();
    assert_eq!(said[0], (Some("status ACTIVATED, rate plan carrier plan"), Some("status DEACTIVATED, rate plan other plan")));
    end(&fixture, &held, 50).await;
    let held = of_lines(&fixture, 100).await;
    let held = record(&fixture, &held, vec![more], 120).await;
    assert_eq!(met(held.run.counts), (1, 0, 0, 1, 0, 0), "each of its values was written");
}

/// What was written after the carrier was asked, and what an open change will write.
pub async fn what_is_newer_or_held_here_stays<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "carrier sync: held").await;
    let ids = fixture.lines(3).await;
    let change = holds::change(&fixture, Holds::CARRIER, 1);
    store.store_bulk_change(fixture.tenant, &change, holds::rows(&ids[..1]), None).await.expect("stored");
    let held = of_lines(&fixture, 30).await;
    let asked = |nth| {
        but(nth, |line| {
            line.status = Some("DEACTIVATED".to_owned());
            line.imei = Some("356938035643809".to_owned());
        })
    };
    store.import_devices(fixture.tenant, &[fixture.line(1)], fixture::BY, at(35)).await.expect("brought in anew");
    let held = record(&fixture, &held, vec![asked(0), asked(1), asked(2)], 40).await;
    assert_eq!(met(held.run.counts), (3, 0, 1, 1, 1, 0));
    let standing = async |nth| {
        let line = fixture.find(&iccid(nth)).await;
        (line.status, line.imei.is_some())
    };
    assert_eq!(standing(0).await, ("ACTIVATED".to_owned(), true), "the change writes the status");
    assert_eq!(standing(1).await, ("ACTIVATED".to_owned(), false), "it is newer here");
    assert_eq!(standing(2).await, ("DEACTIVATED".to_owned(), true));
    assert!(fixture.history(ids[0]).await.is_empty());
    let again = record(&fixture, &held, vec![asked(0), asked(1), asked(2)], 50).await;
    assert_eq!(again.run.counts, held.run.counts, "seen once");
    let gone = vec![GoneLine { device_id: ids[0], there: "not there".to_owned() }];
    let batch = SyncBatch { gone_lines: gone, lines_read_at: Some(at(55)), ..SyncBatch::default() };
    let next = SyncPlace::beginning(SyncPhase::UnseenDevices);
    let again = store.record_sync(&again, &batch, next, at(56)).await.expect("written");
    assert_eq!((again.run.counts.gone, fixture.find(&iccid(0)).await.is_archived), (0, false), "held");
}

/// Those of another service provider, and those of which too little is said.
pub async fn lines_of_others_are_left_out<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "carrier sync: others").await;
    let ids = fixture.lines(1).await;
    let second = store.create_service_provider(fixture.tenant, &fixture::provider("Second"), at(1)).await.expect("another");
    let held = begun(&fixture, second, &[SyncPart::Devices], Vec::new(), 30).await;
    let unknown = but(1, |line| line.status = None);
    let other = but(2, |line| line.status = None);
    let given = vec![but(0, |line| line.status = Some("RETIRED".to_owned())), unknown, other];
    let held = record(&fixture, &held, given.clone(), 40).await;
    let held = record(&fixture, &held, given, 41).await;
    assert_eq!(met(held.run.counts), (3, 0, 0, 0, 3, 0), "each once");
    let line = fixture.find(&iccid(0)).await;
    assert_eq!((line.status.as_str(), line.service_provider_id), ("ACTIVATED", fixture.provider));
    let found = findings(&fixture, &held).await;
    let here: Vec<_> = found.iter().map(|one| (one.device_id, one.line.clone(), one.here.clone().unwrap_or_default())).collect();
    let of_another = format!("a line of service provider {} here", fixture.provider);
    assert!(here.contains(&(Some(ids[0]), Some(iccid(0)), of_another)), "{here:?}");
    assert!(here.iter().any(|(device, line, _)| device.is_none() && *line == Some(iccid(1))), "{here:?}");
    let elsewhere = NewSyncRun {
        integration_authentication_id: fixture.authentication,
        service_provider_id: Some(second),
        what: SyncParts::CARRIER,
        full: false,
        usage_lines: Vec::new(),
        ordered_by: "contract".to_owned(),
    };
    assert!(store.begin_sync_run(fixture.other, &elsewhere, at(50)).await.is_err(), "the account is not theirs");
}

/// What no list showed is asked for; what is gone is archived, and only that comes back.
pub async fn lines_are_gone_and_back<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "carrier sync: gone").await;
    let ids = fixture.lines(4).await;
    let mut archived = fixture.line(3);
    archived.is_archived = true;
    store.import_devices(fixture.tenant, &[archived], fixture::BY, at(5)).await.expect("archived by hand");
    let held = of_lines(&fixture, 30).await;
    let held = record(&fixture, &held, vec![line(0)], 40).await;
    let part = store.list_unseen_lines(&held, 1).await.expect("listed");
    assert_eq!((part.lines[0].id, part.lines[0].iccid.clone(), part.next), (ids[1], iccid(1), Some(ids[1].0)));
    assert_eq!(part.lines[0].subscriber_number, Some(number(1)));
    let place = SyncPlace { phase: SyncPhase::UnseenDevices, page: 1, after: ids[1].0 };
    let gone = |id: DeviceId| GoneLine { device_id: id, there: "not there".to_owned() };
    let gone_lines = vec![gone(ids[1]), gone(ids[3])];
    let batch = SyncBatch { gone_lines, lines_read_at: Some(at(50)), ..SyncBatch::default() };
    let held = store.record_sync(&held, &batch, place, at(51)).await.expect("written");
    assert_eq!(held.run.counts.gone, 1, "the one archived by hand was gone before");
    let rest = store.list_unseen_lines(&held, 10).await.expect("listed");
    assert_eq!((rest.lines.iter().map(|line| line.id).collect::<Vec<_>>(), rest.next), (vec![ids[2]], None));
    let told = findings(&fixture, &held).await;
    assert_eq!((told[0].kind, told[0].device_id, told[0].line.clone()), (FindingKind::Gone, Some(ids[1]), Some(iccid(1))));
    end(&fixture, &held, 55).await;
    let is_archived = async |nth| fixture.find(&iccid(nth)).await.is_archived;
    assert_eq!((is_archived(1).await, is_archived(2).await, is_archived(3).await), (true, false, true));
    assert!(fixture.history(ids[1]).await.is_empty(), "its status is what it was");

    let held = of_lines(&fixture, 100).await;
    let held = record(&fixture, &held, vec![line(1), line(3)], 120).await;
    assert_eq!(met(held.run.counts), (2, 0, 1, 1, 0, 0));
    assert_eq!((is_archived(1).await, is_archived(3).await), (false, true), "who archived it by hand has a reason");
}

/// The whole list at once: what it lacks becomes inactive, and active again when it is back.
pub async fn plans_come_go_and_come_back<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "carrier sync: plans").await;
    let plan = |code: &str, name: &str| SyncedPlan { code: code.to_owned(), name: name.to_owned() };
    let rounds = [
        (30, vec![plan("A", "Plan A"), plan("B", "Plan B"), plan("A", "Plan A")], (2, 2, 0, 0, 0, 0)),
        (60, vec![plan("A", "Plan A"), plan("B", "Plan B")], (2, 0, 0, 2, 0, 0)),
        (90, vec![plan("A", "Renamed")], (1, 0, 1, 0, 0, 1)),
        (120, vec![plan("A", "Renamed"), plan("B", "Plan B")], (2, 0, 1, 1, 0, 0)),
    ];
    for (began, plans, expected) in rounds {
        let held = begun(&fixture, fixture.provider, &[SyncPart::CarrierPlans], Vec::new(), began).await;
        let batch = SyncBatch { carrier_plans: Some(plans), ..SyncBatch::default() };
        let next = SyncPlace::beginning(SyncPhase::Finished);
        let held = store.record_sync(&held, &batch, next, at(began + 1)).await.expect("written");
        assert_eq!(met(held.run.counts), expected, "at {began}");
        let told = findings(&fixture, &held).await;
        assert!(told.iter().all(|one| one.subject == FindingSubject::CarrierPlan && one.device_id.is_none()));
        let back: Vec<_> = told.iter().map(|one| (one.kind, one.here.as_deref(), one.there.as_deref())).collect();
        if began == 120 {
            assert_eq!(back, [(FindingKind::Changed, Some("B, Plan B (inactive)"), Some("B, Plan B"))]);
        }
    }
}

/// Those assigned, or those named; a line that is read again keeps one row.
pub async fn usage_is_read_of_chosen_lines<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "carrier sync: usage").await;
    let ids = fixture.lines(5).await;
    fixture.assign(&[fixture.assignment(1), fixture.assignment(3)]).await;
    let held = begun(&fixture, fixture.provider, &[SyncPart::Usage], Vec::new(), 30).await;
    assert_eq!((held.run.phase, held.run.usage_lines), (SyncPhase::Usage, 0));
    let part = store.list_usage_lines(&held, 10).await.expect("listed");
    assert_eq!((part.lines.iter().map(|line| line.id).collect::<Vec<_>>(), part.next), (vec![ids[1], ids[3]], None));
    let used = |id, data_bytes| UsedLine { device_id: id, data_bytes, sms_count: Some(3), voice_seconds: None };
    let batch = SyncBatch { usage: vec![used(ids[1], 100), used(ids[3], 200)], ..SyncBatch::default() };
    let place = SyncPlace { phase: SyncPhase::Usage, page: 1, after: ids[3].0 };
    let held = store.record_sync(&held, &batch, place, at(40)).await.expect("written");
    assert_eq!((held.run.counts.used, held.run.counts.read), (2, 0));
    assert_eq!(store.list_usage_lines(&held, 10).await.expect("listed").lines, vec![]);
    end(&fixture, &held, 41).await;

    let held = begun(&fixture, fixture.provider, &[SyncPart::Usage], vec![ids[4], ids[1]], 60).await;
    assert_eq!(held.run.usage_lines, 2);
    let first = store.list_usage_lines(&held, 1).await.expect("listed");
    assert_eq!((first.lines[0].id, first.next), (ids[1], Some(ids[1].0)));
    let batch = SyncBatch { usage: vec![used(ids[1], 150)], ..SyncBatch::default() };
    let place = SyncPlace { phase: SyncPhase::Usage, page: 1, after: ids[1].0 };
    let held = store.record_sync(&held, &batch, place, at(61)).await.expect("written");
    let there = store.find_device_usage(fixture.tenant, ids[1]).await.expect("read").expect("of this cycle");
    assert_eq!((there.data_bytes, there.sms_count, there.voice_seconds, there.at), (150, Some(3), None, at(61)));
    assert_eq!(store.find_device_usage(fixture.tenant, ids[4]).await.expect("read"), None);
    assert!(store.find_device_usage(fixture.other, ids[1]).await.is_err(), "no such line there");
    let rest = store.list_usage_lines(&held, 10).await.expect("listed");
    assert_eq!((rest.lines.iter().map(|line| line.id).collect::<Vec<_>>(), rest.next), (vec![ids[4]], None));
}

/// While a page of a change that calls the account is at work or may be claimed.
pub async fn a_wanted_account_is_known<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "carrier sync: wanted").await;
    let ids = fixture.lines(2).await;
    let wanted = async |tenant, now| store.is_account_wanted(tenant, fixture.authentication, at(now)).await.expect("asked");
    let idle = holds::change(&fixture, Holds::CARRIER, 1);
    store.store_bulk_change(fixture.tenant, &idle, holds::rows(&ids[1..]), None).await.expect("stored");
    assert!(!wanted(fixture.tenant, 10).await, "that change calls nobody");
    let calling = holds::calling(&fixture, Holds::CARRIER, 1);
    let id = store.store_bulk_change(fixture.tenant, &calling, holds::rows(&ids[..1]), None).await.expect("stored").id;
    assert!(wanted(fixture.tenant, 10).await && !wanted(fixture.other, 10).await);
    let change = crate::work::RunnableChange { tenant_id: fixture.tenant, bulk_change_id: id };
    let claim = store.claim_page(change, "worker", at(60), at(20)).await.expect("a store").expect("a page");
    assert!(wanted(fixture.tenant, 30).await, "it is at work");
    store.give_back_page(&claim, at(300)).await.expect("given back");
    assert!(!wanted(fixture.tenant, 30).await, "it waits for a moment to come");
    assert!(wanted(fixture.tenant, 300).await);
}

/// The accounts that service providers name, each for those that were not read lately.
pub async fn service_providers_fall_due<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "carrier sync: due").await;
    let tenant = fixture.tenant;
    let account = IntegrationAuthentication { integration_kind: IntegrationKind::JASPER, ..fixture::authentication("Jasper") };
    let account = store.create_integration_authentication(tenant, &account, at(0)).await.expect("an account");
    let settings = AccountSettings {
        base_address: "https://one".to_owned(),
        secret_encrypted: Some(b"sealed".to_vec()),
        is_local: false,
        write_enabled: true,
        concurrency: None,
        calls_a_minute: None,
        calls_a_day: None,
    };
    store.set_account(tenant, account, &settings, at(0)).await.expect("set");
    let due = async |began_after, carriers: &[IntegrationKind]| {
        store.list_accounts_to_sync(tenant, at(began_after), carriers).await.expect("listed")
    };
    let jasper = [IntegrationKind::JASPER];
    assert_eq!(due(0, &jasper).await, vec![], "no service provider names it");
    let named = |name: &str| ServiceProvider { integration_authentication_id: Some(account), ..fixture::provider(name) };
    let first = store.create_service_provider(tenant, &named("First"), at(1)).await.expect("a service provider");
    let second = store.create_service_provider(tenant, &named("Second"), at(1)).await.expect("another");
    let idle = ServiceProvider { is_active: false, ..named("Idle") };
    store.create_service_provider(tenant, &idle, at(1)).await.expect("an inactive one");
    assert_eq!(store.list_service_providers_of(tenant, account).await.expect("listed"), vec![first, second]);
    assert_eq!(store.list_service_providers_of(fixture.other, account).await.expect("listed"), vec![]);
    let of = |provider| AccountToSync { id: account, service_provider_id: Some(provider) };
    assert_eq!(due(0, &jasper).await, vec![of(first), of(second)]);
    assert_eq!(due(0, &[IntegrationKind::POND]).await, vec![]);
    let run = NewSyncRun {
        integration_authentication_id: account,
        service_provider_id: Some(first),
        what: SyncParts::CARRIER,
        full: true,
        usage_lines: Vec::new(),
        ordered_by: "contract".to_owned(),
    };
    let run = store.begin_sync_run(tenant, &run, at(100)).await.expect("a run");
    assert_eq!(due(0, &jasper).await, vec![], "one of the account goes on");
    let held = store.claim_sync_run(tenant, run.id, at(160), at(100)).await.expect("a store").expect("due");
    end(&fixture, &held, 110).await;
    assert_eq!((due(99, &jasper).await, due(100, &jasper).await.len()), (vec![of(second)], 2));
    store.record_refused_credentials(tenant, account, 2, "refused", at(120)).await.expect("noted");
    assert_eq!(due(200, &jasper).await, vec![]);
}
