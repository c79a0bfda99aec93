//! push checks on paused time: reports, silence, and reloads.

use tokio::sync::mpsc;

use super::*;
use crate::clock;
use crate::health::Observation;
use crate::model::PushProbe;
use crate::probe::{Reports, Said, Standing};

const DEADLINE: Duration = Duration::from_secs(30);

fn target(region: &str, deadline: Duration) -> Arc<Target> {
    let mut target = target_at(Destination::Region(region.into()), 0);
    let probe = Probe::Push(PushProbe { deadline, token_file: "push.token".into() });
    Arc::make_mut(&mut target.check).probe = probe;
    Arc::new(target)
}

fn listening(
    reports: &Arc<Reports>,
    target: &Arc<Target>,
) -> (tokio::task::AbortHandle, mpsc::Receiver<Observation>) {
    let (observations, seen) = mpsc::channel(16);
    let run = crate::probe::push::run(Arc::clone(reports), observations, Arc::clone(target));
    (tokio::spawn(run).abort_handle(), seen)
}

fn status(status: Standing) -> Said {
    Said { status, ..Said::default() }
}

#[tokio::test(start_paused = true)]
async fn a_report_is_seen_at_once_and_silence_after_the_deadline() {
    let (reports, target) = (Arc::new(Reports::default()), target("us-east", DEADLINE));
    reports.keep(&[Arc::clone(&target)]);
    let (_task, mut seen) = listening(&reports, &target);
    let start = clock::now();
    // From the start, and once more after each further deadline.
    for times in 1..=2 {
        let silent = seen.recv().await.unwrap();
        assert_eq!(silent.outcome, failed(&format!("no report for {} s", 30 * times)));
        assert_eq!((silent.at - start, silent.gap), (DEADLINE * times, DEADLINE));
    }
    assert!(reports.hear("web", "us-east", status(Standing::Pass)));
    let well = seen.recv().await.unwrap();
    assert_eq!((well.outcome, well.at - start), (Outcome::Pass, DEADLINE * 2));
    // The deadline runs from each report anew.
    for _ in 0..5 {
        tokio::time::sleep(DEADLINE - Duration::from_secs(1)).await;
        reports.hear("web", "us-east", status(Standing::Pass));
        assert_eq!(seen.recv().await.unwrap().outcome, Outcome::Pass);
    }
    assert_eq!(seen.recv().await.unwrap().outcome, failed("no report for 30 s"));
}

#[tokio::test(start_paused = true)]
async fn what_is_said_is_told() {
    let (reports, target) = (Arc::new(Reports::default()), target("us-east", DEADLINE));
    reports.keep(&[Arc::clone(&target)]);
    let (_task, mut seen) = listening(&reports, &target);
    let reason = Some("disk\nfull".to_owned());
    let said = Said { status: Standing::Warn, reason, weight: Some(0.75), load: Some(0.4) };
    reports.hear("web", "us-east", said.clone());
    let warned = seen.recv().await.unwrap();
    assert_eq!(warned.outcome, Outcome::Pass);
    assert_eq!(warned.report.degraded.as_deref(), Some("disk full"));
    assert_eq!((warned.report.weight, warned.report.load), (Some(0.75), Some(0.4)));
    reports.hear("web", "us-east", Said { status: Standing::Fail, ..said });
    assert_eq!(seen.recv().await.unwrap().outcome, failed("disk full"));
    reports.hear("web", "us-east", status(Standing::Fail));
    assert_eq!(seen.recv().await.unwrap().outcome, failed("status fail"));
    reports.hear("web", "us-east", status(Standing::Warn));
    let warned = seen.recv().await.unwrap();
    assert_eq!(warned.report.degraded.as_deref(), Some("status warn"));
}

#[tokio::test(start_paused = true)]
async fn only_what_is_configured_has_a_place() {
    let reports = Arc::new(Reports::default());
    let (east, west) = (target("us-east", DEADLINE), target("us-west", DEADLINE));
    let other = Arc::new(target_at(Destination::Region("eu".into()), 80));
    reports.keep(&[Arc::clone(&east), other]);
    assert!(reports.knows("web", "us-east"));
    for (check, region) in [("web", "us-west"), ("web", "eu"), ("api", "us-east"), ("", "")] {
        assert!(!reports.knows(check, region));
        assert!(!reports.hear(check, region, Said::default()));
    }
    let (_task, mut seen) = listening(&reports, &east);
    reports.keep(&[west]);
    assert!(!reports.hear("web", "us-east", Said::default()));
    assert_eq!(seen.recv().await, None, "its task ends");
}

#[tokio::test(start_paused = true)]
async fn a_reload_forgets_nothing_that_still_holds() {
    let (reports, before) = (Arc::new(Reports::default()), target("us-east", DEADLINE));
    reports.keep(&[Arc::clone(&before)]);
    let (task, mut seen) = listening(&reports, &before);
    reports.hear("web", "us-east", status(Standing::Fail));
    assert_eq!(seen.recv().await.unwrap().outcome, failed("status fail"));
    let said = clock::now();
    tokio::time::sleep(Duration::from_secs(20)).await;
    task.abort();
    let after = target("us-east", Duration::from_secs(60));
    reports.keep(&[Arc::clone(&after)]);
    let (task, mut seen) = listening(&reports, &after);
    let again = seen.recv().await.unwrap();
    assert_eq!((again.outcome, again.at), (failed("status fail"), said));
    let silent = seen.recv().await.unwrap();
    assert_eq!(silent.outcome, failed("no report for 60 s"));
    assert_eq!(silent.at - said, Duration::from_secs(60));
    // What is older than the deadline does not hold any more.
    task.abort();
    let (_task, mut seen) = listening(&reports, &after);
    let start = clock::now();
    let silent = seen.recv().await.unwrap();
    assert_eq!(
        (silent.outcome, silent.at - start),
        (failed("no report for 60 s"), Duration::from_secs(60))
    );
}

#[tokio::test(start_paused = true)]
async fn waiting_for_reports_takes_no_probes_place() {
    let quiet = (0..50).map(|n| {
        let mut target = Target::clone(&target(&format!("r{n}"), Duration::from_secs(3600)));
        target.id = TargetId(n);
        Arc::new(target)
    });
    let mut probed = target_at(Destination::Address([192, 0, 2, 1].into()), 80);
    probed.id = TargetId(99);
    let all: Vec<_> = quiet.chain([Arc::new(probed)]).collect();
    let (_list, targets) = watch::channel(Arc::<[Arc<Target>]>::from(all));
    let (observations, mut seen) = mpsc::channel(16);
    let limits = Limits { concurrency: Some(1), ..Limits::default() };
    let settings = crate::probe::Settings { limits, ..Default::default() };
    let reports = Arc::clone(&settings.reports);
    let stop = tokio_util::sync::CancellationToken::new();
    let pass = async |_| Verdict::Seen(Outcome::Pass, Default::default(), Phases::default());
    let prober =
        crate::probe::Prober::spawn_with(pass, targets, observations, settings, stop.clone());
    let first = seen.recv().await.unwrap();
    assert_eq!((first.target, first.outcome), (TargetId(99), Outcome::Pass));
    assert!(reports.hear("web", "r7", status(Standing::Fail)));
    let heard = seen.recv().await.unwrap();
    assert_eq!((heard.target, heard.outcome), (TargetId(7), failed("status fail")));
    stop.cancel();
    prober.stopped().await;
}
