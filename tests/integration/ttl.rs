//! The two TTLs: calm, and in doubt (docs/health-and-routing.md).

use hickory_proto::rr::RecordType;

use crate::harness::{Kind, Mode, Site, quick, targets, until};

#[test]
fn while_failures_are_counted_the_ttl_is_the_time_to_the_earliest_change() {
    let (port, targets) = targets::<1>(Kind::Http);
    let check = quick(Kind::Http, port, &targets)
        .replace("interval = \"200ms\"", "interval = \"1s\"")
        .replace("fall = 2", "fall = 20");
    let body = format!(
        "{check}[[records]]\nname = \"app.site.test\"\npolicy = \"a\"\nttl = 300\nttl_min = 3\n\
         [[records]]\nname = \"careful.site.test\"\npolicy = \"a\"\nttl = 300\nttl_min = 200\n\
         [[records]]\nname = \"short.site.test\"\npolicy = \"a\"\nttl = 5\nttl_min = 1\n"
    );
    let server = Site::new(&body).serve();
    let ttl = |name: &str| server.ask(&format!("{name}.site.test"), RecordType::A).ttl();
    assert_eq!([ttl("app"), ttl("careful"), ttl("short")], [300, 300, 5]);

    targets[0].set(Mode::Status(500));
    let doubtful = until("the TTL shows the doubt", || Some(ttl("app")).filter(|ttl| *ttl < 300));
    assert!((10..=19).contains(&doubtful), "1 s × (20 − failures): {doubtful}");
    assert_eq!(ttl("careful"), 200, "never below ttl_min");
    assert_eq!(ttl("short"), 5, "never above ttl");
    until("the TTL sinks as failures are counted", || (ttl("app") < doubtful).then_some(()));

    targets[0].set(Mode::Ok);
    until("one success ends the doubt", || (ttl("app") == 300).then_some(()));
    assert_eq!([ttl("careful"), ttl("short")], [300, 5]);
    assert_eq!(server.log.count("went from up to down"), 0);
}
