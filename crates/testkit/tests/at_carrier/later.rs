//! A carrier that only accepts what it is asked for: the rows wait, and are woken by its callback or look by themselves (B5.6, B5.7).

use std::sync::Arc;

use chrono::TimeDelta;
use lineshift_domain::ids::{BulkChangeId, ServiceProviderId};
use lineshift_domain::terms::{BulkChangeStatus, DeviceChangeStatus};
use lineshift_engine::{Boundary, WorkerOptions};
use lineshift_simulators::Fault;
use lineshift_store::bulk_changes::DeviceChangeView;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::carriers::{to_plan, to_status};
use lineshift_testkit::http::{Answer, send};
use lineshift_testkit::nimbus::{self, NimbusSimulator, Status};
use lineshift_testkit::nimbus_world::{LARGE, NimbusWorld, SMALL, TOKEN};
use lineshift_testkit::operator::iccid;
use reqwest::Method;
use serde_json::{Value, json};

const USER: &str = "nimbus";
const PASSWORD: &str = "c4llback-S3cr3t";

/// Longer than a request takes, and as long as the engine waits before it looks by itself.
const A_LOOK: TimeDelta = TimeDelta::seconds(30);

/// The rows of a change that stand so, and their texts.
async fn rows(world: &NimbusWorld, id: BulkChangeId, status: DeviceChangeStatus) -> Vec<DeviceChangeView> {
    world.operator.rows(id).await.into_iter().filter(|row| row.status == status).collect()
}

async fn submitted(world: &NimbusWorld, lines: u64) -> BulkChangeId {
    let id = world.operator.submit(world.order(1..=lines, to_plan(LARGE))).await.id;
    world.operator.run_until_idle().await;
    id
}

#[tokio::test]
async fn a_hundred_and_twenty_lines_are_three_calls_and_wait_until_the_carrier_shows_the_plan() {
    let world = NimbusWorld::with_lines(120).await;
    let id = submitted(&world, 120).await;
    assert_eq!(world.changing_calls(), 3);
    let waiting = rows(&world, id, DeviceChangeStatus::Pending).await;
    assert_eq!(waiting.len(), 120);
    let text = waiting[0].status_details.as_deref().unwrap_or_default();
    assert_eq!(waiting[0].error_code.map(|code| code.as_str()), Some("awaiting_carrier"));
    assert!(text.contains("Nimbus accepted request r-") && text.contains("2026-12-01 10:00:00 UTC"), "an hour at most: {text}");
    assert_eq!(world.operator.device(1).await.carrier_rate_plan.as_deref(), Some(SMALL), "nothing is said to be done");

    world.run_after(TimeDelta::seconds(11)).await;
    assert_eq!(rows(&world, id, DeviceChangeStatus::Pending).await.len(), 120, "nobody looks before it is time");
    world.run_after(A_LOOK).await;
    let change = world.operator.change(id).await;
    assert_eq!((change.status(), change.counts.processed), (BulkChangeStatus::Processed, 120));
    assert_eq!(world.changing_calls(), 3, "nothing is sent again");
    for line in 1..=120 {
        assert_eq!(world.there(line).plan, LARGE, "line {line}");
        assert_eq!(world.operator.device(line).await.carrier_rate_plan.as_deref(), Some(LARGE), "line {line}");
    }
    let log = world.operator.shown_log(id).await;
    assert!(log.contains("Update Nimbus Rate Plan: Nimbus API") && !log.contains(TOKEN), "{log}");
}

#[tokio::test]
async fn a_status_is_updated_once_the_carrier_shows_it() {
    let world = NimbusWorld::with_lines(2).await;
    let id = world.operator.submit(world.order(1..=2, to_status("suspended"))).await.id;
    world.operator.run_until_idle().await;
    assert_eq!(rows(&world, id, DeviceChangeStatus::Pending).await.len(), 2);
    assert_eq!(world.operator.device(1).await.status, "ACTIVE");
    world.run_after(A_LOOK).await;
    assert_eq!(world.operator.change(id).await.status(), BulkChangeStatus::Processed);
    assert_eq!((world.there(1).status, world.changing_calls()), (Status::Suspended, 1));
    assert_eq!(world.operator.device(1).await.status, "SUSPENDED");
    let history = world.operator.history(1).await;
    assert_eq!(history.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["status"]);
}

