//! A night at a small site, as a server would tell of it.

use crate::control::command::{Done, OverrideKind};
use crate::control::views::{
    AliasView, ChecksInNumbers, EventKind, EventView, HealthWord, OverrideView, RecordFamily,
    RecordView, RegionChange, RegionFamily, RegionShare, RegionView, Risk, Share, ShareChange,
    Status, Turn,
};

/// The same share for all clients.
pub(in crate::cli) fn of(part: f64) -> Share {
    Share { least: part, most: part }
}

/// A region that is up, with one address of each family.
pub(in crate::cli) fn region(name: &str, weight: u16, share: f64) -> RegionView {
    let family = |family: &str| RegionFamily {
        family: family.into(),
        factor: 1.0,
        held: None,
        up: 1,
        addresses: 1,
    };
    RegionView {
        name: name.into(),
        health: HealthWord::Up,
        reason: None,
        recent: None,
        since_secs: Some(273_600.0),
        families: vec![family("ipv4"), family("ipv6")],
        weight,
        weight_override: None,
        forced: None,
        drained: 0.0,
        shifted: None,
        share: Some(of(share)),
        records: 2,
        rtt_ms: None,
        capacity: None,
    }
}

/// A drain of us-east that is done.
pub(in crate::cli) fn drain() -> OverrideView {
    OverrideView {
        id: 7,
        kind: OverrideKind::Drain,
        region: "us-east".into(),
        record: None,
        weight: None,
        to: None,
        drained: Some(1.0),
        drains_to: Some(1.0),
        done_in_secs: None,
        actor: "alice@ops".into(),
        reason: Some("kernel upgrade".into()),
        since: "2026-11-30T04:00:00Z".into(),
        until: Some("2026-11-30T04:30:00Z".into()),
        ends_in_secs: Some(1500.0),
        dangling: false,
    }
}

/// A weight in one record.
pub(in crate::cli) fn weight() -> OverrideView {
    OverrideView {
        id: 12,
        kind: OverrideKind::Weight,
        record: Some("app.example.com".into()),
        region: "ap-south".into(),
        weight: Some(50),
        drained: None,
        drains_to: None,
        actor: "bob@ops".into(),
        reason: None,
        until: None,
        ends_in_secs: None,
        ..drain()
    }
}

/// A record with shares of us-east, eu-west and ap-south, over IPv4.
pub(in crate::cli) fn record(name: &str, risk: Option<Risk>, shares: [f64; 3]) -> RecordView {
    let share = |(region, part): (&str, f64)| RegionShare {
        region: region.into(),
        share: of(part),
        forced: None,
        drained: 0.0,
        shifted: None,
        weight_override: None,
    };
    let family = RecordFamily {
        family: "ipv4".into(),
        reason: if risk == Some(Risk::AllDown) { "open" } else { "available" }.into(),
        all_down: risk == Some(Risk::AllDown),
        classes: 1,
        pools_up: shares.iter().filter(|share| **share > 0.0).count(),
        pools: 3,
        ttl: [10, 60],
        shares: ["us-east", "eu-west", "ap-south"].into_iter().zip(shares).map(share).collect(),
    };
    RecordView {
        name: name.into(),
        policy: "main".into(),
        ttl: 60,
        ttl_min: 10,
        risk,
        families: vec![family],
        endpoints: Vec::new(),
    }
}

/// All is well.
pub(in crate::cli) fn calm() -> Status {
    Status {
        version: "0.1.0".into(),
        time: "2026-11-30T04:05:12Z".into(),
        uptime_secs: 273_612.0,
        generation: 127,
        regions: vec![region("us-east", 70, 0.7), region("eu-west", 30, 0.3)],
        plans: Vec::new(),
        overrides: Vec::new(),
        records: 2,
        records_at_risk: 0,
        at_risk: Vec::new(),
        all_records: vec![
            record("app.example.com", None, [0.7, 0.3, 0.0]),
            record("api.example.com", None, [0.5, 0.25, 0.25]),
        ],
        checks: ChecksInNumbers {
            targets: 4,
            up: 4,
            down: 0,
            unknown: 0,
            abstaining: 0,
            oldest_secs: Some(3.6),
        },
        cut_off_secs: None,
        certificates: Vec::new(),
        aliases: Vec::new(),
    }
}

