//! Carriers: the plans of their catalogues, the accounts that pages call, and what carriers confirmed of lines.

use crate::billing::UnsettledFilter;
use chrono::{DateTime, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, DeviceId, IntegrationAuthenticationId, ServiceProviderId, TenantId};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::{CarrierAction, LogTitle, entry};
use lineshift_domain::order::{StoredCarrierRatePlan, StoredOrder, StoredStatus};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{IntegrationKind, Step, StepState};

use super::bulk_changes::{accepted, change};
use super::fixture::{BY, Fixture, at, authentication, iccid, provider};
use super::waiting::{open, wait};
use super::work::{claim, rows};
use crate::billing::{
    AccountSettings, CarrierLineWrite, CarrierWrite, Looked, OutsideLog, PlansBefore, Settlement, StepBatch, StepRecord,
};
use crate::bulk_changes::NewBulkChange;
use crate::catalogue::{CarrierRatePlan, IntegrationAuthentication, References, ServiceProvider};
use crate::devices::HistoryEntry;
use crate::work::{AccountFacts, CalledAccounts, PageClaim, Settled};
use crate::{Store, StoreError};

fn carrier_plan(code: &str, name: &str, is_active: bool) -> CarrierRatePlan {
    CarrierRatePlan { code: code.to_owned(), name: name.to_owned(), is_active }
}

/// An account of the fixture's carrier, ready to be called, and linked to the provider.
pub(super) async fn linked<S: Store>(fixture: &Fixture<'_, S>) -> IntegrationAuthenticationId {
    let account = IntegrationAuthentication { integration_kind: IntegrationKind::JASPER, ..authentication("Control Center") };
    let account = fixture.store.create_integration_authentication(fixture.tenant, &account, at(0)).await.expect("an account");
    fixture.store.set_account(fixture.tenant, account, &settings(true), at(0)).await.expect("set");
    let linked = ServiceProvider { id: fixture.provider, integration_authentication_id: Some(account), ..provider("Jasper") };
    fixture.store.update_service_provider(fixture.tenant, &linked, at(0)).await.expect("linked");
    account
}

fn settings(write_enabled: bool) -> AccountSettings {
    AccountSettings {
        base_address: "https://carrier".to_owned(),
        secret_encrypted: Some(b"sealed".to_vec()),
        is_local: false,
        write_enabled,
        concurrency: None,
        calls_a_minute: None,
        calls_a_day: None,
    }
}

/// Stores a change of one page that moves lines to another carrier plan.
pub(super) async fn moving<S: Store>(
    fixture: &Fixture<'_, S>,
    account: IntegrationAuthenticationId,
    lines: &[DeviceId],
) -> BulkChangeId {
    let plan = StoredCarrierRatePlan {
        carrier_rate_plan: Some("M2".to_owned()),
        comm_plan: None,
        effective_at: None,
        integration_authentication_id: account,
    };
    stored(fixture, StoredOrder::CarrierRatePlanChange(plan), lines).await
}

async fn stored<S: Store>(fixture: &Fixture<'_, S>, order: StoredOrder, lines: &[DeviceId]) -> BulkChangeId {
    let accounts = CalledAccounts::of(&order);
    let new = NewBulkChange { accounts, page_lines: lines.len(), ..change(fixture, order, lines.len()) };
    fixture.store.store_bulk_change(fixture.tenant, &new, accepted(lines), None).await.expect("stored").id
}

/// A part of the step that changes the plan.
pub(super) fn part(row: DeviceChangeId, part: i64, state: StepState, external_id: Option<&str>) -> StepRecord {
    StepRecord {
        device_change_id: row,
        step: Step::CarrierRatePlan,
        part,
        state,
        attempt: 1,
        calls: 1,
        request_key: None,
        external_id: external_id.map(str::to_owned),
        adopted: false,
        code: None,
        outcome: None,
        unknown_since: None,
        at: at(20),
        before: Some(PlansBefore { rate_plan: Some("carrier plan".to_owned()), comm_plan: None }),
    }
}

