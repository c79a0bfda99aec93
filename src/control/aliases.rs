//! What is known of the names behind aliases: the last good addresses, however long ago they were found.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Endpoint, Looked, Moment, Pool, Resolved};
use crate::routing::Assembly;
use crate::wire::Name;

/// The names of an assembly's aliases, and what is known of each.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    names: BTreeMap<Name, Alias>,
    /// Whether some have other addresses than the assembly in use.
    stale: bool,
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Alias {
    /// Its addresses when they were last found; `None`: they never were.
    pub resolved: Option<Resolved>,
    /// When the last look was without trouble.
    pub found: Option<Moment>,
    /// What was wrong with the last look; `None`: nothing.
    pub trouble: Option<Arc<str>>,
    /// Whether there was a look, or something is known without one.
    pub settled: bool,
}

/// What a look has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// What was known before.
    pub was: Alias,
    /// What is known now.
    pub is: Alias,
    /// Whether it was the first look.
    pub first: bool,
}

impl News {
    /// Whether there are other addresses.
    #[must_use]
    pub fn moved(&self) -> bool {
        match (&self.was.resolved, &self.is.resolved) {
            (Some(was), Some(is)) => !was.same_addresses(is),
            (was, is) => was.is_some() != is.is_some(),
        }
    }

    /// Whether the same addresses may be kept for another time.
    #[must_use]
    pub fn other_ttl(&self) -> bool {
        let ttl = |alias: &Alias| alias.resolved.as_ref().map(|resolved| resolved.ttl_secs);
        ttl(&self.was) != ttl(&self.is)
    }
}

impl Aliases {
    /// Those of an assembly, with what `known` tells of them.
    pub(super) fn of(assembly: &Assembly, known: impl Fn(&Name) -> Option<Alias>) -> Self {
        let names = assembly.aliases().into_iter();
        let names = names.map(|name| (name.clone(), known(name).unwrap_or_default()));
        Self { names: names.collect(), stale: false }
    }

    /// The assembly with the addresses that are known; it itself, if it has no aliases.
    pub(super) fn resolve(&mut self, assembly: &Arc<Assembly>) -> Arc<Assembly> {
        self.stale = false;
        match self.names.is_empty() {
            true => Arc::clone(assembly),
            false => Arc::new(assembly.resolved(|name| self.names.get(name)?.resolved.as_ref())),
        }
    }

    /// Takes in what a look came to; `None`: a reload has removed the name meanwhile.
    pub(super) fn look(&mut self, looked: &Looked, at: Moment) -> Option<News> {
        let alias = self.names.get_mut(&looked.name)?;
        let was = alias.clone();
        alias.resolved = Resolved::after(was.resolved.as_ref(), looked);
        alias.trouble.clone_from(&looked.trouble);
        alias.settled = true;
        if looked.trouble.is_none() {
            alias.found = Some(at);
        }
        let news = News { first: !was.settled, was, is: alias.clone() };
        self.stale |= news.moved();
        Some(news)
    }

    /// Whether some have other addresses than the assembly in use.
    pub(super) const fn stale(&self) -> bool {
        self.stale
    }

    /// Whether something is known of all of them, or was tried to be, and is in use.
    pub(super) fn settled(&self) -> bool {
        !self.stale && self.names.values().all(|alias| alias.settled)
    }

    /// What is known of a name.
    pub(super) fn get(&self, name: &Name) -> Option<&Alias> {
        self.names.get(name)
    }

    /// What is known of the name behind a pool; `None`: there is none.
    pub(super) fn of_pool(&self, pool: &Pool) -> Option<&Alias> {
        match &pool.endpoint {
            Endpoint::Alias(name) => self.get(name),
            Endpoint::Given | Endpoint::Cname(_) => None,
        }
    }

    /// All of them, in order.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = (&Name, &Alias)> {
        self.names.iter()
    }
}
