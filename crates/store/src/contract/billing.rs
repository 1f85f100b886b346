//! Accounts, the steps that call outside, what is billed, and what a person settles.

use chrono::NaiveDate;
use lineshift_domain::codes::Code;
use lineshift_domain::facts::Hold;
use lineshift_domain::ids::{
    BulkChangeId, DeviceChangeId, DeviceId, IntegrationAuthenticationId, PrincipalId, RevServiceId, RevServiceProductId,
};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::{LogText, entry};
use lineshift_domain::terms::{DeviceChangeStatus, LineIdentifier, PortalType, ServiceProductStatus, Step, StepState};
use rust_decimal::Decimal;

use super::bulk_changes::orderer;
use super::devices::digits;
use super::fixture::{Fixture, at, iccid, number};
use super::waiting::{calling, open};
use super::work::{QUERY, claim, rows};
use crate::billing::{
    AccountSettings, Disconnected, Looked, OutsideLog, RevServiceProductRow, RevServiceRow, Settlement, StepBatch, StepRecord,
    UnsettledFilter,
};
use crate::devices::FactsQuery;
use crate::work::{PageClaim, Settled};
use crate::{Store, StoreError};

fn settings(address: &str, secret: Option<&[u8]>) -> AccountSettings {
    AccountSettings {
        base_address: address.to_owned(),
        secret_encrypted: secret.map(<[u8]>::to_vec),
        is_local: true,
        write_enabled: true,
        concurrency: Some(8),
        calls_a_minute: None,
        calls_a_day: Some(1_000),
    }
}

/// A part of the step of a row, 20 seconds after the beginning.
fn step(row: DeviceChangeId, part: i64, state: StepState, external_id: Option<i64>) -> StepRecord {
    StepRecord {
        device_change_id: row,
        step: Step::RevService,
        part,
        state,
        attempt: 1,
        calls: 1,
        request_key: Some(format!("create-{row}-{part}")),
        external_id: external_id.map(|id| id.to_string()),
        adopted: false,
        code: None,
        outcome: None,
        unknown_since: None,
        at: at(20),
        before: None,
    }
}

fn service<S>(fixture: &Fixture<'_, S>, id: i64, nth: usize, by: Option<DeviceChangeId>) -> RevServiceRow {
    RevServiceRow {
        rev_customer_id: fixture.customer,
        rev_service_id: RevServiceId(id),
        number: Some(number(nth)),
        iccid: Some(iccid(nth)),
        rev_service_type_id: Some(3),
        rev_provider_id: Some(4),
        activated_date: NaiveDate::from_ymd_opt(2026, 12, 1),
        disconnected_date: None,
        has_package: false,
        device_id: None,
        by,
    }
}

fn product<S>(fixture: &Fixture<'_, S>, service: i64, id: i64) -> RevServiceProductRow {
    RevServiceProductRow {
        rev_customer_id: fixture.customer,
        rev_service_id: RevServiceId(service),
        rev_service_product_id: RevServiceProductId(id),
        rev_product_id: 55,
        package_id: None,
        rate: Some(Decimal::new(995, 2)),
        quantity: Some(Decimal::ONE),
        status: ServiceProductStatus::Active,
        description: None,
    }
}

/// Whether the fixture's customer is billed for each of the first lines (rule 7), and who holds it.
async fn facts<S: Store>(fixture: &Fixture<'_, S>, count: usize) -> Vec<(bool, Option<Hold>)> {
    let lines: Vec<String> = (0..count).map(iccid).collect();
    let query = FactsQuery { rev_customer_id: Some(fixture.customer), ..QUERY };
    let lines = digits(LineIdentifier::Iccid, &lines);
    let found = fixture.store.look_up_lines(fixture.tenant, LineIdentifier::Iccid, &lines, query).await;
    found.expect("facts").iter().map(|line| (line.facts.billed_to_customer, line.facts.held_by)).collect()
}

