//! Multivalue: several addresses in one answer, of several regions, all of them healthy.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::harness::{Kind, Mode, Question, Server, Site, targets, until};

/// Answers looked at: one of six windows is missing among them but once in 10^23 times.
const ANSWERS: usize = 300;

/// All runs of `len` addresses of a ring.
fn windows(ring: &[IpAddr], len: usize) -> BTreeSet<Vec<IpAddr>> {
    let window = |at| ring.iter().cycle().skip(at).take(len.min(ring.len())).copied().collect();
    (0..ring.len()).map(window).collect()
}

/// Answers with how often each came.
fn answers(server: &Server, name: &str) -> BTreeMap<Vec<IpAddr>, usize> {
    let (mut client, mut seen) = (server.client(), BTreeMap::new());
    for _ in 0..ANSWERS {
        *seen.entry(client.ask(&Question::a(name)).addresses()).or_default() += 1;
    }
    seen
}

#[test]
fn answers_are_runs_of_the_healthy_ones_with_regions_interleaved() {
    let (port, targets) = targets::<6>(Kind::Http);
    let ips: Vec<IpAddr> = targets.iter().map(|target| target.ip()).collect();
    let list =
        |ips: &[IpAddr]| format!("{:?}", ips.iter().map(ToString::to_string).collect::<Vec<_>>());
    // Three addresses in region a, two in b, one in c.
    let regions = [("a", &ips[..3]), ("b", &ips[3..5]), ("c", &ips[5..])];
    let mut body = format!(
        "[checks.web]\ntype = \"http\"\nport = {port}\npath = \"/healthz\"\n\
         interval = \"200ms\"\ntimeout = \"180ms\"\nfall = 2\nrise = 2\n"
    );
    for (name, ips) in regions {
        body += &format!("[regions.{name}]\naddresses = {}\ncheck = \"web\"\n", list(ips));
    }
    body += "[policies.four]\ntype = \"multivalue\"\nto = [\"a\", \"b\", \"c\"]\nmax_answers = 4\n\
             [[records]]\nname = \"four.site.test\"\npolicy = \"four\"\n\
             [[records]]\nname = \"all.site.test\"\npolicy = \"multivalue\"\n\
             [[records]]\nname = \"two.site.test\"\npolicy = \"multivalue\"\nmax_answers = 2\n";
    let server = Site::new(&body).serve();

    // Which targets are down, and the ring of those that are left.
    let steps: [(&[usize], &[usize]); 5] = [
        (&[], &[0, 3, 5, 1, 4, 2]),
        (&[1], &[0, 3, 5, 2, 4]),
        (&[3, 4], &[0, 5, 1, 2]),
        (&[0, 1, 2, 5], &[3, 4]),
        // All down: as if all were up.
        (&[0, 1, 2, 3, 4, 5], &[0, 3, 5, 1, 4, 2]),
    ];
    for (down, left) in steps {
        for (at, target) in targets.iter().enumerate() {
            target.set(if down.contains(&at) { Mode::Refuse } else { Mode::Ok });
        }
        for (at, ip) in ips.iter().enumerate() {
            let region =
                regions.iter().find(|(_, ips)| ips.contains(ip)).map_or("", |(name, _)| name);
            let up = f64::from(u8::from(!down.contains(&at)));
            let series =
                format!(r#"trimtab_check_up{{region="{region}",check="web",address="{ip}"}}"#);
            server.metric_becomes(&series, up);
        }
        let ring: Vec<IpAddr> = left.iter().map(|&at| ips[at]).collect();
        for (name, most) in [("four.site.test", 4), ("all.site.test", 8), ("two.site.test", 2)] {
            let wanted = windows(&ring, most);
            until(&format!("{name} is answered by {left:?}"), || {
                answers(&server, name).into_keys().eq(wanted.iter().cloned()).then_some(())
            });
            let before = server.metrics();
            let seen = answers(&server, name);
            assert!(seen.keys().eq(&wanted), "{name} without {down:?}: {seen:?}");
            // Each region counts once for an answer, however many addresses it gives.
            let growth = server.metrics().growth(&before, "trimtab_dns_answers_total");
            let counted = regions.iter().filter_map(|(name, of)| {
                let with = seen.iter().filter(|(ips, _)| ips.iter().any(|ip| of.contains(ip)));
                let count: usize = with.map(|(_, count)| count).sum();
                let series = format!("trimtab_dns_answers_total{{region=\"{name}\"}}");
                (count > 0).then_some((series, count as f64))
            });
            assert_eq!(growth, counted.collect::<Vec<_>>(), "{name} without {down:?}");
        }
    }
}