#[tokio::test]
async fn what_passes_its_deadline_ends_in_error_and_holds_its_line_until_it_is_settled() {
    let world = NimbusWorld::with(1, |options| options.takes = TimeDelta::hours(2)).await;
    let id = submitted(&world, 1).await;
    for _ in 0..3 {
        world.run_after(TimeDelta::minutes(19)).await;
        assert_eq!(rows(&world, id, DeviceChangeStatus::Pending).await.len(), 1, "within its hour");
    }
    world.run_after(TimeDelta::minutes(4)).await;
    let failed = rows(&world, id, DeviceChangeStatus::Error).await;
    let text = failed[0].status_details.as_deref().unwrap_or_default();
    assert_eq!(failed[0].error_code.map(|code| code.as_str()), Some("outcome_unknown"));
    assert!(text.contains("Nimbus accepted request r-1") && text.contains("retry or settle"), "{text}");
    assert_eq!(world.operator.device(1).await.carrier_rate_plan, None, "no order finds it as it was: it may be moved there yet");

    let another = world.operator.run(world.order([1], to_plan(LARGE))).await.id;
    assert_eq!(world.operator.outcomes(another).await, ["outcome_unknown"], "its line is held");
    let app = TestApp::over(world.operator).await;
    let admin = app.admin().await;
    let unsettled = admin.read("/api/v1/unsettled-steps").await;
    assert_eq!(unsettled["items"].as_array().map(Vec::len), Some(1), "{unsettled}");
    let path = format!("/api/v1/device-changes/{}/settle", failed[0].id);
    let settled = admin.post(&path, &json!({"as": "gone"})).await;
    assert_eq!(settled.status, 200, "{}", settled.text());
    app.operator.engine.retry(&app.operator.caller, another, &[]).await.expect("opened again");
    app.operator.run_until_idle().await;
    assert_eq!(app.operator.outcomes(another).await, ["awaiting_carrier"], "its line is free");
}

#[tokio::test]
async fn a_process_that_is_gone_while_rows_wait_is_not_missed() {
    let world = NimbusWorld::with_lines(3).await;
    let id = submitted(&world, 3).await;
    let after = world.another_engine();
    world.operator.clock.advance(A_LOOK);
    after.run_pages_until_idle(&WorkerOptions { owner: "after".to_owned() }).await.expect("pages run");
    assert_eq!((world.operator.change(id).await.counts.processed, world.changing_calls()), (3, 1));
}

/// At each of these moments the request may have been sent; where it was, it is seen and not sent again.
#[tokio::test(start_paused = true)]
async fn a_process_that_dies_around_its_call_sends_nothing_twice() {
    for (at, sent) in
        [(Boundary::Granted, 1), (Boundary::Intended, 1), (Boundary::Answered, 1), (Boundary::Recorded, 1), (Boundary::Called, 1)]
    {
        let world = NimbusWorld::with_lines(3).await;
        let id = world.operator.submit(world.order(1..=3, to_plan(LARGE))).await.id;
        let (reached, dies) = tokio::sync::watch::channel(false);
        let stops = Arc::new(move |boundary, _| {
            let reached = reached.clone();
            Box::pin(async move {
                if boundary == at {
                    reached.send_replace(true);
                    std::future::pending::<()>().await;
                }
            }) as _
        });
        let dying = world.another_engine().with_boundaries(stops);
        let mut dies = dies;
        let worker = tokio::spawn(async move { dying.run_pages_until_idle(&WorkerOptions { owner: "dying".to_owned() }).await });
        dies.wait_for(|reached| *reached).await.expect("it comes there");
        worker.abort();
        drop(worker.await);
        // The lease runs out; what was sent works meanwhile. What was sent again is held until the first, had it been accepted, would be
        // past its deadline of an hour.
        for _ in 0..160 {
            world.run_after(A_LOOK).await;
        }
        let change = world.operator.change(id).await;
        assert_eq!((change.counts.processed, world.changing_calls()), (3, sent), "{at:?}");
        assert_eq!(world.simulator.with_ledger(|ledger, _| ledger.changed), 3, "{at:?}");
    }
}