async fn billed<S: Store>(fixture: &Fixture<'_, S>, count: usize) -> Vec<bool> {
    facts(fixture, count).await.into_iter().map(|(billed, _)| billed).collect()
}

/// What the line's history says of its service line: old and new value, oldest first.
async fn service_lines<S: Store>(fixture: &Fixture<'_, S>, line: DeviceId) -> Vec<(String, String)> {
    let history = fixture.history(line).await.into_iter().rev().filter(|entry| entry.action == "service_line");
    history.map(|entry| (entry.old_value, entry.new_value)).collect()
}

/// With what they are called; a version and a refusal belong together.
pub async fn accounts_are_kept<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "accounts").await;
    let (tenant, id) = (fixture.tenant, fixture.authentication);
    let get = async || store.get_account(tenant, id).await.expect("the account");
    let fresh = get().await;
    assert_eq!((fresh.version, fresh.is_active, fresh.write_enabled, fresh.is_local), (1, true, true, false));
    assert_eq!((fresh.base_address, fresh.secret_encrypted, fresh.refused_at), (None, None, None));
    store.set_account(tenant, id, &settings("https://one", Some(b"sealed")), at(5)).await.expect("set");
    store.set_account(tenant, id, &settings("https://two", None), at(5)).await.expect("set again");
    let set = get().await;
    assert_eq!((set.version, set.base_address.as_deref()), (3, Some("https://two")));
    assert_eq!(set.secret_encrypted.as_deref(), Some(&b"sealed"[..]), "kept");
    assert_eq!((set.is_local, set.concurrency, set.calls_a_minute, set.calls_a_day), (true, Some(8), None, Some(1_000)));

    store.record_refused_credentials(tenant, id, 2, "of an earlier version", at(10)).await.expect("late");
    assert_eq!(get().await.refused_at, None);
    store.record_refused_credentials(tenant, id, 3, "wrong password", at(11)).await.expect("noted");
    store.record_refused_credentials(tenant, id, 3, "again", at(12)).await.expect("noted");
    let refused = get().await;
    assert_eq!((refused.refused_at, refused.refused_text.as_deref()), (Some(at(11)), Some("wrong password")));
    store.record_working_credentials(tenant, id).await.expect("noted");
    assert_eq!((get().await.refused_at, get().await.refused_text), (None, None));
    store.record_refused_credentials(tenant, id, 3, "wrong password", at(13)).await.expect("noted");
    store.set_account(tenant, id, &settings("https://two", Some(b"new")), at(5)).await.expect("set");
    assert_eq!((get().await.refused_at, get().await.version), (None, 4));

    let missing = IntegrationAuthenticationId(id.0 + 1_000);
    for answer in [
        store.get_account(tenant, missing).await.map(|_| ()),
        store.get_account(fixture.other, id).await.map(|_| ()),
        store.set_account(fixture.other, id, &settings("https://three", None), at(5)).await,
    ] {
        assert!(matches!(answer, Err(StoreError::NotFound { .. })), "{answer:?}");
    }
}

/// What a page is told of the account that its rows call (B5.3).
pub async fn a_page_says_whether_its_account_may_be_called<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "account of a page").await;
    let (tenant, id) = (fixture.tenant, fixture.authentication);
    let change = calling(&fixture, &fixture.lines(1).await).await;
    let held = claim(&fixture, change, 10).await.expect("a page");
    let told = async || {
        let page = store.open_page(&held, at(11)).await.expect("opened");
        let account = page.order().billing.clone().expect("an account");
        assert_eq!(account.id, id);
        (account.write_enabled, account.has_credentials, account.refused)
    };
    assert_eq!(told().await, (true, false, None));
    store.set_account(tenant, id, &settings("https://one", Some(b"sealed")), at(5)).await.expect("set");
    assert_eq!(told().await, (true, true, None));
    store.record_refused_credentials(tenant, id, 2, "wrong password", at(11)).await.expect("noted");
    assert_eq!(told().await, (true, true, Some("wrong password".to_owned())));
    let disabled = AccountSettings { write_enabled: false, ..settings("https://one", None) };
    store.set_account(tenant, id, &disabled, at(5)).await.expect("set");
    assert_eq!(told().await, (false, true, None));
}

