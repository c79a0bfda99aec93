//! Databases and the latency table read again when one of their files is replaced: beside the old
//! ones, which stay in force unless all is well with the new. Nothing else is read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::background::in_background;
use super::clients::Clients;
use super::reload::Reloader;
use super::watch::Files;
use crate::config::Config;
use crate::control::Origin;
use crate::problem::{Problems, Severity};
use crate::routing::Assembly;

/// What the files came to.
struct Fresh {
    assembly: Arc<Assembly>,
    built: Vec<(PathBuf, u64)>,
    warnings: Problems,
}

/// What became of files that were found to be replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refreshed {
    /// They are in force.
    InForce,
    /// They are broken: what was in force stays, until they change again.
    Broken,
    /// They changed while they were read: they will be found again.
    Unfinished,
    /// Nobody publishes any more.
    Lost,
}

impl Reloader {
    /// Waits until a file of those in force is replaced.
    pub(super) async fn replaced(&mut self) -> Files {
        self.watch.replaced().await
    }

    /// Reads the files that were found again, and hands what they come to to the writer.
    pub(super) async fn refresh(&mut self, found: Files) -> Refreshed {
        let (config, assembly) = (Arc::clone(&self.config), Arc::clone(&self.assembly));
        let reading = found.clone();
        let opening = move || (open(&config, &assembly), reading.are_the_same());
        // Reading files and building tables would hold up the tasks of this thread.
        let opened = in_background(opening).await;
        if let Ok((_, false)) = opened {
            tracing::debug!("a file about clients changed while it was read; waiting");
            return Refreshed::Unfinished;
        }
        let before = self.watch.has_read(found.clone());
        let names: Vec<_> = found.changed(&before).map(|path| path.display().to_string()).collect();
        let names = names.join(", ");
        let fresh = match opened {
            Ok((Ok(fresh), _)) => fresh,
            Ok((Err(problems), _)) => return refused(&names, &problems),
            Err(_) => return refused(&names, &Problems::default()),
        };
        fresh.warnings.0.iter().for_each(|warning| tracing::warn!("{warning}"));
        let origin =
            Origin { text: format!("{names} was replaced, and read again"), ..Origin::default() };
        let Some(generation) = self.hand_over(&fresh.assembly, origin).await else {
            return Refreshed::Lost;
        };
        self.assembly = fresh.assembly;
        self.metrics.geo_databases(&fresh.built);
        let built =
            fresh.built.iter().filter(|(path, _)| found.changed(&before).any(|p| p == path));
        let built: String = built.map(|(_, epoch)| format!(", built {}", date(*epoch))).collect();
        tracing::info!("read {names}, which was replaced{built} (generation {generation})");
        Refreshed::InForce
    }
}

fn open(config: &Config, assembly: &Assembly) -> Result<Fresh, Problems> {
    let mut warnings = Problems::default();
    let clients = Clients::open(config, &mut warnings);
    if warnings.any_error() {
        return Err(warnings);
    }
    let places = Arc::new(clients.places(config, assembly)?);
    let (assembly, built) = (Arc::new(assembly.with_places(places)), clients.built());
    Ok(Fresh { assembly, built, warnings })
}

fn refused(names: &str, problems: &Problems) -> Refreshed {
    for problem in &problems.0 {
        match problem.severity {
            Severity::Error => tracing::error!("{problem}"),
            Severity::Warning => tracing::warn!("{problem}"),
        }
    }
    tracing::error!(
        "{names} was replaced, but cannot be used; what was read before stays in force until it \
         changes again"
    );
    Refreshed::Broken
}

