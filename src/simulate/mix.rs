//! Who asks: how much each record, family and class of clients counts.

use std::collections::HashMap;
use std::time::Duration;

use super::given::Row;
use super::text::{figure, span};
use super::views::{Basis, BasisKind};
use crate::model::{RecordId, TreeId};
use crate::routing::{Asker, Assembly, CountedBy, Table};

/// How much each record, family and class of clients counts, for the records of one assembly.
#[derive(Debug, Clone)]
pub struct Mix {
    pub(super) weights: Weights,
    basis: Basis,
}

#[derive(Debug, Clone)]
pub(super) enum Weights {
    /// All records, of each its families, of each its classes.
    Alike,
    /// By the cells of the assembly; each record counts for this part of its cells.
    Counted { cells: Vec<f64>, part: Vec<f64> },
    /// By class: what everybody asks for, of each record the same part, and what is asked of one record.
    Given { everyone: HashMap<TreeId, Vec<f64>>, own: HashMap<RecordId, Vec<f64>>, part: f64 },
}

impl Mix {
    /// Nothing is known: all records count alike, of each its families, and of each its classes.
    #[must_use]
    pub fn alike() -> Self {
        let text = "nothing measured: all records, families and classes of clients count alike";
        let basis =
            Basis { kind: BasisKind::Nothing, text: text.into(), secs: None, answers: None };
        Self { weights: Weights::Alike, basis }
    }

    /// So many queries in each cell of an assembly's tally, over a time. Without any, nothing is known.
    #[must_use]
    pub fn measured(assembly: &Assembly, cells: &[u64], over: Duration) -> Self {
        let answers: u64 = cells.iter().sum();
        if answers == 0 {
            return Self::alike();
        }
        let mut sharing: HashMap<u32, f64> = HashMap::new();
        if assembly.counted_by != CountedBy::Record {
            for record in assembly.served.iter() {
                *sharing.entry(record.cells_from).or_default() += 1.0;
            }
        }
        let part = |cells_from| sharing.get(cells_from).map_or(1.0, |records| records.recip());
        let part = assembly.served.iter().map(|record| part(&record.cells_from)).collect();
        let coarse = match assembly.counted_by {
            CountedBy::Record | CountedBy::Nothing => "",
            CountedBy::Binding => ", for all records together that have the same policy and pools",
            CountedBy::Tree => ", for all records together that have the same policy",
        };
        let queries = if answers == 1 { "query" } else { "queries" };
        let text =
            format!("measured over {}, {} {queries}{coarse}", span(over), figure(answers as f64));
        let basis = Basis {
            kind: BasisKind::Measured,
            text,
            secs: Some(over.as_secs_f64()),
            answers: Some(answers),
        };
        let cells = cells.iter().map(|count| *count as f64).collect();
        Self { weights: Weights::Counted { cells, part }, basis }
    }

    /// As it is written in a file of this name.
    ///
    /// # Errors
    /// For each row that names a record that is not there, or when all shares are 0, a sentence.
    pub fn given(assembly: &Assembly, rows: &[Row], from: &str) -> Result<Self, Vec<String>> {
        let names =
            assembly.records.iter().zip(0..).map(|(record, id)| (&record.name, RecordId(id)));
        let names: HashMap<_, RecordId> = names.collect();
        let (mut own, mut wrong) = (HashMap::new(), Vec::new());
        let mut everyone = HashMap::new();
        for row in rows {
            let Some(name) = &row.record else {
                for tree in (0..assembly.trees.len() as u32).map(TreeId) {
                    add(assembly, tree, everyone.entry(tree).or_default(), row);
                }
                continue;
            };
            match names.get(name) {
                Some(id) => {
                    let tree = assembly.served[id.index()].tree;
                    add(assembly, tree, own.entry(*id).or_default(), row);
                }
                None => wrong.push(format!("line {}: there is no record {name}", row.line)),
            }
        }
        if rows.iter().all(|row| row.share == 0.0) {
            wrong.push("no row has a share above 0".into());
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let part = (assembly.records.len().max(1) as f64).recip();
        let text = format!("the mix of clients of {from}");
        let basis = Basis { kind: BasisKind::File, text, secs: None, answers: None };
        Ok(Self { weights: Weights::Given { everyone, own, part }, basis })
    }

    /// What it rests on.
    #[must_use]
    pub const fn basis(&self) -> &Basis {
        &self.basis
    }
}

/// Adds the share of a row to the class of its clients in a tree; to all alike where nobody is named.
fn add(assembly: &Assembly, tree: TreeId, classes: &mut Vec<f64>, row: &Row) {
    let table = assembly.places.table(tree);
    let count = table.map_or(1, |table| table.classes().len());
    classes.resize(count, 0.0);
    match row.client {
        Some(prefix) => {
            let subnet = Some((prefix.addr(), prefix.prefix_len()));
            let asker = Asker { source: prefix.addr(), subnet };
            let class = table.map_or(0, |table: &Table| table.find(&asker).class);
            if let Some(sum) = classes.get_mut(class as usize) {
                *sum += row.share;
            }
        }
        None => classes.iter_mut().for_each(|sum| *sum += row.share / count as f64),
    }
}