/// Many rows at once, each replacing what was known; with their page, and for whoever lost it nothing.
pub async fn steps_are_written_under_a_claim<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "steps").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(2).await;
    let id = calling(&fixture, &lines).await;
    let slow = claim(&fixture, id, 10).await.expect("a page");
    let (page, found) = open(&fixture, &slow, 10).await;
    page.pause().await.expect("paused");
    let beyond_32_bits = entry::OUTSIDE + (1 << 40);
    let log = |number: i64, error: Option<&str>| OutsideLog {
        device_change_id: found[0],
        attempt: 1,
        entry: beyond_32_bits + number,
        text: LogText::CreateRevServiceApi.into(),
        request: "Create\nPOST /Services".to_owned(),
        response: "201".to_owned(),
        error: error.map(str::to_owned),
    };
    let intended = [step(found[0], 0, StepState::Intended, None), step(found[1], 0, StepState::Intended, None)];
    let batch = StepBatch { steps: intended.to_vec(), logs: vec![log(1, Some("time-out"))], ..StepBatch::default() };
    store.record_steps(&slow, &batch, at(20)).await.expect("written");
    let unknown = StepRecord {
        state: StepState::Ambiguous,
        calls: 2,
        adopted: true,
        external_id: Some("7".to_owned()),
        code: Some(Code::OutcomeUnknown),
        outcome: Some("time-out".to_owned()),
        unknown_since: Some(at(21)),
        ..intended[0].clone()
    };
    let more = StepBatch { steps: vec![unknown.clone(), step(found[0], 1, StepState::Pending, None)], ..StepBatch::default() };
    store.record_steps(&slow, &more, at(22)).await.expect("written");
    store.record_steps(&slow, &batch_of_log(log(1, None)), at(22)).await.expect("written twice");
    let expected = [unknown, step(found[0], 1, StepState::Pending, None)];
    assert_eq!(store.list_steps(tenant, found[0]).await.expect("listed"), expected);
    assert_eq!(store.list_steps(fixture.other, found[0]).await.expect("listed"), []);
    let said = store.list_log(tenant, id, Some(found[0]), None, 9).await.expect("log").items;
    assert_eq!(
        (said.len(), said[0].entry, said[0].request_text.as_deref()),
        (1, beyond_32_bits + 1, Some("Create\nPOST /Services"))
    );
    assert_eq!((said[0].response_text.as_deref(), said[0].error_text.as_deref()), (Some("201"), Some("time-out")));
    assert_eq!((said[0].has_errors, said[0].response_status.as_str(), said[0].processed_at), (true, "ERROR", at(20)));
    let mut page = store.open_page(&slow, at(23)).await.expect("opened");
    let outside = page.list_outside_lines().await.expect("lines");
    assert_eq!((outside[0].steps.as_slice(), outside[1].steps.as_slice()), (&expected[..], &intended[1..]));
    drop(page);
    // Claiming passes by what is locked; renewing waits until the dropped page is undone.
    store.renew_lease(&slow, at(30)).await.expect("still held");

    let quick = claim(&fixture, id, 40).await.expect("its lease has run out");
    let done = StepBatch {
        steps: vec![step(found[1], 0, StepState::Done, Some(9))],
        services: vec![service(&fixture, 9, 1, Some(found[1]))],
        products: vec![product(&fixture, 9, 90)],
        ..StepBatch::default()
    };
    let strayed = PageClaim { from_id: found[0], to_id: found[0], ..quick.clone() };
    assert!(store.record_steps(&strayed, &done, at(41)).await.is_err(), "not a row of its page");
    for lost in [store.record_steps(&slow, &done, at(41)).await, {
        store.give_back_page(&quick, at(41)).await.expect("given back");
        store.record_steps(&quick, &done, at(41)).await
    }] {
        assert!(matches!(lost, Err(StoreError::LeaseLost { .. })), "{lost:?}");
    }
    assert_eq!(store.list_steps(tenant, found[1]).await.expect("listed"), intended[1..]);
    assert_eq!(billed(&fixture, 2).await, [false, false]);
    let third = claim(&fixture, id, 42).await.expect("a page");
    store.record_steps(&third, &done, at(43)).await.expect("written");
    assert_eq!(billed(&fixture, 2).await, [false, true]);
}