/// By code: added once, then replaced; of other providers and tenants nothing is seen.
pub async fn carrier_rate_plans_are_kept<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "carrier plans").await;
    let (tenant, own) = (fixture.tenant, fixture.provider);
    let second = store.create_service_provider(tenant, &provider("Second"), at(0)).await.expect("another provider");
    let list = async |of: TenantId, provider: ServiceProviderId| {
        store.list_carrier_rate_plans(of, provider, None, 10).await.expect("listed").items
    };
    assert_eq!(store.upsert_carrier_rate_plans(tenant, own, &[]).await.expect("nothing"), 0);
    let plans = [carrier_plan("M2", "Two", true), carrier_plan("M1", "One", true), carrier_plan("M2", "Two MB", true)];
    assert_eq!(store.upsert_carrier_rate_plans(tenant, own, &plans).await.expect("stored"), 2);
    assert_eq!(list(tenant, own).await, [carrier_plan("M1", "One", true), carrier_plan("M2", "Two MB", true)]);
    let more = [carrier_plan("M1", "One \"MB\"", false), carrier_plan("M3", "Three", true)];
    assert_eq!(store.upsert_carrier_rate_plans(tenant, own, &more).await.expect("stored"), 1);
    assert_eq!(store.upsert_carrier_rate_plans(tenant, own, &more).await.expect("stored twice"), 0);
    let expected = [more[0].clone(), plans[2].clone(), more[1].clone()];
    assert_eq!(list(tenant, own).await, expected);
    assert_eq!((list(tenant, second).await, list(fixture.other, own).await), (vec![], vec![]));

    let first = store.list_carrier_rate_plans(tenant, own, None, 2).await.expect("listed");
    assert_eq!((first.items.as_slice(), first.next.as_deref()), (&expected[..2], Some("M2")));
    let rest = store.list_carrier_rate_plans(tenant, own, first.next.as_deref(), 2).await.expect("listed");
    assert_eq!((rest.items.as_slice(), rest.next), (&expected[2..], None));
    for (of, provider) in [(tenant, ServiceProviderId(own.0 + 1_000)), (fixture.other, own)] {
        let answer = store.upsert_carrier_rate_plans(of, provider, &more).await;
        assert!(matches!(answer, Err(StoreError::NotFound { .. })), "{answer:?}");
    }
}

/// By code before name, of its own provider; a name that several active plans have names none.
pub async fn an_order_finds_its_carrier_rate_plan<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "carrier plan of an order").await;
    let (tenant, own) = (fixture.tenant, fixture.provider);
    let second = store.create_service_provider(tenant, &provider("Second"), at(0)).await.expect("another provider");
    let plans = [
        carrier_plan("A", "Alpha", true),
        carrier_plan("B", "A", true),
        carrier_plan("C1", "Twin", true),
        carrier_plan("C2", "Twin", false),
        carrier_plan("D1", "Double", true),
        carrier_plan("D2", "Double", true),
        carrier_plan("E", "Ended", false),
    ];
    store.upsert_carrier_rate_plans(tenant, own, &plans).await.expect("stored");
    let find = async |of: TenantId, provider: Option<ServiceProviderId>, named: &str| {
        let references =
            References { service_provider_id: provider, carrier_rate_plan: Some(named.to_owned()), ..References::default() };
        store.find_referenced(of, &references).await.expect("found").carrier_rate_plan
    };
    for (named, found) in [
        ("A", Some(&plans[0])),
        ("Alpha", Some(&plans[0])),
        ("alpha", None),
        ("Twin", Some(&plans[2])),
        ("C2", Some(&plans[3])),
        ("Double", None),
        ("D2", Some(&plans[5])),
        ("Ended", Some(&plans[6])),
        ("none", None),
    ] {
        assert_eq!(find(tenant, Some(own), named).await.as_ref(), found, "{named}");
    }
    assert_eq!(find(tenant, Some(second), "A").await, None, "another provider's");
    assert_eq!(find(tenant, None, "A").await, None);
    assert_eq!(find(fixture.other, Some(own), "A").await, None, "another tenant's");
}

