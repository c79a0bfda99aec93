//! The reference scenario: a region dies and comes back, with the default thresholds and a ramp.

use std::path::Path;

use super::night::{Look, Night, Saw, number, share, table, well};
use super::picture;

/// The region dies at 15 s, and is back at 135 s.
pub(crate) const DIES: f64 = 15.0;
pub(crate) const BACK: f64 = 135.0;
const END: u64 = 240;

const CONFIGURATION: &str = r#"
version = 1
[zones.test]
nameservers = { "ns.example.net" = [] }
[checks.web]
type = "http"
interval = "10s"
timeout = "2s"
fall = 3
rise = 2
[regions.us-east]
addresses = ["192.0.2.10"]
weight = 60
check = "web"
ramp = "60s"
[regions.eu-west]
addresses = ["192.0.2.11"]
weight = 40
check = "web"
[[records]]
name = "app.test"
policy = "weighted"
ttl = 60
ttl_min = 10
"#;

async fn looks() -> Vec<Look> {
    let mut night = Night::begin("reference", CONFIGURATION, |target, secs| {
        match (number(target), (DIES..BACK).contains(&secs)) {
            (Some(0), true) => Saw::Nothing,
            _ => well(),
        }
    });
    night.until(0, END).await
}

#[tokio::test(start_paused = true)]
async fn a_region_dies_and_comes_back() {
    let looks = looks().await;
    insta::assert_snapshot!("reference", table(&looks));
    // Detection: at most fall × interval + timeout after its death.
    let out = looks.iter().find(|look| share(look, "us-east") == 0.0).unwrap();
    assert!(out.secs as f64 <= DIES + 32.0, "{}", out.secs);
    // Cut-over of clients: an answer given before that is gone by then.
    for look in looks.iter().filter(|look| (look.secs as f64) < DIES + 32.0) {
        let gone = look.secs as f64 + f64::from(look.ttl);
        let gives = share(look, "us-east") > 0.0 && look.secs as f64 >= DIES;
        assert!(!gives || gone <= DIES + 72.0 + 1.0, "{look:?}");
    }
    // It grows to its full share within a minute of its return, and never shrinks meanwhile.
    let back = looks.iter().skip_while(|look| share(look, "us-east") > 0.0);
    let back: Vec<f64> = back.map(|look| share(look, "us-east")).collect();
    assert!(back.windows(2).all(|pair| pair[0] <= pair[1]), "{back:?}");
    assert_eq!(back.last(), Some(&0.6));
}

/// The picture of the documentation is that of this program.
#[tokio::test(start_paused = true)]
async fn the_picture_is_up_to_date() {
    let drawn = picture::draw(&looks().await, "us-east", DIES, BACK);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recovery.svg");
    let shown = std::fs::read_to_string(path).unwrap_or_default();
    assert!(shown == drawn, "docs/recovery.svg is not what is drawn now: run `just timelines`");
}

/// Second by second, and the picture anew.
#[tokio::test(start_paused = true)]
#[ignore = "it draws docs/recovery.svg anew: see `just timelines`"]
async fn draw() {
    let looks = looks().await;
    println!("    s  state      share  ttl");
    for look in &looks {
        let region = &look.regions[0];
        let word = format!("{:?}", region.health);
        println!("{:>5}  {word:<9} {:>5.1} %  {:>3}", look.secs, region.share * 100.0, look.ttl);
    }
    let drawn = picture::draw(&looks, "us-east", DIES, BACK);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recovery.svg");
    std::fs::write(path, drawn).unwrap();
}