fn batch_of_log(log: OutsideLog) -> StepBatch {
    StepBatch { logs: vec![log], ..StepBatch::default() }
}

/// Once, however often they are given; found by ICCID or number; a product without its service is left out.
pub async fn what_is_billed_is_stored_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "stored once").await;
    let tenant = fixture.tenant;
    fixture.lines(4).await;
    let by_number = RevServiceRow { iccid: None, ..service(&fixture, 11, 1, None) };
    let nowhere = RevServiceRow { iccid: None, number: Some("elsewhere".to_owned()), ..service(&fixture, 12, 2, None) };
    let given = find_device(&fixture, 3).await;
    let given =
        RevServiceRow { iccid: None, number: None, device_id: Some(given), has_package: true, ..service(&fixture, 13, 3, None) };
    let all = [service(&fixture, 10, 0, None), by_number, nowhere, given, service(&fixture, 10, 0, None)];
    assert_eq!(store.usp_revservice_create_service(tenant, &all, at(10)).await.expect("stored"), 4);
    assert_eq!(store.usp_revservice_create_service(tenant, &all, at(11)).await.expect("stored again"), 0);
    assert_eq!(store.usp_revservice_create_service(tenant, &[], at(11)).await.expect("nothing"), 0);
    assert_eq!(billed(&fixture, 4).await, [false, false, false, true], "a package is charged, a bare service is not");
    let products =
        [product(&fixture, 10, 100), product(&fixture, 11, 110), product(&fixture, 99, 990), product(&fixture, 10, 100)];
    assert_eq!(store.usp_revservice_create_serviceproduct(tenant, &products, at(12)).await.expect("stored"), 2);
    assert_eq!(store.usp_revservice_create_serviceproduct(tenant, &products, at(13)).await.expect("stored again"), 0);
    assert_eq!(billed(&fixture, 4).await, [true, true, false, true]);
    let gone = RevServiceProductRow { status: ServiceProductStatus::Disconnected, ..product(&fixture, 10, 100) };
    assert_eq!(store.usp_revservice_create_serviceproduct(tenant, &[gone], at(14)).await.expect("updated"), 0);
    let gone = RevServiceRow { disconnected_date: NaiveDate::from_ymd_opt(2026, 12, 3), ..service(&fixture, 13, 3, None) };
    assert_eq!(store.usp_revservice_create_service(tenant, &[gone], at(14)).await.expect("updated"), 0);
    assert_eq!(billed(&fixture, 4).await, [false, true, false, false]);
    let stranger = RevServiceRow { rev_customer_id: lineshift_domain::ids::RevCustomerId(5), ..service(&fixture, 14, 0, None) };
    let refused = store.usp_revservice_create_service(tenant, &[stranger], at(15)).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
}

async fn find_device<S: Store>(fixture: &Fixture<'_, S>, nth: usize) -> DeviceId {
    fixture.find(&iccid(nth)).await.id
}