/// What a page is told of the carrier's account (B5.3), and what its calls need of a line.
pub async fn a_page_says_whether_its_carrier_may_be_called<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "carrier of a page").await;
    let (tenant, account) = (fixture.tenant, linked(&fixture).await);
    let id = moving(&fixture, account, &fixture.lines(1).await).await;
    let runnable = store.list_runnable().await.expect("listed");
    let runs = runnable.iter().find(|runs| runs.change.bulk_change_id == id && runs.change.tenant_id == tenant);
    let accounts = runs.expect("it is runnable").accounts;
    assert_eq!(accounts, CalledAccounts { billing: None, carrier: Some(account) });
    assert_eq!((accounts.called_first(), accounts.iter().collect::<Vec<_>>()), (Some(account), vec![account]));

    let held = claim(&fixture, id, 10).await.expect("a page");
    let may_write = async || {
        let page = store.open_page(&held, at(11)).await.expect("opened");
        assert_eq!(page.order().billing, None);
        page.order().carrier.clone().expect("the carrier's account").write_enabled
    };
    let page = store.open_page(&held, at(11)).await.expect("opened");
    let ready = AccountFacts { id: account, write_enabled: true, has_credentials: true, refused: None };
    assert_eq!(page.order().carrier, Some(ready));
    drop(page);
    let carrier = store.get_service_provider(tenant, fixture.provider).await.expect("the provider");
    assert_eq!(carrier.integration_authentication_id, Some(account));
    for (write_enabled, is_active) in [(false, true), (true, false)] {
        let stopped = ServiceProvider { write_enabled, is_active, ..carrier.clone() };
        store.update_service_provider(tenant, &stopped, at(11)).await.expect("stopped");
        assert!(!may_write().await, "neither of them may be written to: {stopped:?}");
    }
    store.update_service_provider(tenant, &carrier, at(12)).await.expect("resumed");
    store.set_account(tenant, account, &settings(false), at(12)).await.expect("set");
    assert!(!may_write().await);
    store.set_account(tenant, account, &settings(true), at(13)).await.expect("set");
    assert!(may_write().await);
    let unlinked = ServiceProvider { integration_authentication_id: None, ..carrier };
    store.update_service_provider(tenant, &unlinked, at(14)).await.expect("unlinked");
    let listed = store.list_service_providers(tenant, &Reach::Everything, None, 10).await.expect("listed").items;
    assert_eq!(listed, [unlinked]);
}

/// Rows that wait for a carrier's account wake when it is set, and so do those that wait for the billing account of the same change.
pub async fn either_account_wakes_its_rows<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "woken by accounts").await;
    let (tenant, carrier, billing) = (fixture.tenant, linked(&fixture).await, fixture.authentication);
    let lines = fixture.lines(1).await;
    let id = {
        let order = super::bulk_changes::amop(&fixture);
        let accounts = CalledAccounts { billing: Some(billing), carrier: Some(carrier) };
        assert_eq!(accounts.called_first(), Some(billing));
        let new = NewBulkChange { accounts, page_lines: 1, ..change(&fixture, order, 1) };
        store.store_bulk_change(tenant, &new, accepted(&lines), None).await.expect("stored").id
    };
    for (account, now) in [(carrier, 10), (billing, 20)] {
        let held = claim(&fixture, id, now).await.expect("a page");
        let (mut page, found) = match now {
            10 => open(&fixture, &held, now).await,
            _ => {
                let mut page = store.open_page(&held, at(now)).await.expect("opened");
                assert_eq!(page.wake_due().await.expect("woken"), 1);
                let found = page.list_outside_lines().await.expect("lines").iter().map(|line| line.id).collect();
                (page, found)
            }
        };
        page.hold_open(&[wait(found[0], Code::QuotaExhausted, 10_000)]).await.expect("held");
        page.finish(None).await.expect("finished");
        assert_eq!(claim(&fixture, id, now + 1).await, None, "it waits");
        store.set_account(tenant, account, &settings(true), at(now + 2)).await.expect("set");
        assert_eq!(rows(&fixture, id).await[0].next_check_at, Some(at(now + 2)));
    }
    claim(&fixture, id, 23).await.expect("the page");
}

