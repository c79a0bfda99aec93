//! prometheus checks against servers that answer, have nothing to say, or are not there. The real one is in
//! `tests/checks`.

use rstest::rstest;
use tokio::sync::mpsc;

use super::*;
use crate::model::{FailWhen, PrometheusProbe};

fn asking(port: u16, fail_when: &str) -> PrometheusProbe {
    PrometheusProbe {
        url: format!("http://127.0.0.1:{port}/base/"),
        query: r#"rate(errors{job="x",region="{region}"}[1m])"#.into(),
        fail_when: FailWhen::parse(fail_when).unwrap(),
        token_file: None,
        ca_file: None,
    }
}

fn region() -> Destination {
    Destination::Region("us-east".into())
}

async fn outcome(probe: PrometheusProbe, timeout: Duration) -> (Outcome, Phases) {
    match probe_at(Probe::Prometheus(probe), region(), timeout).await {
        Verdict::Seen(outcome, _, phases) => (outcome, phases),
        Verdict::Abstained(why) => panic!("abstained: {why}"),
    }
}

fn missing(why: &str) -> Outcome {
    Outcome::Missing(format!("Prometheus: {why}").into())
}

fn json(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A successful reply with these results.
fn result(kind: &str, result: &str) -> String {
    let body =
        format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#);
    json("200 OK", &body)
}

/// A vector of these figures.
fn vector(figures: &[&str]) -> String {
    let one =
        |figure: &&str| format!(r#"{{"metric":{{"a":"b"}},"value":[1435781451.781,"{figure}"]}}"#);
    result("vector", &format!("[{}]", figures.iter().map(one).collect::<Vec<_>>().join(",")))
}

const ABOUT: &str = r#"(rate(errors{job="x",region="us-east"}[1m]))"#;

#[rstest]
#[case::well(vector(&["0.01"]), None)]
#[case::at_the_figure(vector(&["0.05"]), None)]
#[case::failing(vector(&["0.073"]), Some("0.073 > 0.05"))]
#[case::nearly(vector(&["0.050000001"]), Some("0.050000001 > 0.05"))]
#[case::rounded(vector(&["0.12345678901"]), Some("0.123457 > 0.05"))]
#[case::infinite(vector(&["+Inf"]), Some("inf > 0.05"))]
#[case::one_of_several(vector(&["0.01", "NaN", "1", "2"]), Some("2 of 4 series: 1 > 0.05"))]
#[case::several_well(vector(&["0.01", "NaN"]), None)]
#[case::scalar(result("scalar", r#"[1435781451.781,"1"]"#), Some("1 > 0.05"))]
#[tokio::test]
async fn figures_are_compared(#[case] reply: String, #[case] reason: Option<&str>) {
    let port = answering(reply).await;
    let (outcome, phases) = outcome(asking(port, "> 0.05"), PATIENT).await;
    let wanted = reason.map(|reason| failed(&format!("{reason} {ABOUT}")));
    assert_eq!(outcome, wanted.unwrap_or(Outcome::Pass));
    assert!(phases.first_byte.is_some_and(|first| first <= phases.total));
}

#[rstest]
#[case::no_data(vector(&[]), &format!("no data {ABOUT}"))]
#[case::nan(vector(&["NaN"]), &format!("NaN {ABOUT}"))]
#[case::matrix(result("matrix", "[]"), "the result is a matrix, wanted a scalar or a vector")]
#[case::odd_figure(vector(&["x"]), "the reply is none of Prometheus's API")]
#[case::bad_query(
    json("400 Bad Request", r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#),
    "bad_data: parse error"
)]
#[case::unavailable(json("503 Service Unavailable", "starting up"), "HTTP 503")]
#[case::redirect("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".into(), "HTTP 302")]
#[case::another_server(json("200 OK", "<html>"), "the reply is none of Prometheus's API")]
#[case::other_json(json("200 OK", r#"{"status":"ok"}"#), "HTTP 200")]
#[case::huge(json("200 OK", &"x".repeat((1 << 20) + 1)), "a reply of more than 1048576 octets")]
#[tokio::test]
async fn no_figure_says_nothing(#[case] reply: String, #[case] why: &str) {
    let port = answering(reply).await;
    // Not even that it is not what it should be.
    for fail_when in ["> 0.05", "!= 1"] {
        assert_eq!(outcome(asking(port, fail_when), PATIENT).await.0, missing(why));
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_says_nothing() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (silent, _) = outcome(asking(port, "> 1"), BRIEF).await;
    assert_eq!(silent, missing("answer: timed out after 150 ms"));
    drop(listener);
    let (refused, _) = outcome(asking(port, "> 1"), PATIENT).await;
    assert_eq!(refused, missing("connect: connection refused"));
    let metadata = PrometheusProbe { url: "http://169.254.169.254/".into(), ..asking(1, "> 1") };
    let why = "169.254.169.254 is link-local or metadata, and not in [probe] allow";
    assert_eq!(outcome(metadata, PATIENT).await.0, missing(why));
}

#[tokio::test]
async fn the_query_is_what_was_configured() {
    let (tell, mut told) = mpsc::channel(1);
    let port = server(move |mut stream| {
        let tell = tell.clone();
        async move {
            tell.send(read_request(&mut stream).await).await.unwrap();
            let _ = stream.write_all(vector(&["1"]).as_bytes()).await;
            hold(stream).await;
        }
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let token_file = dir.path().join("token");
    std::fs::write(&token_file, "secret-of-a-kind\n").unwrap();
    let probe = PrometheusProbe { token_file: Some(token_file.clone()), ..asking(port, "> 1") };
    assert_eq!(outcome(probe.clone(), PATIENT).await.0, Outcome::Pass);
    let request = told.recv().await.unwrap().to_lowercase();
    let query = "rate%28errors%7bjob%3d%22x%22%2cregion%3d%22us-east%22%7d%5b1m%5d%29";
    let line = format!("get /base/api/v1/query?query={query}&timeout=20000ms http/1.1");
    assert_eq!(request.lines().next(), Some(&*line));
    assert!(request.contains("\r\nauthorization: bearer secret-of-a-kind\r\n"), "{request}");
    // It is read for each query, and where it cannot be, nothing is known.
    std::fs::remove_file(&token_file).unwrap();
    let Outcome::Missing(why) = outcome(probe, PATIENT).await.0 else { panic!("it was asked") };
    assert!(why.contains("token: No such file"), "{why}");
}