/// A service line that came and went stands in its line's history, each once (B11.2).
pub async fn a_service_line_is_told_in_the_history<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "service line").await;
    let lines = fixture.lines(2).await;
    let id = calling(&fixture, &lines).await;
    let held = claim(&fixture, id, 10).await.expect("a page");
    let (page, found) = open(&fixture, &held, 10).await;
    page.pause().await.expect("paused");
    let created = StepBatch {
        services: vec![service(&fixture, 10, 0, Some(found[0])), service(&fixture, 11, 1, Some(found[1]))],
        products: vec![product(&fixture, 10, 100), product(&fixture, 11, 110), product(&fixture, 11, 111)],
        ..StepBatch::default()
    };
    for now in [20, 21] {
        store.record_steps(&held, &created, at(now)).await.expect("written");
    }
    assert_eq!(billed(&fixture, 2).await, [true, true]);
    let line = |service: i64| format!(r#"{{"rev_service_id":{service},"rev_customer_id":{}}}"#, fixture.customer);
    let null = || "null".to_owned();
    assert_eq!(service_lines(&fixture, lines[0]).await, [(null(), line(10))]);
    let history = fixture.history(lines[0]).await;
    assert_eq!((history[0].changed_by.as_str(), history[0].at), ("orderer", at(20)));

    let on = NaiveDate::from_ymd_opt(2026, 12, 2).expect("a day");
    let gone = Disconnected { rev_customer_id: fixture.customer, rev_service_id: RevServiceId(10), on, by: Some(found[0]) };
    let undone = StepBatch {
        disconnected: vec![gone],
        disconnected_products: vec![(fixture.customer, RevServiceProductId(110))],
        ..StepBatch::default()
    };
    for now in [25, 26] {
        store.record_steps(&held, &undone, at(now)).await.expect("written");
    }
    assert_eq!(billed(&fixture, 2).await, [false, true], "one product of the second is left");
    assert_eq!(service_lines(&fixture, lines[0]).await, [(null(), line(10)), (line(10), null())]);
    assert_eq!(service_lines(&fixture, lines[1]).await, [(null(), line(11))]);

    // To whom neither the services' customer nor the line's own is within reach, they say nothing.
    for (reach, shown) in [("customer:4711".to_owned(), null()), (format!("customer:{}", fixture.customer), line(11))] {
        let reach = reach.parse().expect("a reach");
        let history = store.list_device_history(fixture.tenant, &reach, lines[1], None, 9).await.expect("listed").items;
        let told: Vec<_> = history.iter().map(|entry| entry.new_value.clone()).collect();
        assert_eq!(told, [shown], "{reach}");
    }
}

