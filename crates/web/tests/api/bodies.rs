//! Bodies that are too large, cut off, not UTF-8, nested deep, or not declared as what they are.

use std::convert::Infallible;

use lineshift_domain::limits::Limits;
use lineshift_store_sqlite::Options;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::send;
use lineshift_testkit::operator::iccid;
use reqwest::{Body, Method};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PATH: &str = "/M2M/AssociateCustomer";

fn body_of(app: &TestApp) -> String {
    json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "SiteId": app.operator.amop_site.0}).to_string()
}

#[tokio::test]
async fn what_cannot_be_read_is_a_bad_request() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    let good = body_of(&app);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", Vec::new(), "malformed_json"),
        ("blank", b" \n".to_vec(), "malformed_json"),
        ("truncated", good.as_bytes()[..good.len() - 3].to_vec(), "malformed_json"),
        ("followed by more", [good.as_bytes(), b"{}"].concat(), "malformed_json"),
        ("a list", b"[]".to_vec(), "not_an_object"),
        (
            "not UTF-8",
            good.replace("SiteId", "Site\u{1}").into_bytes().iter().map(|b| if *b == 1 { 0xff } else { *b }).collect(),
            "not_utf8",
        ),
        ("UTF-16", good.encode_utf16().flat_map(u16::to_le_bytes).collect(), "malformed_json"),
        ("nested", format!("{{\"Devices\":{}{}}}", "[".repeat(40), "]".repeat(40)).into_bytes(), "too_deep"),
        ("nested without end", "[".repeat(1_000_000).into_bytes(), "too_deep"),
        ("deep objects", "{\"a\":".repeat(100_000).into_bytes(), "too_deep"),
    ];
    for (name, body, code) in cases {
        let answer = orderer.post_bytes(PATH, body).await;
        assert_eq!((answer.status, answer.problems()), (400, vec![code.to_owned()]), "{name}: {}", answer.text());
    }
    let repeated = good.replacen('{', "{\"siteid\":7,\"Name\":\"a\",\"NAME\":\"b\",", 1);
    let answer = orderer.post_bytes(PATH, repeated).await;
    assert_eq!(
        (answer.status, answer.problems()),
        (422, vec!["Name repeated_field".to_owned(), "SiteId repeated_field".to_owned()])
    );
    assert_eq!(orderer.read("/api/v1/bulk-changes").await["items"], json!([]));
    let marked = orderer.post_bytes(PATH, format!("\u{feff}{good}")).await;
    assert_eq!(marked.status, 202, "a byte-order mark is left out: {}", marked.text());
}

#[tokio::test]
async fn a_body_of_nothing_but_mistakes_gets_a_short_answer() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let unknown: String = (0..60_000).map(|nth| format!("\"a{nth}\":1,")).collect();
    let repeated = "\"a\":\"b\",".repeat(50_000);
    let long = format!("\"{}\":1,", "n".repeat(500_000));
    let secrets: String = (0..50_000).map(|nth| format!("\"a{nth}\":\"b\",")).collect();
    let account = format!("/api/v1/integrations/{}/account", app.operator.authentication);
    let cases = [
        ("unknown fields", "/api/v1/sites".to_owned(), Method::POST, format!("{{{unknown}\"\":1}}")),
        ("one field again and again", "/api/v1/sites".to_owned(), Method::POST, format!("{{{repeated}\"\":1}}")),
        ("a long name", "/api/v1/sites".to_owned(), Method::POST, format!("{{{long}\"\":1}}")),
        ("credentials", account, Method::PUT, format!("{{\"credentials\":{{{secrets}\"a\":1}}}}")),
    ];
    for (name, path, method, body) in cases {
        let request = admin.request(method, &path).header("content-type", "application/json").body(body);
        let answer = send(request).await;
        assert_eq!(answer.status, 422, "{name}: {}", answer.text().chars().take(300).collect::<String>());
        assert!(answer.body.len() < 64 << 10, "{name}: {} bytes are answered", answer.body.len());
    }
    let many: String = (0..2_000).map(|nth| format!("a{nth}=1&")).collect();
    let answer = admin.get(&format!("/api/v1/sites?{many}=1")).await;
    assert_eq!((answer.status, answer.problems().len()), (422, 101), "the last one counts the others");
}