/// A date for the log.
fn date(epoch: u64) -> String {
    match UNIX_EPOCH.checked_add(Duration::from_secs(epoch)) {
        // What has more digits is no date of a database.
        Some(time) if epoch < 253_402_300_800 => {
            humantime::format_rfc3339_seconds(time).to_string()
        }
        _ => format!("at {epoch}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::SystemTime;

    use tempfile::TempDir;
    use tokio::sync::{mpsc, watch};
    use tokio::time::timeout;

    use super::super::load::load;
    use super::super::reload::By;
    use super::*;
    use crate::control::{Helm, Reloaded};
    use crate::metrics::Metrics;

    const CONFIG: &str = r#"
version = 1
geo.networks = [{ prefix = "192.0.2.0/24", country = "DE" }]
latency.table = "latency.csv"
zones."example.com".nameservers = { "ns.example.net" = [] }
regions.a = { addresses = ["192.0.2.1"] }
regions.b = { addresses = ["192.0.2.2"] }
[[records]]
name = "app.example.com"
policy = "latency"
"#;

    /// A server's files, and who reloads them; the writer is the test.
    struct Site {
        dir: TempDir,
        reloader: Reloader,
        writer: mpsc::Receiver<Reloaded>,
        secs: u64,
    }

    impl Site {
        fn new() -> Self {
            let dir = TempDir::new().unwrap();
            fs::write(dir.path().join("trimtab.toml"), CONFIG).unwrap();
            let path = dir.path().join("trimtab.toml");
            fs::write(dir.path().join("latency.csv"), "DE,a,10\nDE,b,20\n").unwrap();
            let metrics = Metrics::new();
            let column = &mut |region: &str, record: Option<&str>| metrics.column(region, record);
            let loaded = load(&path, &Default::default(), column).unwrap();
            let (reloads, writer) = mpsc::channel(1);
            let helm = Helm::new(mpsc::channel(9).0, watch::channel(0).1);
            let metrics = Arc::clone(&metrics);
            let reloader = Reloader::new(path, &loaded, metrics, reloads, helm, Box::new(|_| ()));
            Self { dir, reloader, writer, secs: 1 }
        }

        fn write(&mut self, name: &str, text: &str) {
            let path = self.dir.path().join(name);
            fs::write(&path, text).unwrap();
            self.secs += 1;
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(self.secs)).unwrap();
        }

        /// What is found within a minute, if anything.
        async fn found(&mut self) -> Option<Files> {
            timeout(Duration::from_secs(60), self.reloader.replaced()).await.ok()
        }

        /// Reads what was found; gives what the writer was handed.
        async fn refresh(&mut self, found: Files) -> (Refreshed, Option<Arc<Assembly>>) {
            let (reloader, writer) = (&mut self.reloader, &mut self.writer);
            let mut handed = None;
            let writing = async {
                while let Some(Reloaded { assembly, done, .. }) = writer.recv().await {
                    handed = Some(assembly);
                    let _ = done.send(2);
                }
            };
            let refreshed = tokio::select! {
                refreshed = reloader.refresh(found) => refreshed,
                () = writing => unreachable!("the reloader is there"),
            };
            (refreshed, handed)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_table_that_is_replaced_changes_the_places_alone() {
        let mut site = Site::new();
        assert_eq!(site.found().await, None);
        let before = Arc::clone(&site.reloader.assembly);
        site.write("latency.csv", "DE,a,30\nDE,b,20\n");
        let found = site.found().await.unwrap();
        let (refreshed, handed) = site.refresh(found).await;
        assert_eq!(refreshed, Refreshed::InForce);
        let handed = handed.unwrap();
        assert!(!Arc::ptr_eq(&handed.places, &before.places));
        assert!(Arc::ptr_eq(&handed.names, &before.names));
        // Records are counted by other classes of clients, in the same columns.
        let columns =
            |of: &Assembly| of.served.iter().map(|r| r.columns.clone()).collect::<Vec<_>>();
        assert_eq!(columns(&handed), columns(&before));
        assert!(!Arc::ptr_eq(&handed.tally, &before.tally));
        assert!(**handed == **before);
        assert!(Arc::ptr_eq(&handed, &site.reloader.assembly), "the next one builds on it");
        assert_eq!(site.found().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_one_changes_nothing_and_is_tried_once_until_it_changes() {
        let mut site = Site::new();
        site.write("latency.csv", "DE,nowhere,fast\n");
        let found = site.found().await.unwrap();
        let (refreshed, handed) = site.refresh(found).await;
        assert_eq!(refreshed, Refreshed::Broken);
        assert!(handed.is_none());
        assert_eq!(site.found().await, None, "told once");
        fs::remove_file(site.dir.path().join("latency.csv")).unwrap();
        let found = site.found().await.unwrap();
        assert_eq!(site.refresh(found).await.0, Refreshed::Broken);
        assert_eq!(site.found().await, None);
        site.write("latency.csv", "DE,a,30\nDE,b,20\n");
        let found = site.found().await.unwrap();
        assert_eq!(site.refresh(found).await.0, Refreshed::InForce);
    }

    #[tokio::test(start_paused = true)]
    async fn what_changes_while_it_is_read_is_found_again() {
        let mut site = Site::new();
        site.write("latency.csv", "DE,a,30\n");
        let found = site.found().await.unwrap();
        site.write("latency.csv", "DE,a,30\nDE,b,20\n");
        let (refreshed, handed) = site.refresh(found).await;
        assert_eq!(refreshed, Refreshed::Unfinished);
        assert!(handed.is_none());
        let found = site.found().await.unwrap();
        assert_eq!(site.refresh(found).await.0, Refreshed::InForce);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reload_changes_what_is_watched() {
        let mut site = Site::new();
        site.write("trimtab.toml", &CONFIG.replace("latency.table", "# latency.table"));
        // Only a reload reads the configuration.
        assert_eq!(site.found().await, None);
        site.write("latency.csv", "DE,a,30\nDE,b,20\n");
        assert!(site.found().await.is_some(), "still that of the configuration in force");
        let loaded = site.reloader.load(&By::default()).await.unwrap();
        let (reloader, writer) = (&mut site.reloader, &mut site.writer);
        let writing = async {
            let Reloaded { done, .. } = writer.recv().await.unwrap();
            let _ = done.send(2);
        };
        let by = By::default();
        tokio::join!(reloader.publish(loaded, &by), writing);
        site.write("latency.csv", "DE,a,10\nDE,b,20\n");
        assert_eq!(site.found().await, None, "it is no longer configured");
    }

    #[test]
    fn a_date_is_told_whatever_a_file_says() {
        assert_eq!(date(1_767_225_600), "2026-01-01T00:00:00Z");
        assert_eq!(date(u64::MAX), format!("at {}", u64::MAX));
    }
}
