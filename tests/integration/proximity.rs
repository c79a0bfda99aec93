//! Geoproximity: the nearest region as distances with a bias say, and what all policies by distance
//! have in common.

use crate::harness::{Kind, PLACES, Site, goes_to, records, regions, set_down, targets, watched};

#[test]
fn a_bias_moves_the_border() {
    let (port, targets) = targets::<4>(Kind::Http);
    // From Munich it is 302 km to Frankfurt and 916 to London; from the German network 144 and 665.
    let policies = records(&[
        ("plain", "type = \"geoproximity\""),
        ("nearer", "type = \"geoproximity\"\nbias = { b = 70 }"),
        ("farther", "type = \"geoproximity\"\nbias = { a = -70 }"),
        ("hardly", "type = \"geoproximity\"\nbias = { a = -50 }"),
        ("wide", "type = \"geoproximity\"\ntolerance = 550"),
    ]);
    let server = Site::of_world("", &(watched(port, &targets, &PLACES) + &policies)).serve();
    let (munich, germany) = ("2.16.9.0/25", "2.17.0.0/16");
    let steps = [
        // 916 × 0.3 = 275; 665 × 0.3 = 200.
        ("", "nearer", munich, "b"),
        ("", "nearer", germany, "a"),
        // 302 ÷ 0.3 = 1007; 144 ÷ 0.3 = 480.
        ("", "farther", munich, "b"),
        ("", "farther", germany, "a"),
        // 302 ÷ 0.5 = 604.
        ("", "hardly", munich, "a"),
        ("", "plain", munich, "a"),
        ("", "wide", munich, "a"),
        ("", "wide", germany, "ab"),
        ("", "plain", "60.0.0.0/24", "abcd"),
        ("b", "nearer", munich, "a"),
        ("b", "wide", germany, "a"),
        ("b", "plain", "8.8.4.0/24", "c"),
        ("ab", "nearer", munich, "c"),
        ("ab", "plain", "126.1.0.0/24", "d"),
    ];
    let mut before = "";
    for (down, name, client, wanted) in steps {
        if down != before {
            set_down(&server, &targets, down);
            before = down;
        }
        println!("{name} for {client} while {down:?} is down");
        goes_to(&server, &format!("{name}.site.test"), client, wanted);
    }
}

/// Over every region; without checks, so that nothing but distances can say who is near.
#[test]
fn the_short_forms_take_every_region_and_share_by_weight_when_nothing_is_known() {
    let record = |name| format!("[[records]]\nname = \"{name}.site.test\"\npolicy = \"{name}\"\n");
    let body = regions(&PLACES) + &record("latency") + &record("geoproximity");
    let server = Site::of_world("", &body).serve();
    for (client, wanted) in [("2.16.8.0/24", "ab"), ("8.8.4.0/24", "c"), ("126.1.0.0/16", "d")] {
        goes_to(&server, "latency.site.test", client, wanted);
        goes_to(&server, "geoproximity.site.test", client, &wanted[..1]);
    }
    for name in ["latency", "geoproximity"] {
        goes_to(&server, &format!("{name}.site.test"), "60.0.0.0/24", "abcd");
    }
}