fn write(by: DeviceChangeId, device_id: DeviceId, action: CarrierWrite) -> CarrierLineWrite {
    CarrierLineWrite { by, device_id, action, status: None, rate_plan: None, comm_plan: None }
}

fn writes(lines: Vec<CarrierLineWrite>) -> StepBatch {
    StepBatch { carrier_lines: lines, ..StepBatch::default() }
}

/// What a history says: when, action, old and new value, by whom.
fn said(history: &[HistoryEntry]) -> Vec<(DateTime<Utc>, &str, &str, &str, &str)> {
    history
        .iter()
        .map(|entry| {
            let (old, new) = (entry.old_value.as_str(), entry.new_value.as_str());
            (entry.at, entry.action.as_str(), old, new, entry.changed_by.as_str())
        })
        .collect()
}

/// Claims the page of a change and leaves its rows in hand.
pub(super) async fn begun<S: Store>(fixture: &Fixture<'_, S>, id: BulkChangeId) -> (PageClaim, Vec<DeviceChangeId>) {
    let held = claim(fixture, id, 10).await.expect("a page");
    let (page, found) = open(fixture, &held, 10).await;
    page.pause().await.expect("paused");
    (held, found)
}

/// Plans that the carrier confirmed stand in the line and, old and new, once in its history; what is not said stays (B9.2, B11.2).
pub async fn confirmed_plans_are_written_with_their_history<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "confirmed plans").await;
    let account = linked(&fixture).await;
    let lines = fixture.lines(3).await;
    let id = moving(&fixture, account, &lines).await;
    let (held, found) = begun(&fixture, id).await;
    let plan = |nth: usize, code: &str| CarrierLineWrite {
        rate_plan: Some(code.to_owned()),
        status: Some("RETIRED".to_owned()),
        ..write(found[nth], lines[nth], CarrierWrite::RatePlan)
    };
    let comm = CarrierLineWrite { comm_plan: Some("C \"2\"".to_owned()), ..write(found[0], lines[0], CarrierWrite::RatePlan) };
    // Of the first line, what the last says that says something; the third stands so already.
    let batch = writes(vec![plan(1, "M2"), plan(0, "M1"), comm, plan(0, "M2"), plan(2, "carrier plan")]);
    store.record_steps(&held, &batch, at(20)).await.expect("written");
    store.record_steps(&held, &batch, at(21)).await.expect("written twice");
    let json =
        |rate_plan: &str, comm_plan: &str| format!(r#"{{"carrier_rate_plan":"{rate_plan}","communication_plan":{comm_plan}}}"#);
    let before = json("carrier plan", "null");
    for (nth, after) in [(0, json("M2", r#""C \"2\"""#)), (1, json("M2", "null"))] {
        let history = fixture.history(lines[nth]).await;
        assert_eq!(said(&history), [(at(20), "carrier_rate_plan", before.as_str(), after.as_str(), "orderer")]);
        assert_eq!(history[0].bulk_change_id, id);
        let line = fixture.find(&iccid(nth)).await;
        assert_eq!(
            (line.carrier_rate_plan.as_deref(), line.status.as_str()),
            (Some("M2"), "ACTIVATED"),
            "status is no part of it"
        );
    }
    assert_eq!(fixture.history(lines[2]).await, []);

    let undone = CarrierLineWrite {
        rate_plan: Some("carrier plan".to_owned()),
        ..write(found[1], lines[1], CarrierWrite::RatePlanUndone)
    };
    store.record_steps(&held, &writes(vec![undone.clone()]), at(30)).await.expect("undone");
    store.record_steps(&held, &writes(vec![undone]), at(31)).await.expect("undone twice");
    let history = fixture.history(lines[1]).await;
    assert_eq!(said(&history)[0], (at(30), "carrier_rate_plan", json("M2", "null").as_str(), before.as_str(), "orderer"));
    assert_eq!(history.len(), 2);
    assert_eq!(fixture.find(&iccid(1)).await.carrier_rate_plan.as_deref(), Some("carrier plan"));

    let unknown = CarrierLineWrite { rate_plan: Some(String::new()), ..write(found[2], lines[2], CarrierWrite::RatePlan) };
    store.record_steps(&held, &writes(vec![unknown.clone()]), at(40)).await.expect("not known any more");
    store.record_steps(&held, &writes(vec![unknown]), at(41)).await.expect("twice");
    let nothing = r#"{"carrier_rate_plan":null,"communication_plan":null}"#;
    assert_eq!(said(&fixture.history(lines[2]).await), [(at(40), "carrier_rate_plan", before.as_str(), nothing, "orderer")]);
    assert_eq!(fixture.find(&iccid(2)).await.carrier_rate_plan, None);
}

/// Statuses likewise; and only of the page's own rows and their lines, by whoever holds it.
pub async fn confirmed_statuses_are_written_under_the_claim<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "confirmed statuses").await;
    let account = linked(&fixture).await;
    let lines = fixture.lines(3).await;
    let order =
        StoredStatus { target_status: "DEACTIVATED".to_owned(), reason_code: None, integration_authentication_id: account };
    let id = stored(&fixture, StoredOrder::StatusUpdate(order), &lines[..2]).await;
    let other = moving(&fixture, account, &lines[2..]).await;
    let (held, found) = begun(&fixture, id).await;
    let (_, beside) = begun(&fixture, other).await;
    let status = |by: DeviceChangeId, line: DeviceId| CarrierLineWrite {
        status: Some("DEACTIVATED".to_owned()),
        rate_plan: Some("M9".to_owned()),
        ..write(by, line, CarrierWrite::Status)
    };
    store.record_steps(&held, &writes(vec![status(found[0], lines[0])]), at(20)).await.expect("written");
    store.record_steps(&held, &writes(vec![status(found[0], lines[0])]), at(21)).await.expect("written twice");
    let expected = (at(20), "status", r#"{"status":"ACTIVATED"}"#, r#"{"status":"DEACTIVATED"}"#, "orderer");
    assert_eq!(said(&fixture.history(lines[0]).await), [expected]);
    let line = fixture.find(&iccid(0)).await;
    assert_eq!((line.status.as_str(), line.carrier_rate_plan.as_deref()), ("DEACTIVATED", Some("carrier plan")));

    // Another row's line, another page's row, and a page that is another's by now.
    store.record_steps(&held, &writes(vec![status(found[1], lines[2])]), at(22)).await.expect("of no row");
    assert!(store.record_steps(&held, &writes(vec![status(beside[0], lines[2])]), at(22)).await.is_err());
    claim(&fixture, id, 50).await.expect("its lease has run out");
    let late = store.record_steps(&held, &writes(vec![status(found[1], lines[1])]), at(51)).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })), "{late:?}");
    for nth in [1, 2] {
        assert_eq!(fixture.find(&iccid(nth)).await.status, "ACTIVATED");
        assert_eq!(fixture.history(lines[nth]).await, []);
    }
}