/// Behind the real web app, which takes callbacks.
struct Served {
    app: TestApp,
    simulator: Arc<NimbusSimulator>,
    provider: ServiceProviderId,
}

impl Served {
    async fn of(world: NimbusWorld) -> Self {
        let NimbusWorld { operator, simulator, provider, .. } = world;
        let app = TestApp::sealing(operator).await;
        let path = format!("/api/v1/service-providers/{provider}/callback-credentials");
        let expected = json!({"user": USER, "password": PASSWORD});
        let stored = send(app.admin().await.request(Method::PUT, &path).json(&expected)).await;
        assert_eq!(stored.status, 204, "{}", stored.text());
        Self { app, simulator, provider }
    }

    fn path(&self) -> String {
        format!("/callbacks/{}/{}", self.app.operator.tenant(), self.provider)
    }

    /// The simulator calls back whatever it has to say; answers what it hears.
    async fn called_back(&self) -> Vec<u16> {
        let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(60)).build().expect("a client");
        let address = format!("{}{}", self.app.url, self.path());
        nimbus::call_back(&self.simulator, &client, &address, (USER, PASSWORD)).await.expect("it is answered")
    }

    async fn post(&self, password: &str, request: &str, results: Value) -> Answer {
        let body = json!({"user": USER, "password": password, "requestId": request, "results": results});
        self.app.anonymous().post(&self.path(), &body).await
    }

    /// Orders the plan for so many lines over the API.
    async fn order(&self, lines: u64, plan: Value) -> Answer {
        let body = json!({
            "ServiceProviderId": self.provider.0, "ChangeType": 7, "Devices": (1..=lines).map(iccid).collect::<Vec<_>>(),
            "CarrierRatePlanUpdate": plan,
        });
        self.app.orderer().await.post("/M2M/BulkChange", &body).await
    }

    async fn change(&self) -> Value {
        self.app.orderer().await.read("/api/v1/bulk-changes/1").await
    }
}