/// Much is not.
pub(in crate::cli) fn night() -> Status {
    let mut us_east = region("us-east", 70, 0.0);
    (us_east.forced, us_east.drained) = (Some(OverrideKind::Drain), 0.35);
    us_east.share = Some(Share { least: 0.3, most: 0.65 });
    let mut eu_west = region("eu-west", 30, 0.0);
    (eu_west.health, eu_west.since_secs) = (HealthWord::Down, Some(130.0));
    eu_west.reason = Some("web: HTTP 503, wanted 200-299 (3 failures in a row)".into());
    eu_west.families.iter_mut().for_each(|family| (family.factor, family.up) = (0.0, 0));
    let mut ap_south = region("ap-south", 100, 0.7);
    (ap_south.health, ap_south.since_secs) = (HealthWord::InDoubt, Some(5.0));
    ap_south.weight_override = Some(50);
    ap_south.reason = Some("web: no answer within 2 s (1 failure)".into());
    (ap_south.families[0].up, ap_south.families[0].addresses) = (1, 2);
    ap_south.share = Some(Share { least: 0.35, most: 1.0 });
    let mut moving = drain();
    (moving.drained, moving.done_in_secs) = (Some(0.35), Some(390.0));
    Status {
        regions: vec![us_east, eu_west, ap_south],
        overrides: vec![moving, weight()],
        records: 14,
        records_at_risk: 3,
        at_risk: vec![
            record("legacy.example.com", Some(Risk::AllDown), [0.0, 0.5, 0.5]),
            record("app.example.com", Some(Risk::LastPool), [0.0, 0.0, 1.0]),
            record("api.example.com", Some(Risk::InDoubt), [0.3, 0.0, 0.7]),
        ],
        all_records: Vec::new(),
        checks: ChecksInNumbers {
            targets: 6,
            up: 3,
            down: 2,
            unknown: 1,
            abstaining: 0,
            oldest_secs: Some(4.0),
        },
        ..calm()
    }
}

/// One name of which the last addresses are served, and one of which nothing is known.
pub(in crate::cli) fn aliases() -> Vec<AliasView> {
    vec![
        AliasView {
            name: "lb-eu.example.net".into(),
            ipv4: vec!["198.51.100.20".into(), "198.51.100.21".into()],
            ipv6: Vec::new(),
            ttl: Some(60),
            found_secs: Some(905.0),
            trouble: Some("SERVFAIL".into()),
        },
        AliasView {
            name: "lb-ap.example.net".into(),
            ipv4: Vec::new(),
            ipv6: Vec::new(),
            ttl: None,
            found_secs: None,
            trouble: Some("NXDOMAIN: there is no such name".into()),
        },
    ]
}

/// What a drain of us-east came to.
pub(in crate::cli) fn done() -> Done {
    let change = |record: &str, family: &str, before: f64| ShareChange {
        record: record.into(),
        family: family.into(),
        regions: vec![
            RegionChange { region: "us-east".into(), before: of(before), after: of(0.0) },
            RegionChange { region: "eu-west".into(), before: of(1.0 - before), after: of(1.0) },
        ],
    };
    Done {
        generation: 128,
        dry_run: false,
        repeated: false,
        overrides: vec![drain()],
        plan: None,
        changes: vec![
            change("app.example.com", "ipv4", 0.7),
            change("app.example.com", "ipv6", 0.7),
            change("api.example.com", "ipv4", 0.0),
        ],
        records_changed: 14,
        warnings: vec!["eu-west will be the last pool of 2 records".into()],
    }
}

/// A region that went down.
pub(in crate::cli) fn event() -> EventView {
    EventView {
        id: 41,
        time: "2026-11-30T04:03:02.500Z".into(),
        kind: EventKind::Transition,
        text: "eu-west went from up to down: web: HTTP 503, wanted 200-299".into(),
        turn: Turn::Worse,
        subject: Some("198.51.100.20: web".into()),
        region: Some("eu-west".into()),
        record: None,
        actor: None,
        from: None,
        reason: Some("web: HTTP 503, wanted 200-299".into()),
        override_id: None,
        plan_id: None,
        lasted_secs: Some(7260.0),
        changes: done().changes,
        records_changed: 2,
        generation: 126,
    }
}