#[tokio::test]
async fn words_with_blanks_of_any_kind_are_refused() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    for blank in ["\t", "\n", "\u{a0}", "\u{3000}"] {
        let role = json!({"name": "Ours", "scopes": [format!("{blank}*"), "m2m:view"]});
        let answer = admin.post("/api/v1/roles", &role).await;
        assert_eq!((answer.status, answer.problems()), (422, vec!["scopes[0] wrong_form".to_owned()]), "{}", answer.text());
        let key = json!({"name": "Ours", "scopes": ["*"], "reach": [format!("*{blank}")]});
        let answer = admin.post("/api/v1/api-keys", &key).await;
        assert_eq!((answer.status, answer.problems()), (422, vec!["reach[0] wrong_form".to_owned()]), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_its_length_is_said_or_not() {
    let limits = Limits { body_bytes: 2_000, ..Limits::default() };
    let app = TestApp::with(1, limits, Options::default()).await;
    let orderer = app.orderer().await;
    let padded = |length: usize| {
        let body = body_of(&app);
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    assert_eq!(orderer.post_bytes(PATH, padded(2_000)).await.status, 202, "as long as allowed");
    let chunked = |text: String| {
        let chunks: Vec<_> = text.into_bytes().chunks(500).map(|chunk| Ok::<_, Infallible>(chunk.to_vec())).collect();
        Body::wrap_stream(futures::stream::iter(chunks))
    };
    assert_eq!(orderer.post_bytes(PATH, chunked(padded(2_000))).await.status, 202, "in chunks, as long as allowed");
    for body in [Body::from(padded(2_001)), chunked(padded(2_001)), Body::from(padded(3_000_000)), chunked(padded(1_000_000))] {
        let answer = orderer.post_bytes(PATH, body).await;
        assert_eq!((answer.status, answer.problems()), (413, vec!["body_too_large".to_owned()]));
        assert!(answer.text().contains("2000 bytes"), "the limit is said: {}", answer.text());
    }
    assert_eq!(orderer.read("/api/v1/bulk-changes").await["items"].as_array().map(Vec::len), Some(2));
    let small = "x".repeat(2_000_000);
    assert_eq!(app.admin().await.post_bytes("/api/v1/sites", small).await.status, 413, "a site is small");
}

#[tokio::test]
async fn a_body_must_be_declared_as_json() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    for content_type in ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json; charset=latin1"]
    {
        let request = orderer.request(Method::POST, PATH).header("content-type", content_type).body(body_of(&app));
        let answer = send(request).await;
        assert_eq!(answer.status, 415, "{content_type}");
        assert_eq!(answer.problems(), Vec::<String>::new());
    }
    let without = send(orderer.request(Method::POST, PATH).body(body_of(&app))).await;
    assert_eq!(without.status, 415);
    let declared =
        send(orderer.request(Method::POST, PATH).header("content-type", "application/json;charset=utf-8").body(body_of(&app)));
    assert_eq!(declared.await.status, 202);
}

#[tokio::test]
async fn a_client_that_hangs_up_within_its_body_stores_nothing() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    let body = body_of(&app);
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.expect("a connection");
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        orderer.key().expect("a key"),
        body.len() + 1,
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.expect("the server reads");
    stream.shutdown().await.expect("the sending half closes");
    let mut answer = Vec::new();
    // Whether a half-open connection gets an answer is up to the server; that nothing is stored is not.
    drop(stream.read_to_end(&mut answer).await);
    assert!(!String::from_utf8_lossy(&answer).contains(" 202 "), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(orderer.read("/api/v1/bulk-changes").await["items"], json!([]));
}

/// `length` spaces, deflated to a two-hundredth of that: one letter, and then copies of the 258 before.
fn deflated(length: usize) -> Vec<u8> {
    let mut bits = vec![true, true, false];
    // Codes are written from their highest bit on: the space, "the last 258 bytes again" from one byte back, the end.
    let code = |value: u32, width: u32| (0..width).rev().map(move |bit| value >> bit & 1 == 1);
    bits.extend(code(0x30 + u32::from(b' '), 8));
    for _ in 0..length / 258 {
        bits.extend(code(0b1100_0101, 8).chain(code(0, 5)));
    }
    bits.extend(code(0, 7));
    bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |read, bit| read << 1 | u8::from(*bit))).collect()
}

#[tokio::test]
async fn a_compressed_body_is_refused_and_not_inflated() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    let bomb = deflated(64 << 20);
    assert!(bomb.len() < 500_000, "{} bytes", bomb.len());
    let gzip = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], bomb.as_slice()].concat();
    for (coding, body) in [
        ("deflate", bomb.clone()),
        ("gzip", gzip.clone()),
        ("x-gzip", gzip.clone()),
        ("gzip, gzip", gzip.clone()),
        ("identity, GZIP", gzip.clone()),
        ("br", b"x".to_vec()),
        ("zstd", b"x".to_vec()),
        ("gzip", body_of(&app).into_bytes()),
    ] {
        let request = orderer.request(Method::POST, PATH).header("content-type", "application/json");
        let answer = send(request.header("content-encoding", coding).body(body)).await;
        assert_eq!((answer.status, answer.header("accept-encoding")), (415, "identity"), "{coding}: {}", answer.text());
    }
    // Who does not say so has sent something else than JSON.
    assert_eq!(orderer.post_bytes(PATH, gzip).await.status, 400);
    assert_eq!(orderer.read("/api/v1/bulk-changes").await["items"], json!([]));
    let plain = orderer.request(Method::POST, PATH).header("content-type", "application/json");
    assert_eq!(send(plain.header("content-encoding", "identity").body(body_of(&app))).await.status, 202);
}
