//! Agents as load balancers ask them.

use rstest::rstest;

use super::*;
use crate::model::AgentProbe;

/// An agent that says this unasked, and closes.
async fn saying(line: impl Into<Vec<u8>>) -> u16 {
    let line: Arc<[u8]> = line.into().into();
    server(move |mut stream| {
        let line = Arc::clone(&line);
        async move {
            let _ = stream.write_all(&line).await;
        }
    })
    .await
}

async fn heard(line: impl Into<Vec<u8>>) -> (Outcome, Report) {
    let port = saying(line).await;
    told(&tools(Roots::Given(vec![])), Probe::Agent(AgentProbe::default()), port).await
}

fn weight(weight: f64) -> Report {
    Report { weight: Some(weight), ..Report::default() }
}

#[rstest]
#[case::up("up\n", Report::default())]
#[case::weight("up 75%\r\n", weight(0.75))]
#[case::more_than_all("150%\n", weight(1.0))]
#[case::drain("drain\n", weight(0.0))]
#[case::maint("maint # disks\n", Report { maintenance: true, ..Report::default() })]
#[case::load("ready,load:0.5,50%\n", Report { load: Some(0.5), ..weight(0.5) })]
#[case::no_end_of_line("up", Report::default())]
#[case::only_the_first_line("up\ndown\n", Report::default())]
#[tokio::test]
async fn what_passes(#[case] line: &str, #[case] report: Report) {
    assert_eq!(heard(line).await, (Outcome::Pass, report));
}

#[rstest]
#[case::down("down # no database\n", "down: no database")]
#[case::failed("FAILED\n", "failed")]
#[case::stopped("stopped#by hand\r\n", "stopped: by hand")]
#[case::empty("\n", "agent: it said nothing")]
#[case::nothing("", "agent: it said nothing")]
#[case::another_language(
    "HTTP/1.1 200 OK\r\n",
    "agent: it said \"HTTP/1.1 200 OK\", which is not understood"
)]
#[case::binary(
    vec![0xff, 0x1b, b'\n'],
    "agent: it said \"\u{fffd} \", which is not understood"
)]
#[case::too_long("x".repeat(1025), "agent: a line of more than 1024 bytes")]
#[case::endless("x".repeat(1_000_000), "agent: a line of more than 1024 bytes")]
#[tokio::test]
async fn what_fails(#[case] line: impl Into<Vec<u8>>, #[case] why: &str) {
    assert_eq!(heard(line).await.0, failed(why));
}

#[tokio::test]
async fn a_line_may_be_as_long_as_the_limit() {
    assert_eq!(heard(format!("up {}\n", "x".repeat(1021))).await.0, Outcome::Pass);
}

#[tokio::test]
async fn an_agent_that_wants_to_be_asked_is() {
    let port = server(|mut stream| async move {
        let mut asked = [0; 7];
        stream.read_exact(&mut asked).await.unwrap();
        let answer = if asked == *b"app-01\n" { "50%\n" } else { "down # who?\n" };
        stream.write_all(answer.as_bytes()).await.unwrap();
        hold(stream).await;
    })
    .await;
    let tools = tools(Roots::Given(vec![]));
    for (send, wanted) in [
        ("app-01\n", (Outcome::Pass, weight(0.5))),
        ("app-02\n", (failed("down: who?"), Report::default())),
    ] {
        let probe = Probe::Agent(AgentProbe { send: Some(send.into()) });
        assert_eq!(told(&tools, probe, port).await, wanted);
    }
}

#[rstest]
#[case::hangs("", "agent: timed out after 150 ms")]
#[case::half_a_line("up 50", "agent: timed out after 150 ms")]
#[tokio::test]
async fn hanging(#[case] start: &'static str, #[case] why: &str) {
    let port = server(move |mut stream| async move {
        let _ = stream.write_all(start.as_bytes()).await;
        hold(stream).await;
    })
    .await;
    let probe = Probe::Agent(AgentProbe::default());
    let (outcome, phases) = probe_port(probe, port, BRIEF).await;
    assert_eq!(outcome, failed(why));
    assert_eq!((phases.connect.is_some(), phases.first_byte.is_some()), (true, !start.is_empty()));
}