/// Ids that are no numbers, the names of carriers in the log, and what the calls need of a line.
pub async fn acts_at_carriers_are_recorded<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "acts").await;
    let account = linked(&fixture).await;
    let mut row = fixture.line(0);
    (row.imei, row.carrier_device_id) = (Some("35".to_owned()), Some("D-1".to_owned()));
    row.communication_plan = Some("C1".to_owned());
    store.import_devices(fixture.tenant, &[row], BY, at(0)).await.expect("a line");
    let lines = [fixture.find(&iccid(0)).await.id];
    let id = moving(&fixture, account, &lines).await;
    let (held, found) = begun(&fixture, id).await;
    let steps = vec![
        part(found[0], 0, StepState::Done, Some("pkg-7")),
        part(found[0], 1, StepState::Waiting, Some("0f3a")),
        part(found[0], 2, StepState::Failed, Some("12")),
    ];
    let title = LogTitle::carrier_api(CarrierAction::UpdateRatePlan, "Jasper");
    let log = OutsideLog {
        device_change_id: found[0],
        attempt: 1,
        entry: entry::OUTSIDE,
        text: title.clone(),
        request: "Update\nPUT".to_owned(),
        response: "200".to_owned(),
        error: None,
    };
    let batch = StepBatch { steps: steps.clone(), logs: vec![log], ..StepBatch::default() };
    store.record_steps(&held, &batch, at(20)).await.expect("written");
    assert_eq!(store.list_steps(fixture.tenant, found[0]).await.expect("listed"), steps);
    assert_eq!(steps.iter().map(StepRecord::external_number).collect::<Vec<_>>(), [None, None, Some(12)]);
    assert_eq!(fixture.log(id, found[0]).await, [(title.to_string(), false, None)]);

    let mut page = store.open_page(&held, at(21)).await.expect("opened");
    let outside = page.list_outside_lines().await.expect("lines").remove(0);
    assert_eq!((outside.imei.as_deref(), outside.carrier_device_id.as_deref()), (Some("35"), Some("D-1")));
    assert_eq!((outside.status.as_str(), outside.carrier_rate_plan.as_deref()), ("ACTIVATED", Some("carrier plan")));
    assert_eq!((outside.communication_plan.as_deref(), outside.steps), (Some("C1"), steps));
}