/// Rows that ended without anybody knowing: listed with all that is unknown of them, settled once by a person.
pub async fn unsettled_steps_are_listed_and_settled<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "unsettled").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(3).await;
    let id = calling(&fixture, &lines).await;
    let held = claim(&fixture, id, 10).await.expect("a page");
    let (page, found) = open(&fixture, &held, 10).await;
    page.pause().await.expect("paused");
    let steps = vec![
        step(found[0], 0, StepState::Ambiguous, None),
        step(found[1], 0, StepState::Stuck, Some(11)),
        step(found[1], 1, StepState::Done, Some(110)),
        step(found[2], 0, StepState::Done, Some(12)),
        step(found[2], 1, StepState::Ambiguous, None),
    ];
    let batch = StepBatch {
        steps,
        services: vec![service(&fixture, 11, 1, Some(found[1]))],
        products: vec![product(&fixture, 11, 110)],
        ..StepBatch::default()
    };
    store.record_steps(&held, &batch, at(20)).await.expect("written");
    let early = store.settle_steps(tenant, found[0], &Settlement::Gone, Looked::default(), "somebody", at(21)).await;
    assert!(matches!(early, Err(StoreError::Conflict { .. })), "it is open: {early:?}");
    let (mut page, _) = open(&fixture, &held, 21).await;
    let reason = || Reason::new(Code::OutcomeUnknown, "nobody knows");
    let ended: Vec<_> = found.iter().map(|row| Settled::Unsettled(*row, reason())).collect();
    page.settle(&ended).await.expect("settled");
    page.finish(None).await.expect("finished");

    let first = store.list_unsettled_steps(tenant, &UnsettledFilter::all(), None, 2).await.expect("listed");
    let shown: Vec<_> =
        first.items.iter().map(|step| (step.line.clone(), step.record.device_change_id, step.record.part)).collect();
    assert_eq!(shown, [(iccid(0), found[0], 0), (iccid(1), found[1], 0)]);
    assert_eq!((first.items[0].bulk_change_id, first.next), (id, Some(found[1])));
    let rest = store.list_unsettled_steps(tenant, &UnsettledFilter::all(), first.next, 2).await.expect("listed");
    assert_eq!((rest.items.len(), rest.items[0].record.part, rest.next), (1, 1, None));
    nothing_shows_of_what_is_left_out(&fixture).await;
    assert_eq!(store.list_unsettled_steps(fixture.other, &UnsettledFilter::all(), None, 9).await.expect("listed").items, []);
    assert!(store.measure(at(22)).await.expect("measured").stuck_steps >= 3);
    assert_eq!(store.list_steps_of(tenant, &found[..2]).await.expect("listed").len(), 3);
    assert_eq!(store.get_bulk_change_of(tenant, found[1]).await.expect("its change"), id);
    assert!(store.get_bulk_change_of(fixture.other, found[1]).await.is_err());

    let looked = looks_at_something_else_settle_nothing(&fixture, id, found[0]).await;
    store.settle_steps(tenant, found[0], &Settlement::Stands(Some(10)), looked, "somebody", at(30)).await.expect("settled");
    let stands = store.list_steps(tenant, found[0]).await.expect("listed");
    assert_eq!((stands[0].state, stands[0].external_number(), stands[0].at), (StepState::Done, Some(10), at(30)));
    store.settle_steps(tenant, found[1], &Settlement::Gone, Looked::default(), "somebody", at(31)).await.expect("settled");
    let gone: Vec<_> = store.list_steps(tenant, found[1]).await.expect("listed").iter().map(|step| step.state).collect();
    assert_eq!(gone, [StepState::Reverted, StepState::Reverted], "with the service goes what was charged on it");
    assert_eq!(facts(&fixture, 2).await, [(false, None), (false, None)], "neither held nor billed");
    store
        .settle_steps(tenant, found[2], &Settlement::Stands(None), Looked::default(), "somebody", at(32))
        .await
        .expect("settled");
    let known: Vec<_> =
        store.list_steps(tenant, found[2]).await.expect("listed").iter().map(StepRecord::external_number).collect();
    assert_eq!(known, [Some(12), None]);

    assert_eq!(store.list_unsettled_steps(tenant, &UnsettledFilter::all(), None, 9).await.expect("listed").items, []);
    assert!(rows(&fixture, id).await.iter().all(|row| row.status == DeviceChangeStatus::Error), "a retry goes on from there");
    let log = store.list_log(tenant, id, Some(found[1]), None, 9).await.expect("log").items;
    let last = log.last().expect("an entry");
    assert_eq!((last.entry, last.description.as_str()), (entry::SETTLED, LogText::Settled.as_str()));
    assert!(last.response_text.as_deref().is_some_and(|text| text.ends_with("says somebody")), "{last:?}");
    let again = store.settle_steps(tenant, found[1], &Settlement::Gone, Looked::default(), "somebody", at(33)).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    let missing = store.settle_steps(fixture.other, found[1], &Settlement::Gone, Looked::default(), "somebody", at(33)).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })), "{missing:?}");
}

