//! What becomes of a call that was not answered as it was meant.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::http::{TransportFault, WhyNot};

fn error(http: u16, own: u16) -> Does {
    let body = json!({ "status": own, "code": "E7", "message": "no", "developerMessage": "way", "referenceId": "r-1" });
    Does::answer(http, &body.to_string())
}

fn added() -> String {
    json!({ "packageId": "p-7", "packageTypeId": "GOLD-1", "packageStatus": "INACTIVE" }).to_string()
}

#[tokio::test(start_paused = true)]
async fn an_added_package_is_there_refused_or_nobody_knows() {
    let cut = &added()[..added().len() - 1];
    let cases = [
        (error(400, 400), "Rejected { status: 400, text: \"E7: no way (reference r-1)\" }"),
        (error(422, 422), "Rejected { status: 422"),
        (error(200, 400), "Rejected { status: 200, text: \"E7: no way"),
        (error(404, 404), "NotFound { text: \"E7: no way"),
        (error(200, 404), "NotFound"),
        (error(401, 401), "Unauthorized { status: 401"),
        (error(200, 403), "Unauthorized { status: 200"),
        (error(409, 409), "Ambiguous"),
        (error(408, 408), "Ambiguous"),
        (error(500, 500), "Ambiguous(\"answered 500: E7: no way"),
        (error(500, 400), "Ambiguous"),
        (error(400, 500), "Ambiguous"),
        (error(200, 500), "Ambiguous"),
        (error(200, 0), "Ambiguous"),
        (Does::answer(400, "<html>no</html>"), "Rejected { status: 400, text: \"no\" }"),
        (Does::answer(404, "<html>no</html>"), "Rejected { status: 404, text: \"no\" }"),
        (Does::answer(400, ""), "Ambiguous"),
        (Does::answer(200, ""), "Ambiguous"),
        (Does::answer(204, ""), "Ambiguous"),
        (Does::answer(202, &added()), "Ambiguous(\"answered 202 that cannot be used: added is 200 or 201\")"),
        (Does::answer(200, cut), "Ambiguous"),
        (Does::answer(200, "<html>log in</html>"), "Ambiguous"),
        (Does::answer(200, "<package><packageId>p-7</packageId></package>"), "Ambiguous"),
        (Does::answer(200, "{}"), "Ambiguous(\"answered 200 that cannot be used: missing field `packageId`\")"),
        (Does::answer(200, &format!("[{}]", added())), "Ambiguous"),
        (Does::answer(200, &added().replace("GOLD-1", "GOLD-2")), "Ambiguous"),
        (Does::answer(200, &added().replace("p-7", "p/7")), "Ambiguous"),
        (Does::answer(302, "moved"), "Ambiguous"),
        (Does::answer(502, "<html>Bad Gateway</html>"), "Ambiguous"),
        (Does::Silence, "Ambiguous(\"no answer in time\")"),
        (Does::Fails(Duration::ZERO, TransportFault::Cut("reset".to_owned())), "Ambiguous"),
        (Does::Fails(Duration::ZERO, TransportFault::NotSent("no connection".to_owned())), "NotSent"),
    ];
    for (does, expected) in cases {
        let script = Script::new([], does);
        let called = add(&client(&script)).await;
        let result = format!("{:?}", called.result);
        assert!(result.contains(expected), "{expected}: {result}");
        assert_eq!(script.seen().len(), 1, "{expected}: a package is added once");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_set_is_done_by_a_204_alone() {
    let package: PackageId = "p-7".parse().expect("an id");
    for (does, expected) in [
        (Does::answer(204, ""), "Ok(())"),
        (Does::answer(200, ""), "Err(Ambiguous(\"answered 200 that cannot be used: done is 204\"))"),
        (Does::answer(200, &added()), "Err(Ambiguous"),
        (error(200, 400), "Err(Rejected"),
        (error(404, 404), "Err(NotFound"),
        (error(503, 503), "Err(Ambiguous"),
    ] {
        let client = client(&Script::new([], does));
        let called = client.set_package_status(permit(&client).await, &package, PackageStatus::Terminated).await;
        let result = format!("{:?}", called.result);
        assert!(result.starts_with(expected), "{expected}: {result}");
        let called = client.set_services(permit(&client).await, &iccid(), PondServices::all(ServiceStatus::Enabled)).await;
        assert!(format!("{:?}", called.result).starts_with(expected), "{expected}: {:?}", called.result);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sim_is_gone_only_when_pond_says_so() {
    for (does, expected) in [
        (error(404, 404), "Ok(None)"),
        (error(200, 404), "Ok(None)"),
        (Does::answer(404, "<html>no such page</html>"), "Err(Rejected { status: 404"),
        (Does::answer(404, ""), "Err(Unavailable"),
        (error(200, 500), "Err(Unavailable"),
    ] {
        let called = client(&Script::new([], does)).find_sim(&iccid()).await;
        let result = format!("{:?}", called.result);
        assert!(result.starts_with(expected), "{expected}: {result}");
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_holds_the_account_back_also_within_a_success() {
    for http in [200, 400, 429] {
        let script = Script::new([error(http, 429).with_header("retry-after", "7")], Does::answer(200, &added()));
        let client = client(&script);
        let called = add(&client).await;
        let Err(CallError::NotNow(not_now)) = called.result else { panic!("{http}: {:?}", called.result) };
        assert_eq!(not_now.why, WhyNot::Throttled);
        let started = Instant::now();
        assert!(add(&client).await.result.is_ok());
        assert_eq!(started.elapsed().as_secs(), 7, "{http}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_tried_again_after_what_passes() {
    let there = Does::answer(200, &json!({ "iccid": ICCID }).to_string());
    let script = Script::new([error(200, 503), Does::answer(200, "<html>"), there.clone()], there);
    assert!(client_that_tries(3, &script).find_sim(&iccid()).await.result.expect("the third answer").is_some());
    assert_eq!(script.seen().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_key_is_in_no_text() {
    for body in
        [json!({ "status": 400, "code": "E7", "message": "key pond/key-1" }).to_string(), "pond%2Fkey-1 pond/key-1".into()]
    {
        let called = add(&client(&Script::new([], Does::answer(400, &body)))).await;
        let shown = format!("{:?} {:?}", called.result, called.exchange);
        assert!(!shown.contains("key-1") && shown.contains("***"), "{shown}");
    }
}

proptest! {
    #[test]
    fn no_answer_passes_for_an_added_package_but_one(
        status in prop_oneof![Just(200_u16), Just(201), 200..600_u16],
        body in prop_oneof![
            ".{0,60}",
            Just(added()),
            (400_u16..600).prop_map(|own| added().replacen('{', &format!("{{\"status\":{own},"), 1)),
            (0_usize..60).prop_map(|at| added()[..at].to_owned()),
        ],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let result = runtime.block_on(async { add(&client(&Script::new([], Does::answer(status, &body)))).await.result });
        prop_assert_eq!(result.is_ok(), body == added() && matches!(status, 200 | 201), "{} {}", status, body);
        // A failure over there never passes for a clear refusal.
        if status >= 500 {
            prop_assert!(matches!(result, Err(CallError::Ambiguous(_))), "{} {}", status, body);
        }
    }
}