#[tokio::test]
async fn a_callback_wakes_the_rows_of_its_request_and_a_failed_line_says_why() {
    let world = NimbusWorld::with_lines(60).await;
    world.bar(7, "the line is barred by the home network");
    let served = Served::of(world).await;
    assert_eq!(served.order(60, json!({"CarrierRatePlan": LARGE})).await.status, 202);
    served.app.operator.run_until_idle().await;
    assert_eq!(served.called_back().await, [0_u16; 0], "there is nothing to say yet");
    served.app.operator.clock.advance(TimeDelta::seconds(11));
    assert_eq!(served.called_back().await, [200, 200], "two requests");
    served.app.operator.run_until_idle().await;
    let change = served.change().await;
    assert_eq!((&change["counts"]["processed"], &change["counts"]["error"]), (&json!(59), &json!(1)), "{change}");
    assert_eq!(change["status"], "PARTIAL", "{change}");
    let id = BulkChangeId(1);
    let rows = served.app.operator.rows(id).await;
    let failed = rows.iter().find(|row| row.iccid.as_deref() == Some(&iccid(7))).expect("there");
    let text = failed.status_details.as_deref().unwrap_or_default();
    assert_eq!(failed.error_code.map(|code| code.as_str()), Some("carrier_refused"), "{text}");
    assert!(text.contains("the line is barred by the home network"), "{text}");
    let shown = [served.app.operator.shown_log(id).await, change.to_string()].concat();
    assert!(shown.contains("Nimbus Callback") && !shown.contains(PASSWORD) && !shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn a_callback_that_is_forged_foreign_repeated_early_or_late_changes_nothing() {
    let served = Served::of(NimbusWorld::with_lines(2).await).await;
    assert_eq!(served.post(PASSWORD, "r-1", json!([])).await.status, 200, "before anything was ordered");
    assert_eq!(served.order(2, json!({"CarrierRatePlan": LARGE})).await.status, 202);
    served.app.operator.run_until_idle().await;
    let all = json!([{"iccid": iccid(1), "failed": null}, {"iccid": iccid(2), "failed": null}]);
    assert_eq!(served.post("guessed", "r-1", all.clone()).await.status, 401, "forged");
    assert_eq!(served.post(PASSWORD, "r-77", all.clone()).await.status, 200, "of an unknown request");
    served.app.operator.run_until_idle().await;
    let reads = |served: &Served| served.simulator.traffic().calls.get("GET /lines/{iccid}").copied().unwrap_or(0);
    assert_eq!((reads(&served), &served.change().await["counts"]["open"]), (0, &json!(2)), "nobody has looked");

    assert_eq!(served.post(PASSWORD, "r-1", all.clone()).await.status, 200, "too early: it is looked at, and waits on");
    served.app.operator.run_until_idle().await;
    assert_eq!((reads(&served), &served.change().await["counts"]["open"]), (2, &json!(2)));
    served.app.operator.clock.advance(A_LOOK + TimeDelta::seconds(1));
    assert_eq!(served.post(PASSWORD, "r-1", all.clone()).await.status, 200, "the same again");
    served.app.operator.run_until_idle().await;
    let done = served.change().await;
    assert_eq!((&done["status"], &done["counts"]["processed"]), (&json!("PROCESSED"), &json!(2)), "{done}");

    let denied = json!([{"iccid": iccid(1), "failed": "no"}, {"iccid": iccid(2), "failed": "no"}]);
    assert_eq!(served.post(PASSWORD, "r-1", denied).await.status, 200, "too late");
    served.app.operator.run_until_idle().await;
    assert_eq!(served.change().await["counts"], done["counts"]);
    assert_eq!(served.simulator.traffic().calls.get("POST /changes"), Some(&1));
}

/// Sent twice, because nobody heard of the first: what is said of the second says nothing of it.
#[tokio::test]
async fn a_request_that_failed_leaves_open_what_one_before_it_does_of_which_nobody_heard() {
    for (first_works, ends, plan) in [(true, "PROCESSED", LARGE), (false, "carrier_refused", SMALL)] {
        let world = NimbusWorld::with(1, |options| options.takes = TimeDelta::minutes(20)).await;
        world.simulator.meet_next_on("POST /changes", Fault::WorksThenReset);
        let served = Served::of(world).await;
        assert_eq!(served.order(1, json!({"CarrierRatePlan": LARGE})).await.status, 202);
        served.app.operator.run_until_idle().await;
        let lost = served.simulator.with_ledger(|ledger, _| {
            let second = ledger.requests.pop().expect("it was sent again");
            ledger.requests.truncate(usize::from(first_works));
            second.id
        });
        assert_eq!(served.post(PASSWORD, &lost, json!([{"iccid": iccid(1), "failed": "no"}])).await.status, 200);
        served.app.operator.run_until_idle().await;
        let id = BulkChangeId(1);
        assert_eq!(served.app.operator.outcomes(id).await, ["outcome_unknown"], "{first_works}: it waits");
        assert_eq!(served.change().await["counts"]["open"], 1, "{first_works}: and holds its line");
        for _ in 0..160 {
            served.app.operator.clock.advance(A_LOOK);
            served.app.operator.run_until_idle().await;
        }
        assert_eq!(served.app.operator.outcomes(id).await, [ends], "{first_works}");
        assert_eq!(served.app.operator.device(1).await.carrier_rate_plan.as_deref(), Some(plan), "{first_works}");
        assert_eq!(nimbus::find_line(&served.simulator, &iccid(1)).expect("there").plan, plan, "{first_works}");
        assert_eq!(served.simulator.traffic().calls.get("POST /changes"), Some(&2), "{first_works}");
    }
}

/// What creates is sent again only once it was read that it had no effect; what is refused then is not sent once more.
#[tokio::test]
async fn what_creates_is_not_sent_again_once_it_was_refused() {
    let slow = |options: &mut nimbus::NimbusOptions| options.takes = TimeDelta::minutes(20);
    let world = NimbusWorld::of_kind(&nimbus::CreatingNimbus, 1, slow).await;
    world.simulator.meet_next_on("POST /changes", Fault::Reset);
    let served = Served::of(world).await;
    assert_eq!(served.order(1, json!({"CarrierRatePlan": LARGE})).await.status, 202);
    let look = async || {
        served.app.operator.run_until_idle().await;
        served.app.operator.clock.advance(A_LOOK);
    };
    let sent_again = || served.simulator.with_ledger(|ledger, _| ledger.requests.pop().map(|request| request.id));
    let mut lost = sent_again();
    for _ in 0..160 {
        if lost.is_some() {
            break;
        }
        look().await;
        lost = sent_again();
    }
    let lost = lost.expect("it is sent again once it is known that it had no effect");
    assert_eq!(served.post(PASSWORD, &lost, json!([{"iccid": iccid(1), "failed": "no"}])).await.status, 200);
    for _ in 0..320 {
        look().await;
    }
    let id = BulkChangeId(1);
    assert_eq!(served.app.operator.outcomes(id).await, ["carrier_refused"]);
    assert_eq!(served.simulator.traffic().calls.get("POST /changes"), Some(&2));
    assert_eq!(served.app.operator.device(1).await.carrier_rate_plan.as_deref(), Some(SMALL));
}

/// A line that fails while nobody knows what was done to its plan has none here that the next order could find as asked already.
#[tokio::test]
async fn a_line_that_fails_with_an_unknown_act_has_no_plan_here() {
    let world = NimbusWorld::with_lines(1).await;
    world.simulator.meet_next_on("POST /changes", Fault::Reset);
    world.simulator.with_ledger(|ledger, _| drop(ledger.lines.remove(&iccid(1))));
    let id = submitted(&world, 1).await;
    assert_eq!(world.operator.outcomes(id).await, ["carrier_line_unknown"]);
    assert_eq!(world.operator.device(1).await.carrier_rate_plan, None, "which it has is not known here");
}

/// A failure that is told counts only where the line, read since, does not show the change.
#[tokio::test]
async fn a_callback_that_says_a_line_failed_is_not_believed_against_what_the_line_shows() {
    let served = Served::of(NimbusWorld::with_lines(1).await).await;
    assert_eq!(served.order(1, json!({"CarrierRatePlan": LARGE})).await.status, 202);
    served.app.operator.run_until_idle().await;
    served.app.operator.clock.advance(TimeDelta::seconds(11));
    let denied = json!([{"iccid": iccid(1), "failed": "no"}]);
    assert_eq!(served.post(PASSWORD, "r-1", denied).await.status, 200);
    served.app.operator.run_until_idle().await;
    assert_eq!(served.change().await["status"], "PROCESSED");
}

#[tokio::test]
async fn an_order_dated_ahead_is_refused_at_submission() {
    let served = Served::of(NimbusWorld::with_lines(1).await).await;
    let refused = served.order(1, json!({"CarrierRatePlan": LARGE, "EffectiveDate": "2026-12-24T00:00:00Z"})).await;
    assert_eq!(
        (refused.status, refused.problems()),
        (422, vec!["CarrierRatePlanUpdate.EffectiveDate carrier_cannot".to_owned()])
    );
    assert!(refused.text().contains("Nimbus"), "{}", refused.text());
    let changes = served.app.orderer().await.read("/api/v1/bulk-changes").await;
    assert_eq!(changes["items"], json!([]), "nothing is stored");
}
