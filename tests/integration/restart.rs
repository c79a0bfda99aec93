//! Health survives a restart.

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use hickory_proto::rr::RecordType::A;
use trimtab::clock::now;

use crate::harness::{Kind, Mode, Question, Site, Stream, Target, quick, serve_and_fail, targets};

const NAME: &str = "app.site.test";

/// Two regions, probed once a minute at a time-out of 30 s: no probe settles within a test.
fn slow(port: u16, targets: &[Target]) -> Site {
    let check = quick(Kind::Http, port, targets)
        .replace("interval = \"200ms\"", "interval = \"60s\"")
        .replace("timeout = \"180ms\"", "timeout = \"30s\"");
    Site::new(&format!("{check}[[records]]\nname = {NAME:?}\npolicy = \"weighted\"\n"))
}

#[test]
fn a_region_that_was_down_is_not_answered_after_a_restart_and_answers_come_at_once() {
    let (port, targets) = targets::<2>(Kind::Http);
    let [a, b]: [IpAddr; 2] = [targets[0].ip(), targets[1].ip()];
    let site = slow(port, &targets);
    targets[0].set(Mode::Refuse);
    let server = site.serve();
    server.settles_on(NAME, &[b]);
    assert!(server.stop().success());

    // From here on nobody can learn anything.
    targets.iter().for_each(|target| target.set(Mode::Hang));
    let start = now();
    let server = site.serve();
    let first = server.ask(NAME, A);
    assert!(now() - start < Duration::from_secs(5), "answers wait for no probe");
    assert_eq!(first.addresses(), [b]);
    let stream = Stream::start(server.v4, vec![Question::a(NAME)], move |reply| {
        assert_eq!(reply.addresses(), [b], "{a} was down");
    });
    stream.wait_for(1000);
    stream.finish();
    let metrics = server.metrics();
    assert_eq!(metrics.value(r#"trimtab_region_up{region="a",family="ipv4"}"#), 0.0);
    for (region, result) in [("a", "pass"), ("a", "fail"), ("b", "pass"), ("b", "fail")] {
        let series = format!(
            r#"trimtab_check_results_total{{region="{region}",check="web",result="{result}"}}"#
        );
        assert_eq!(metrics.find(&series).unwrap_or_default(), 0.0, "no probe has settled");
    }
}

#[test]
fn a_region_that_was_down_comes_back_after_a_restart() {
    let (port, targets) = targets::<2>(Kind::Http);
    let body = quick(Kind::Http, port, &targets);
    let site = Site::new(&format!(
        "{body}[[records]]\nname = {NAME:?}\npolicy = \"a\"\non_all_down = \"closed\"\n"
    ));
    targets[0].set(Mode::Refuse);
    let server = site.serve();
    server.metric_becomes(r#"trimtab_region_up{region="a",family="ipv4"}"#, 0.0);
    assert!(server.stop().success());
    targets[0].set(Mode::Ok);
    let server = site.serve();
    server.settles_on(NAME, &[targets[0].ip()]);
}

#[test]
fn a_damaged_state_file_is_set_aside_and_reported() {
    let (port, targets) = targets::<2>(Kind::Http);
    let site = slow(port, &targets);
    targets[0].set(Mode::Refuse);
    let server = site.serve();
    server.settles_on(NAME, &[targets[1].ip()]);
    assert!(server.stop().success());

    let files: Vec<_> = site
        .list("state")
        .into_iter()
        .filter(|path| fs::metadata(path).unwrap().len() > 0)
        .collect();
    let [file] = &files[..] else { panic!("one file of state: {files:?}") };
    let damage = vec![b'x'; 5000];
    fs::write(file, &damage).unwrap();
    let server = site.serve();
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let told = server.log.wait_for(&name);
    assert!(told.contains("put aside"), "{told}");
    let aside = site.list("state").into_iter().filter(|path| path != file);
    let kept = aside.filter(|path| fs::read(path).is_ok_and(|found| found == damage)).count();
    assert_eq!(
        kept,
        1,
        "what was damaged is kept for those who want to look: {:?}",
        site.list("state")
    );
    assert_eq!(server.ask(NAME, A).addresses().len(), 1, "it serves");

    // And what it learns is stored again.
    server.settles_on(NAME, &[targets[1].ip()]);
    assert!(server.stop().success());
    targets.iter().for_each(|target| target.set(Mode::Hang));
    let server = site.serve();
    server.settles_on(NAME, &[targets[1].ip()]);
    assert_eq!(server.log.count("put aside"), 0);
}

#[test]
fn one_process_a_state_directory() {
    let site = Site::new("");
    let server = site.serve();
    let ended = serve_and_fail(&site.config());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let line = ended.sentence();
    assert!(line.contains(site.path("state").to_str().unwrap()), "which directory: {line}");
    assert!(line.contains("used by another process"), "{line}");
    assert_eq!(server.ask("ns1.site.test", A).addresses().len(), 1, "the first goes on");
}