/// A person settles what nobody knows of a carrier's acts as he does a service: each part, told where it stands; an id that is given is
/// the billing system's.
pub async fn acts_at_carriers_are_settled<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "settled acts").await;
    let (tenant, account) = (fixture.tenant, linked(&fixture).await);
    let id = moving(&fixture, account, &fixture.lines(2).await).await;
    let (held, found) = begun(&fixture, id).await;
    let mut steps = Vec::new();
    for row in &found {
        steps.push(part(*row, 0, StepState::Done, Some("pkg-7")));
        steps.push(part(*row, 1, StepState::Waiting, Some("r-1")));
    }
    store.record_steps(&held, &StepBatch { steps, ..StepBatch::default() }, at(20)).await.expect("written");
    let mut page = store.open_page(&held, at(21)).await.expect("opened");
    page.list_outside_lines().await.expect("lines");
    let ends: Vec<_> =
        found.iter().map(|row| Settled::Unsettled(*row, Reason::new(Code::OutcomeUnknown, "nobody knows"))).collect();
    page.settle(&ends).await.expect("settled");
    page.finish(None).await.expect("finished");
    let listed = store.list_unsettled_steps(tenant, &UnsettledFilter::all(), None, 9).await.expect("listed").items;
    assert_eq!(listed.iter().map(|step| step.record.part).collect::<Vec<_>>(), [1, 1]);

    for (row, how, state, outcome) in [
        (found[0], Settlement::Stands(Some(10)), StepState::Done, "stands at the carrier, says somebody"),
        (found[1], Settlement::Gone, StepState::Reverted, "does not stand at the carrier, says somebody"),
    ] {
        store.settle_steps(tenant, row, &how, Looked::default(), "somebody", at(30)).await.expect("settled");
        let steps = store.list_steps(tenant, row).await.expect("listed");
        assert_eq!((steps[0].state, steps[0].external_id.as_deref()), (StepState::Done, Some("pkg-7")));
        assert_eq!((steps[1].state, steps[1].external_id.as_deref()), (state, Some("r-1")));
        assert_eq!(steps[1].outcome.as_deref(), Some(outcome));
        let log = store.list_log(tenant, id, Some(row), None, 9).await.expect("log").items;
        assert_eq!(log.last().and_then(|entry| entry.response_text.as_deref()), Some(outcome));
    }
    assert_eq!(store.list_unsettled_steps(tenant, &UnsettledFilter::all(), None, 9).await.expect("listed").items, []);
}