/// Who looked at another attempt of the first row, or before its steps were written, says nothing of this one; answers what stands there.
async fn looks_at_something_else_settle_nothing<S: Store>(
    fixture: &Fixture<'_, S>,
    id: BulkChangeId,
    row: DeviceChangeId,
) -> Looked {
    let (store, tenant) = (fixture.store, fixture.tenant);
    let attempt = rows(fixture, id).await[0].attempt;
    let steps_at = store.list_steps(tenant, row).await.expect("listed")[0].at;
    for stale in [
        Looked { attempt: Some(attempt + 1), steps_at: Some(steps_at) },
        Looked { attempt: Some(attempt), steps_at: Some(steps_at - chrono::TimeDelta::microseconds(1)) },
    ] {
        let refused = store.settle_steps(tenant, row, &Settlement::Gone, stale, "somebody", at(29)).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{stale:?}: {refused:?}");
    }
    Looked { attempt: Some(attempt), steps_at: Some(steps_at) }
}

/// What a filter leaves out shows by nothing, not even by there being more.
async fn nothing_shows_of_what_is_left_out<S: Store>(fixture: &Fixture<'_, S>) {
    let (store, tenant) = (fixture.store, fixture.tenant);
    let named = |text: String| UnsettledFilter { reach: text.parse().expect("a reach"), ..UnsettledFilter::all() };
    let ordered_by = |by| UnsettledFilter { ordered_by: Some(by), ..UnsettledFilter::all() };
    for (filter, found) in [
        (UnsettledFilter { portals: Vec::new(), ..UnsettledFilter::all() }, false),
        (UnsettledFilter { portals: vec![PortalType::Lnp], ..UnsettledFilter::all() }, false),
        (ordered_by(PrincipalId(4_711)), false),
        (ordered_by(orderer().principal), true),
        (named(String::new()), false),
        (named("customer:4711".to_owned()), false),
        (named(format!("service_provider:{}", fixture.provider)), true),
    ] {
        let page = store.list_unsettled_steps(tenant, &filter, None, 1).await.expect("listed");
        assert_eq!((page.items.is_empty(), page.next.is_some()), (!found, found), "{filter:?}");
    }
}

/// A page that keeps failing lets go of the lines for which nothing was sent; rows that wait go on waiting.
pub async fn a_failed_page_keeps_what_was_sent<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "failed outside").await;
    let lines = fixture.lines(4).await;
    let id = calling(&fixture, &lines).await;
    let held = claim(&fixture, id, 10).await.expect("a page");
    let (mut page, found) = open(&fixture, &held, 10).await;
    let waits =
        crate::work::Waiting { id: found[3], code: Code::QuotaExhausted, text: "tomorrow".to_owned(), next_check_at: at(500) };
    page.hold_open(&[waits]).await.expect("held");
    page.pause().await.expect("paused");
    let steps = vec![step(found[1], 0, StepState::Intended, None), step(found[2], 0, StepState::Done, Some(12))];
    store.record_steps(&held, &StepBatch { steps, ..StepBatch::default() }, at(11)).await.expect("written");
    let result = store.fail_page(&held, Code::StoreFailed, "broken", at(12)).await.expect("failed");
    assert_eq!((result.refused, result.waiting, result.open_left), (3, 1, 1));
    let holds = facts(&fixture, 4).await.into_iter().map(|(_, hold)| hold.map(|hold| hold.outcome_unknown));
    assert_eq!(holds.collect::<Vec<_>>(), [None, Some(true), Some(true), Some(false)]);
    let listed = store.list_unsettled_steps(fixture.tenant, &UnsettledFilter::all(), None, 9).await.expect("listed").items;
    assert_eq!(listed.iter().map(|step| step.record.device_change_id).collect::<Vec<_>>(), found[1..3]);
    store
        .settle_steps(fixture.tenant, found[2], &Settlement::Stands(None), Looked::default(), "somebody", at(13))
        .await
        .expect("settled");
    assert_eq!(facts(&fixture, 3).await[2].1, None);
    assert_eq!(claim(&fixture, id, 499).await, None, "the page waits");
    assert!(claim(&fixture, id, 500).await.is_some());
}
