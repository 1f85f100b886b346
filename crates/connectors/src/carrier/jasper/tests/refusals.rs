//! What becomes of a call that was not answered as it was meant, and how the account keeps its pace.

use std::sync::atomic::Ordering;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::*;
use crate::http::{TransportFault, WhyNot};

fn error(status: u16, code: &str) -> Does {
    Does::answer(status, &json!({ "errorMessage": "no way", "errorCode": code }).to_string())
}

fn activation() -> JasperAssignment {
    JasperAssignment::to_status(JasperStatus::Activated)
}

#[tokio::test(start_paused = true)]
async fn an_assignment_is_done_refused_or_nobody_knows() {
    let success = format!(r#"{{"iccid":"{ICCID}"}}"#);
    let cut = &success[..success.len() - 2];
    let cases = [
        (error(400, "10000005"), "Rejected { status: 400, text: \"10000005: no way\" }"),
        (error(400, "10000013"), "Rejected { status: 400, text: \"10000013"),
        (error(400, "10000014"), "Rejected"),
        (error(400, "10000029"), "Rejected"),
        (error(200, "10000021"), "Rejected { status: 200"),
        (error(500, "20000002"), "Rejected { status: 500"),
        (error(404, "20000001"), "NotFound { text: \"20000001: no way\" }"),
        (error(400, "10000001"), "Unauthorized { status: 400, text: \"10000001: no way\" }"),
        (error(403, "10000030"), "Unauthorized"),
        (error(500, "30000001"), "Ambiguous(\"answered 500: 30000001: no way\")"),
        (error(200, "30000001"), "Ambiguous"),
        (error(400, "30000001"), "Ambiguous"),
        (error(200, ""), "Ambiguous"),
        (error(400, "99999999"), "Rejected { status: 400, text: \"no way\" }"),
        (Does::answer(400, r#"{"errorMessage":"no way"}"#), "Rejected { status: 400, text: \"no way\" }"),
        (Does::answer(404, "<html>not here</html>"), "Rejected { status: 404, text: \"not here\" }"),
        (Does::answer(401, "<html>who?</html>"), "Unauthorized { status: 401"),
        (Does::answer(200, "<html>log in</html>"), "Ambiguous"),
        (Does::answer(200, "<?xml version=\"1.0\"?><error code=\"10000005\"/>"), "Ambiguous"),
        (Does::answer(200, ""), "Ambiguous"),
        (Does::answer(200, "{}"), "Ambiguous(\"answered 200 that cannot be used: missing field `iccid`"),
        (Does::answer(200, cut), "Ambiguous"),
        (Does::answer(200, &success.replace("1234\"", "1235\"")), "Ambiguous"),
        (Does::answer(204, ""), "Ambiguous"),
        (Does::answer(302, "moved"), "Ambiguous"),
        (Does::answer(409, "busy"), "Ambiguous"),
        (Does::answer(503, "<html>down</html>"), "Ambiguous(\"answered 503: down\")"),
        (Does::Silence, "Ambiguous(\"no answer in time\")"),
        (Does::Fails(Duration::ZERO, TransportFault::Cut("reset".to_owned())), "Ambiguous"),
        (Does::Fails(Duration::ZERO, TransportFault::NotSent("no connection".to_owned())), "NotSent"),
    ];
    for (does, expected) in cases {
        let script = Script::new([], does);
        let called = assign(&client(&script), &activation()).await;
        let result = format!("{:?}", called.result);
        assert!(result.contains(expected), "{expected}: {result}");
        assert_eq!(script.seen().len(), 1, "{expected}: an effect is sent once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_is_gone_only_by_its_code() {
    for (does, expected) in [
        (error(404, "20000001"), "Ok(None)"),
        (error(400, "20000001"), "Ok(None)"),
        (error(200, "20000001"), "Ok(None)"),
        (Does::answer(404, "no such page"), "Err(Rejected { status: 404"),
        (Does::answer(404, r#"{"errorMessage":"not found"}"#), "Err(Rejected { status: 404, text: \"not found\" }"),
        (error(404, "20000002"), "Err(Rejected { status: 404"),
        (Does::answer(404, ""), "Err(Unavailable"),
        (error(401, "10000001"), "Err(Unauthorized"),
        (error(200, "30000001"), "Err(Unavailable"),
        (Does::answer(200, "<html></html>"), "Err(Unavailable"),
    ] {
        let called = client(&Script::new([], does)).find_device(&iccid()).await;
        let result = format!("{:?}", called.result);
        assert!(result.starts_with(expected), "{expected}: {result}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_tried_again_after_what_passes_and_not_after_what_stays() {
    let there = Does::answer(200, &device().to_string());
    let script = Script::new([error(200, "30000001"), Does::answer(200, "<html>"), there.clone()], there.clone());
    let client = client_that_tries(3, &script);
    assert!(client.find_device(&iccid()).await.result.expect("the third answer").is_some());
    assert_eq!(script.seen().len(), 3);
    for code in ["10000003", "10000001", "20000001"] {
        let script = Script::new([error(500, code)], there.clone());
        let called = client_that_tries(3, &script).find_device(&iccid()).await;
        assert!(!matches!(called.result, Ok(Some(_))), "{code}");
        assert_eq!(script.seen().len(), 1, "{code} stays");
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_holds_the_account_back_whatever_its_status() {
    for status in [200, 400, 403, 429, 500, 503] {
        let script = Script::new([error(status, "40000029")], error(status, "40000029"));
        let client = client(&script);
        let mut waits = Vec::new();
        for _ in 0..3 {
            let called = assign(&client, &activation()).await;
            let Err(CallError::NotNow(not_now)) = called.result else { panic!("{status}: {:?}", called.result) };
            assert_eq!(not_now.why, WhyNot::Throttled);
            assert_eq!(client.account().not_before(), Some(not_now));
            waits.push((not_now.until - client.account().clock().now()).num_milliseconds());
        }
        // The number in the code is no time to wait, and the waits grow although the status is no 429.
        for (wait, longest) in waits.iter().zip([2_000, 4_000, 8_000]) {
            assert!((longest / 2..=longest).contains(wait), "{status}: {waits:?}");
        }
        script.rest(Does::answer(200, &json!({ "iccid": ICCID }).to_string()));
        assert_eq!(assign(&client, &activation()).await.result, Ok(()), "{status}");
    }
    let asked = error(200, "40000029").with_header("retry-after", "7");
    let script = Script::new([asked], Does::answer(200, &device().to_string()));
    let started = Instant::now();
    assert!(client_that_tries(2, &script).find_device(&iccid()).await.result.expect("the second answer").is_some());
    assert_eq!(started.elapsed().as_secs(), 7, "Retry-After is honoured");
}

#[tokio::test(start_paused = true)]
async fn one_call_at_a_time_and_five_in_any_second_yet_nearly_that() {
    let script = Script::new([], Does::answer(200, &device().to_string()));
    let StatedLimits { concurrency, calls_a_second, calls_a_minute, calls_a_day } = STATED_LIMITS;
    let limits = AccountLimits {
        concurrency,
        calls_a_minute: calls_a_minute.expect("stated"),
        calls_a_day: calls_a_day.expect("stated"),
        patience: Duration::from_secs(3_600),
        ..limits()
    };
    let (account, _) = account(limits, &script);
    let account = account.with_calls_a_second(calls_a_second.expect("stated"));
    let credentials = JasperCredentials { user: "api-user".to_owned(), api_key: SecretString::from("api/key-1") };
    let client = Arc::new(JasperClient::new(account, "https://billing.example/v1/", credentials));
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let client = Arc::clone(&client);
            tokio::spawn(async move {
                for _ in 0..30 {
                    assert!(client.find_device(&iccid()).await.result.is_ok());
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no caller panics");
    }
    let seen: Vec<Instant> = script.seen().iter().map(|seen| seen.at).collect();
    assert_eq!((seen.len(), script.most_under_way.load(Ordering::SeqCst)), (300, 1));
    for (index, first) in seen.iter().enumerate() {
        let within = seen[index..].iter().take_while(|at| **at - *first < Duration::from_secs(1)).count();
        assert!(within <= 5, "{within} calls within a second");
    }
    let taken = (seen[299] - seen[0]).as_secs_f64();
    assert!(299.0 / taken > 4.5, "300 calls of 50 ms took {taken} s: less than 90 % of five a second");
}

#[tokio::test(start_paused = true)]
async fn a_long_error_is_one_short_line_and_a_secret_at_the_cut_is_masked() {
    let said = format!("{}\n api/key-1 {}", "ü".repeat(986), "x".repeat(8_000_000));
    let body = json!({ "errorMessage": said, "errorCode": "10000005" }).to_string();
    let called = assign(&client(&Script::new([], Does::answer(400, &body))), &activation()).await;
    let Err(CallError::Rejected { text, .. }) = called.result else { panic!("{:?}", called.result) };
    assert_eq!(text.chars().count(), 1_000);
    assert!(text.ends_with("ü ***") && !called.exchange.response.contains("key-1"), "{}", &text[text.len() - 20..]);
}

#[tokio::test(start_paused = true)]
async fn nothing_secret_is_in_the_texts() {
    let said = "api-user api/key-1 api%2Fkey-1 YXBpLXVzZXI6YXBpL2tleS0x";
    for body in [json!({ "errorMessage": said, "errorCode": "10000001" }).to_string(), said.to_owned()] {
        let called = assign(&client(&Script::new([], Does::answer(400, &body))), &activation()).await;
        let shown = format!("{:?} {:?}", called.result, called.exchange);
        for secret in ["api-user", "api/key", "api%2F", "YXBp", "a2V5"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(shown.contains("***"), "{shown}");
    }
}

proptest! {
    #[test]
    fn no_answer_passes_for_an_assignment_but_one_that_names_the_device(
        status in prop_oneof![Just(200_u16), Just(201), 200..600_u16],
        body in prop_oneof![
            ".{0,60}",
            Just(format!(r#"{{"iccid":"{ICCID}"}}"#)),
            "[0-9]{8}".prop_map(|code| format!(r#"{{"iccid":"{ICCID}","errorCode":"{code}"}}"#)),
            (0_usize..31).prop_map(|at| format!(r#"{{"iccid":"{ICCID}"}}"#)[..at].to_owned()),
        ],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let is_done = runtime.block_on(async {
            assign(&client(&Script::new([], Does::answer(status, &body))), &activation()).await.result.is_ok()
        });
        let names_device = body == format!(r#"{{"iccid":"{ICCID}"}}"#);
        prop_assert_eq!(is_done, names_device && (200..=299).contains(&status), "{} {}", status, body);
    }
}
