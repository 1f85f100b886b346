//! Every kind of fault over real HTTP: connections that are really reset, cut off and held open.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::caller::{AUTHORIZATION, KEY, OverHttp, options, simulator};
use lineshift_simulators::revio::{ErrorShape, Fault, Faults, RevioSimulator, serve, serve_ledger};

/// How long an answer is waited for that comes, and one that does not.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(700);

async fn creating_meets(fault: Fault, patience: Duration) -> (Arc<RevioSimulator>, reqwest::Result<reqwest::Response>) {
    let simulator = simulator(options());
    let http = OverHttp::new(&simulator).await;
    simulator.meet_next(fault);
    let answer = http.create("1").timeout(patience).send().await;
    (simulator, answer)
}

fn services(simulator: &RevioSimulator) -> usize {
    simulator.ledger().summary().services
}

#[tokio::test]
async fn statuses_before_and_after_working() {
    for (fault, status, works) in [
        (Fault::Works500, 500, 1),
        (Fault::Works502, 502, 1),
        (Fault::Works504, 504, 1),
        (Fault::Fails500, 500, 0),
        (Fault::Fails502, 502, 0),
        (Fault::Fails503, 503, 0),
        (Fault::Fails504, 504, 0),
        (Fault::Throttled, 429, 0),
        (Fault::ThrottledInWords, 429, 0),
        (Fault::SearchLags, 201, 1),
    ] {
        let (simulator, answer) = creating_meets(fault, LONG).await;
        let answer = answer.expect("an answer");
        assert_eq!((answer.status().as_u16(), services(&simulator)), (status, works), "{fault:?}");
        assert_eq!(answer.headers().contains_key("retry-after"), fault == Fault::Throttled, "{fault:?}");
    }
}

#[tokio::test]
async fn silence_lasts_until_the_caller_gives_up() {
    for (fault, works) in [(Fault::WorksThenSilence, 1), (Fault::WorksLate, 0), (Fault::Silence, 0)] {
        let (simulator, answer) = creating_meets(fault, SHORT).await;
        let error = answer.expect_err("no answer");
        assert!(error.is_timeout(), "{fault:?}: {error:?}");
        assert_eq!(services(&simulator), works, "{fault:?}");
    }
}

#[tokio::test]
async fn a_late_call_works_after_its_caller_gave_up() {
    let mut options = options();
    options.late_after = Duration::from_secs(4)..=Duration::from_secs(5);
    let simulator = simulator(options);
    let http = OverHttp::new(&simulator).await;
    simulator.meet_next(Fault::WorksLate);
    let error = http.create("1").timeout(Duration::from_millis(300)).send().await.expect_err("no answer");
    assert!(error.is_timeout() && services(&simulator) == 0, "{error:?}");
    let start = Instant::now();
    while services(&simulator) == 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "it works in the end");
        http.get("/SystemStatus").send().await.expect("an answer");
    }
}

#[tokio::test]
async fn a_reset_comes_before_any_answer() {
    for (fault, works) in [(Fault::Reset, 0), (Fault::WorksThenReset, 1)] {
        let (simulator, answer) = creating_meets(fault, LONG).await;
        let error = answer.expect_err("no answer");
        assert!(!error.is_timeout() && !error.is_connect(), "{fault:?}: {error:?}");
        assert_eq!(services(&simulator), works, "{fault:?}");
    }
}

/// What a socket says after a request that meets a fault: the bytes, and how they end.
async fn on_the_wire(fault: Fault) -> (String, std::io::Result<usize>) {
    let simulator = simulator(options());
    simulator.meet_next(fault);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(simulator, listener, std::future::pending()));
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "GET /v1/SystemStatus HTTP/1.1\r\nhost: {address}\r\nauthorization: {AUTHORIZATION}\r\n\
         ocp-apim-subscription-key: {KEY}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut heard = Vec::new();
    let end = stream.read_to_end(&mut heard).await;
    (String::from_utf8(heard).expect("UTF-8"), end)
}

#[tokio::test]
async fn resets_are_real() {
    let (heard, end) = on_the_wire(Fault::Reset).await;
    assert_eq!(heard, "");
    assert_eq!(end.expect_err("a reset").kind(), std::io::ErrorKind::ConnectionReset);

    let (heard, end) = on_the_wire(Fault::WorksThenCut).await;
    assert!(heard.starts_with("HTTP/1.1 200 OK\r\n") && heard.contains("{\"ok\"") && !heard.contains("true}"), "{heard}");
    assert_eq!(end.expect_err("a reset").kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_cut_comes_in_the_middle_of_the_body() {
    let (simulator, answer) = creating_meets(Fault::WorksThenCut, LONG).await;
    let answer = answer.expect("the head of an answer");
    assert_eq!(answer.status(), StatusCode::CREATED);
    let error = answer.bytes().await.expect_err("half a body");
    assert!(!error.is_timeout(), "{error:?}");
    assert_eq!(services(&simulator), 1);
}

#[tokio::test]
async fn a_success_may_be_unreadable() {
    let (simulator, answer) = creating_meets(Fault::WorksThenUnreadable, LONG).await;
    let answer = answer.expect("an answer");
    assert_eq!((answer.status(), services(&simulator)), (StatusCode::CREATED, 1));
    answer.json::<Value>().await.expect_err("no JSON");
}

#[tokio::test]
async fn errors_of_every_form_arrive_whole() {
    for shape in ErrorShape::ALL {
        let mut options = options();
        options.faults = Faults::none().with_shapes(&[shape]);
        let simulator = simulator(options);
        let http = OverHttp::new(&simulator).await;
        let answer = http.get("/Services/7").send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        let body = answer.text().await.expect("a whole body");
        assert_eq!(body.is_empty(), shape == ErrorShape::Nothing, "{body}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let simulator = simulator(options());
    let http = OverHttp::new(&simulator).await;
    let request = http.request(reqwest::Method::POST, "/Services", None).body(vec![b' '; (1 << 20) + 1]);
    assert_eq!(request.send().await.expect("an answer").status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_server_ends_though_a_caller_still_waits() {
    let simulator = simulator(options());
    simulator.meet_next(Fault::Silence);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1/SystemStatus", listener.local_addr().expect("an address"));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(Arc::clone(&simulator), listener, async move { drop(stopped.await) }));
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().expect("a client");
    let get = client.get(url).header("authorization", AUTHORIZATION).header("ocp-apim-subscription-key", KEY);
    let waiting = tokio::spawn(get.send());
    while simulator.ledger().summary().faults.is_empty() {
        tokio::task::yield_now().await;
    }
    stop.send(()).expect("the server listens");
    server.await.expect("it ends").expect("it served");
    let error = waiting.await.expect("it ends").expect_err("no answer");
    assert!(!error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn the_ledger_can_be_watched() {
    let simulator = simulator(options());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(serve_ledger(simulator, listener, std::future::pending()));
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().expect("a client");
    let ledger: Value = client.get(format!("{base}/ledger")).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!((&ledger["customers"], &ledger["duplicate_services"]), (&5.into(), &0.into()));
    let other = client.get(base).send().await.expect("an answer");
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
}
