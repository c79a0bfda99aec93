//! `trimtab demo`: what to try, and what each should show.

use std::io::{Write, stdout};
use std::net::SocketAddr;

use super::{Failure, serve};
use crate::app::{Demo, Manager, Server};

pub(super) fn run() -> Result<(), Failure> {
    let mut demo = Demo::prepare()?;
    let (loaded, metrics) = serve::prepare(&demo.config())?;
    serve::run_to_end(async {
        demo.start_regions(&loaded).await?;
        let server = serve::start(demo.config(), loaded, metrics, Manager::default())?;
        let done = server.run(|server| print(&text(server, &demo))).await;
        demo.finish().await?;
        Ok(done?)
    })
}

/// Standard output may be closed: the demo runs all the same.
fn print(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
    let _ = stdout().flush();
}

fn text(server: &Server, demo: &Demo) -> String {
    let dns = server.dns_addresses().first().copied();
    let admin = server.admin_addresses().first().copied();
    let unset = SocketAddr::from(([127, 0, 0, 1], 0));
    let (dns, admin) = (dns.unwrap_or(unset), admin.unwrap_or(unset));
    let regions: Vec<String> =
        demo.regions().map(|(name, at)| format!("{name} http://{at}")).collect();
    let regions = regions.join(", ");
    let program = std::env::args_os().next().unwrap_or_else(|| "trimtab".into());
    let (program, config) = (program.display(), demo.config());
    let config = config.display();
    let dig = format!("dig @{} -p {} +short", dns.ip(), dns.port());
    format!(
        "\
Serving demo.test on {dns}, metrics on http://{admin}/metrics
Regions, real HTTP servers: {regions}

Try, in another shell:
  {dig} app.demo.test        by weight: .1 six times in ten, .2 three, .3 once
  {dig} failover.demo.test   the first that is up: 127.0.1.2
  {dig} tiers.demo.test      127.0.1.1 or 127.0.1.2; 127.0.1.3 when both are down
  {dig} canary.demo.test     127.0.1.1, one time in twenty 127.0.1.2
  {dig} region.demo.test     one region: 127.0.1.1, or nothing while it is down
  {dig} pinned.demo.test     a record with endpoints of its own: .2 or .3
  {dig} www.demo.test        a CNAME of the zone file, then app's draw
  {dig} many.demo.test       two of those that are up, in one answer

As a client in Germany, California or Japan, whom 192.0.2.0/24, 198.51.100.0/24 and 203.0.113.0/24
stand for here:
  {dig} +subnet=192.0.2.0/24 geo.demo.test          by continent, country, subdivision: 127.0.1.2
  {dig} +subnet=198.51.100.0/24 latency.demo.test   the nearest region: 127.0.1.1
  {dig} +subnet=203.0.113.0/24 near.demo.test       the same, with a bias: 127.0.1.3
  {dig} +subnet=8.8.8.0/24 sticky.demo.test         by weight, but always the same for this /24
and why:
  {program} resolve geo.demo.test --config {config} --from 192.0.2.0/24

  curl -X POST http://127.0.1.2:8080/break   within 3.5 s failover answers 127.0.1.1,
                                             and app no longer answers 127.0.1.2
  curl -X POST http://127.0.1.2:8080/mend    about 2 s later they are back
  curl -s http://{admin}/metrics | grep trimtab_region_up

  {program} status                                   regions, health, shares, and what is forced
  {program} drain us-east --record app.demo.test     app no longer answers 127.0.1.1
  {program} undrain us-east --record app.demo.test   and it does again
  {program} simulate                                 would the others bear it if one died?
  {program} watch                                    all of it as it is now, until Ctrl-C

Ctrl-C ends it.
"
    )
}
