//! What the contract cannot see of carriers: that completion leaves their changes out of the cross-provider history, and how many
//! statements it all takes.

use lineshift_domain::codes::Code;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::{DeviceChangeId, DeviceId, IntegrationAuthenticationId, PrincipalId, ServiceProviderId};
use lineshift_domain::order::{StoredOrder, StoredStatus};
use lineshift_domain::terms::{LineIdentifier, PortalType, Step, StepState};
use lineshift_store::billing::{BillingStore as _, CarrierLineWrite, CarrierWrite, StepBatch, StepRecord};
use lineshift_store::bulk_changes::{BulkChangeStore as _, NewBulkChange, NewDeviceChange, Orderer};
use lineshift_store::carriers::{CalledBackLine, CarrierStore as _};
use lineshift_store::work::{CalledAccounts, PageClaim, RunnableChange, Waiting, WorkStore as _};

use super::billing::{QUERY, Shop, at, iccid};

/// The shop's provider and lines.
async fn provider_and_lines(shop: &Shop) -> (ServiceProviderId, Vec<DeviceId>) {
    let number = |text: String| text.parse().expect("an id");
    let lines = shop.inspect("SELECT id FROM device ORDER BY id").await.into_iter().map(|id| DeviceId(number(id))).collect();
    (ServiceProviderId(number(shop.inspect("SELECT id FROM service_provider").await.remove(0))), lines)
}

/// What a carrier did is no part of an assignment.
#[tokio::test]
async fn a_change_of_status_leaves_no_history_across_providers() {
    let shop = Shop::open(1).await;
    let (provider, lines) = provider_and_lines(&shop).await;
    let tenant = shop.change.tenant_id;
    let account = shop.order.integration_authentication_id.expect("an account");
    let order = StoredOrder::StatusUpdate(StoredStatus {
        target_status: "DEACTIVATED".to_owned(),
        reason_code: None,
        integration_authentication_id: account,
    });
    let accounts = CalledAccounts::of(&order);
    assert_eq!(accounts.iter().collect::<Vec<IntegrationAuthenticationId>>(), [account]);
    let change = NewBulkChange {
        order,
        portal: PortalType::M2M,
        service_provider_id: provider,
        identifier: LineIdentifier::Iccid,
        name: None,
        reason: None,
        orderer: Orderer { name: "orderer".to_owned(), principal: PrincipalId(1) },
        created_at: at(1),
        process_changes: true,
        holds: Holds::CARRIER,
        rows: 1,
        duplicates: 0,
        page_lines: 1,
        accounts,
    };
    let row = NewDeviceChange { request_position: 0, line: iccid(0), device: Some((lines[0], 1)), refused: None };
    let id = shop.store.store_bulk_change(tenant, &change, vec![row], None).await.expect("stored").id;
    let change = RunnableChange { tenant_id: tenant, bulk_change_id: id };
    let held = shop.store.claim_page(change, "here", at(40), at(10)).await.expect("a claim").expect("a page");
    let mut page = shop.store.open_page(&held, at(11)).await.expect("opened");
    page.list_open_lines(QUERY).await.expect("lines");
    assert_eq!(page.finish(None).await.expect("finished").processed, 1);
    shop.store.complete_page(&held.to_complete(), at(12)).await.expect("completed");
    assert!(shop.store.complete_bulk_change(change, at(13)).await.expect("asked").is_some());
    assert_eq!(shop.inspect("SELECT count(*) FROM cross_provider_device_history").await, ["0"]);
}

/// What a carrier confirmed of every line of a page, plans as well as statuses, which no order has both of; and what waits under a
/// request.
fn confirmed(claim: &PageClaim, lines: &[DeviceId]) -> [StepBatch; 2] {
    let (mut batch, mut statuses) = (StepBatch::default(), StepBatch::default());
    for (by, device_id) in (claim.from_id.0..).map(DeviceChangeId).zip(lines) {
        let write = |action, plan: &str| {
            let (status, rate_plan) = (Some("DEACTIVATED".to_owned()), Some(plan.to_owned()));
            CarrierLineWrite { by, device_id: *device_id, action, status, rate_plan, comm_plan: None }
        };
        batch.carrier_lines.push(write(CarrierWrite::RatePlanUndone, "M1"));
        batch.carrier_lines.push(write(CarrierWrite::RatePlan, "M2"));
        statuses.carrier_lines.push(write(CarrierWrite::Status, "M3"));
        batch.steps.push(StepRecord {
            device_change_id: by,
            step: Step::CarrierRatePlan,
            part: 0,
            state: StepState::Waiting,
            attempt: 1,
            calls: 1,
            request_key: None,
            external_id: Some("r".to_owned()),
            adopted: false,
            code: None,
            outcome: None,
            unknown_since: None,
            before: None,
            at: at(11),
        });
    }
    [batch, statuses]
}

/// As many statements for two rows as for two hundred.
#[tokio::test]
async fn nothing_that_a_carrier_says_costs_a_statement_a_row() {
    let mut costs = Vec::new();
    for count in [2, 200] {
        let shop = Shop::open(count).await;
        let (provider, lines) = provider_and_lines(&shop).await;
        let claim = shop.claim(10).await;
        let mut written = Vec::new();
        for (batch, now) in confirmed(&claim, &lines).iter().zip(11..) {
            let before = shop.store.statements_sent();
            shop.store.record_steps(&claim, batch, at(now)).await.expect("written");
            written.push(shop.store.statements_sent() - before);
        }
        let histories = "SELECT action, entry, count(*) FROM device_action_history GROUP BY action, entry ORDER BY 1, 2";
        let expected = [("carrier_rate_plan", 25), ("carrier_rate_plan", 26), ("status", 25)];
        assert_eq!(shop.inspect(histories).await, expected.map(|(action, entry)| format!("{action} {entry} {count}")));
        let stand = "SELECT DISTINCT status, carrier_rate_plan FROM device";
        assert_eq!(shop.inspect(stand).await, ["DEACTIVATED M1"], "what is put back is written last");

        let mut page = shop.store.open_page(&claim, at(12)).await.expect("opened");
        let rows: Vec<_> = page.list_open_lines(QUERY).await.expect("lines").iter().map(|line| line.id).collect();
        let wait = |id| Waiting { id, code: Code::AwaitingCarrier, text: "later".to_owned(), next_check_at: at(900) };
        page.hold_open(&rows.into_iter().map(wait).collect::<Vec<_>>()).await.expect("held");
        page.finish(None).await.expect("finished");
        let named: Vec<_> = (0..count).map(|nth| CalledBackLine { iccid: iccid(nth), failed: None }).collect();
        let before = shop.store.statements_sent();
        let noted = shop.store.note_callback(claim.tenant_id, provider, "r", &named, at(30)).await.expect("noted");
        assert_eq!(noted.rows, count as u64);
        costs.push((written, shop.store.statements_sent() - before));
    }
    assert_eq!(costs[0], costs[1]);
    // BEGIN and COMMIT are counted.
    assert_eq!(costs[0], (vec![8, 5], 10));
}
