//! POND as every carrier is asked, where it is more than its client.

use super::*;
use crate::carrier::{Carrier, CarrierKind as _, LineRef};

fn carrier(script: &Arc<Script>) -> Arc<dyn Carrier> {
    let json = SecretString::from(r#"{"api_key":"key","distributor_id":"d-1"}"#);
    let (account, _) = account(limits(), script);
    Pond.connect(account, "https://billing.example/v1", &json).expect("credentials")
}

fn sims(total: usize, numbers: std::ops::Range<u64>) -> Value {
    let sims: Vec<Value> = numbers.map(|number| json!({ "iccid": (8_944_000_000_000_000_000 + number).to_string() })).collect();
    json!({ "total": total, "elements": sims })
}

#[tokio::test(start_paused = true)]
async fn a_page_of_lines_is_filled_where_the_list_answers_less_than_is_asked_for() {
    let script = answers(&[sims(230, 0..60), sims(230, 60..120), sims(230, 100..160), sims(230, 160..220)]);
    let carrier = carrier(&script);
    for (page, first) in [(1, 0), (2, 100)] {
        let batch = carrier.list_lines(None, page).await.result.expect("a page");
        let numbers: Vec<String> =
            (first..first + 100).map(|number| (8_944_000_000_000_000_000_u64 + number).to_string()).collect();
        assert_eq!(batch.records.into_iter().map(|line| line.iccid).collect::<Vec<_>>(), numbers);
        assert!(batch.has_more);
    }
    let offsets: Vec<String> = script.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(offsets, [0, 60, 100, 160].map(|offset| format!("GET /d-1/sim?offset={offset}&count=100")));
}

#[tokio::test(start_paused = true)]
async fn a_status_is_that_of_all_services_and_a_plan_that_of_the_only_active_package() {
    let of = |data: &str, voice: &str| {
        json!({ "iccid": ICCID, "status": "odd", "simDataServiceStatus": data, "simVoiceServiceStatus": voice,
            "simSmsServiceStatus": voice })
    };
    let active = |id: u32, plan: &str, status: &str| json!({ "packageId": id, "packageTypeId": plan, "packageStatus": status });
    let list = |packages: &[Value]| super::list(packages.len(), 0, packages);
    let only = list(&[active(1, "101", "ACTIVE"), active(2, "102", "TERMINATED"), active(3, "103", "INACTIVE")]);
    let two = list(&[active(1, "101", "ACTIVE"), active(2, "102", "ACTIVE")]);
    for (sim, packages, status, plan) in [
        (of("ENABLED", "ENABLED"), only, Some("In-Service"), Some("101")),
        (of("DISABLED", "DISABLED"), list(&[]), Some("Out-of-Service"), None),
        (of("ENABLED", "DISABLED"), two, None, None),
        (json!({ "iccid": ICCID, "status": "odd" }), list(&[]), Some("odd"), None),
    ] {
        let script = answers(&[sim, packages]);
        let carrier = carrier(&script);
        let line = LineRef { iccid: ICCID.to_owned(), ..LineRef::default() };
        let read = carrier.read_line(&line).await.result.expect("read").expect("it is there");
        assert_eq!((read.status.as_deref(), read.rate_plan.as_deref()), (status, plan));
        assert_eq!(read.packages.iter().filter(|package| package.is_ended).count(), usize::from(plan.is_some()));
    }
}
