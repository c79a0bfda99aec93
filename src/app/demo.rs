//! The demo: the configuration that ships with the program, in a directory of its own, beside the
//! regions that it speaks of. Everything else is what `serve` does.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::demo_regions::{self, DemoRegion};
use super::load::Loaded;

const CONFIG: &str = include_str!("../../config/demo.toml");
const ZONE: &str = include_str!("../../zones/demo.test.zone");

/// The demo's files and, once they run, its regions.
#[derive(Debug)]
pub struct Demo {
    dir: tempfile::TempDir,
    regions: Vec<DemoRegion>,
    stop: CancellationToken,
}

impl Demo {
    /// Writes configuration and zone into a directory that goes away with the demo.
    ///
    /// # Errors
    /// When the system's temporary directory cannot be written to.
    pub fn prepare() -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("trimtab-demo-").tempdir()?;
        for (name, text) in [("config/demo.toml", CONFIG), ("zones/demo.test.zone", ZONE)] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap_or(dir.path()))?;
            std::fs::write(path, text)?;
        }
        Ok(Self { dir, regions: Vec::new(), stop: CancellationToken::new() })
    }

    /// Where the configuration is; its state goes beside it.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.dir.path().join("config/demo.toml")
    }

    /// The regions that run, each with the address of its HTTP server.
    pub fn regions(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        self.regions.iter().map(|region| (region.name.as_str(), region.address))
    }

    /// Starts a real HTTP server for each region, on its address and its check's port.
    ///
    /// # Errors
    /// When a region's address cannot be listened on.
    pub async fn start_regions(&mut self, loaded: &Loaded) -> io::Result<()> {
        let assembly = &loaded.assembly;
        for region in &assembly.regions {
            let pool = &assembly.pools[region.pool.index()];
            let port = pool.checks.first().map_or(8080, |check| check.port);
            for &address in &pool.v4 {
                let address = SocketAddr::new(IpAddr::V4(address), port);
                let stop = self.stop.child_token();
                self.regions.push(demo_regions::spawn(address, &region.name, stop).await?);
            }
        }
        Ok(())
    }

    /// Ends the regions and removes the files.
    ///
    /// # Errors
    /// When the files cannot be removed.
    pub async fn finish(self) -> io::Result<()> {
        self.stop.cancel();
        for region in self.regions {
            // A region that panicked has ended as well.
            let _ = region.task.await;
        }
        self.dir.close()
    }
}
