//! Rows and peers' numbers as tables.

mod ahead;
mod fits;
mod means;
mod pairs;
mod ranked;
mod table;

use std::collections::BTreeSet;

use anyhow::Context;
use clap::ValueEnum;

use self::table::{Field, Table};
use crate::metric::Metric;
use crate::part::Part;
use crate::row::Row;
use crate::scores::{Entry, Scores};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Markdown,
    Csv,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Section {
    /// By setting, over the sets.
    Means,
    /// The first method's means and the best other ones.
    Ahead,
    /// Mean ranks over sets and settings.
    Ranks,
    /// The first method against each other one.
    Pairs,
    /// Where the first method is behind.
    Losses,
    /// By set.
    Sets,
    /// Seconds.
    Fits,
}

/// The numbers of a report.
pub struct Report<'a> {
    pub rows: &'a [Row],
    pub scores: Scores,
    /// Whom the others are compared with.
    first: usize,
}

impl<'a> Report<'a> {
    /// # Errors
    /// Without rows, and for a first method that there are none of.
    pub fn new(rows: &'a [Row], scores: Scores, first: Option<&str>) -> anyhow::Result<Self> {
        let is_first =
            |entry: &Entry| first.is_none_or(|name| entry.name.eq_ignore_ascii_case(name));
        let place = scores
            .entries
            .iter()
            .position(|entry| !entry.is_peer && is_first(entry));
        let first = place.with_context(|| match first {
            Some(name) => format!("--first {name}: there are no rows of it"),
            None => "there are no rows of what was asked for".into(),
        })?;
        Ok(Self {
            rows,
            scores,
            first,
        })
    }

    fn tables(&self, section: Section) -> Vec<Table> {
        let (scores, first) = (&self.scores, &self.scores.entries[self.first]);
        match section {
            Section::Means => vec![means::over_sets(scores)],
            Section::Ahead => vec![ahead::table(scores, first)],
            Section::Ranks => vec![ranked::table(scores)],
            Section::Pairs => Metric::ALL
                .map(|metric| pairs::table(scores, first, metric))
                .to_vec(),
            Section::Losses => Metric::ALL
                .map(|metric| pairs::losses(scores, first, metric))
                .to_vec(),
            Section::Sets => means::by_set(scores),
            Section::Fits => vec![fits::table(self.rows)],
        }
    }

    /// One section, or all below what they are of.
    pub fn markdown(&self, section: Option<Section>) -> String {
        let sections = match section {
            Some(section) => vec![section],
            None => Section::value_variants().to_vec(),
        };
        let tables = sections
            .into_iter()
            .flat_map(|section| self.tables(section));
        let texts = tables.map(|table| table.markdown());
        let head = self.head().join("\n\n");
        [head + "\n"]
            .into_iter()
            .chain(texts)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// One section, or the numbers of every cell.
    pub fn csv(&self, section: Option<Section>) -> String {
        let head: String = self
            .head()
            .iter()
            .map(|line| format!("# {line}\n"))
            .collect();
        let body = match section {
            None => cells(&self.scores),
            Some(Section::Ranks) => ranked::csv(&self.scores),
            Some(section) => {
                let tables = self.tables(section);
                tables.iter().map(Table::csv).collect::<Vec<_>>().join("\n")
            }
        };
        head + &body
    }

    /// What the tables are of.
    fn head(&self) -> Vec<String> {
        let scores = &self.scores;
        let sets = scores.sets();
        let seeds: BTreeSet<u64> = scores.cells.iter().map(|cell| cell.seed).collect();
        let mut head = vec![format!(
            "{}: {}. Settings: {}. Seeds: {}. {} cells.",
            part(&sets),
            sets.iter().copied().collect::<Vec<_>>().join(", "),
            scores
                .settings()
                .into_iter()
                .map(|s| s.name())
                .collect::<Vec<_>>()
                .join(", "),
            seeds
                .iter()
                .map(u64::to_string)
                .collect::<Vec<_>>()
                .join(", "),
            scores.cells.len()
        )];
        let commits: BTreeSet<&str> = self
            .rows
            .iter()
            .filter_map(|row| row.made.commit.as_deref())
            .collect();
        if !commits.is_empty() {
            let commits = commits.into_iter().collect::<Vec<_>>().join(", ");
            head.push(format!("Made at commit {commits}."));
        }
        if scores.entries.iter().any(|entry| entry.is_peer) {
            head.push("Methods with * are other libraries', on the same rows.".into());
        }
        let failed = scores
            .entries
            .iter()
            .filter(|entry| !entry.failed.is_empty())
            .map(|entry| {
                let cells: Vec<String> = entry.failed.iter().map(ToString::to_string).collect();
                format!(
                    "{} failed and is in no mean: {}.",
                    entry.name,
                    cells.join("; ")
                )
            });
        head.extend(failed);
        head.extend(mixed(self.rows));
        head
    }
}

/// Whether rows of one method were made with several settings.
fn mixed(rows: &[Row]) -> Option<String> {
    let mut variants: BTreeSet<(&str, u32, String)> = BTreeSet::new();
    variants.extend(
        rows.iter()
            .map(|row| (row.method.as_str(), row.numerics, row.config.to_string())),
    );
    let names: Vec<&str> = variants.iter().map(|(name, ..)| *name).collect();
    let twice: BTreeSet<&str> = names
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| pair[0])
        .collect();
    let twice: Vec<&str> = twice.into_iter().collect();
    let told = "Rows of different settings or numerics versions are mixed";
    (!twice.is_empty()).then(|| format!("{told}: {}.", twice.join(", ")))
}

/// Which part the sets are of.
fn part(sets: &BTreeSet<&str>) -> &'static str {
    let all_in = |part: Part| sets.iter().all(|set| part.sets().contains(set));
    if all_in(Part::Choosing) {
        "Choosing sets, on which settings were chosen"
    } else if all_in(Part::Reporting) {
        "Reporting sets"
    } else if all_in(Part::All) {
        "Choosing and reporting sets"
    } else {
        "Sets"
    }
}

/// A line a method and cell.
fn cells(scores: &Scores) -> String {
    let mut out = String::from("set,setting,seed,method,auroc,average_precision\n");
    for entry in &scores.entries {
        for cell in &scores.cells {
            if let Some([auroc, precision]) = entry.at(cell) {
                out += &format!(
                    "{},{},{},{},{auroc:.6},{precision:.6}\n",
                    Field::text(&cell.set).csv(),
                    cell.setting.name(),
                    cell.seed,
                    Field::text(full_name(entry)).csv()
                );
            }
        }
    }
    out
}

/// The name, with a mark of a peer's.
fn full_name(entry: &Entry) -> String {
    let mark = if entry.is_peer { " *" } else { "" };
    format!("{}{mark}", entry.name)
}

fn name(entry: &Entry) -> Field {
    Field::text(full_name(entry))
}

/// After the letter p.
fn compared(p: f64) -> String {
    let told = probability(p);
    if told.starts_with('<') {
        told
    } else {
        format!("= {told}")
    }
}

fn probability(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".into()
    } else {
        format!("{p:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Cell, Setting};
    use crate::row::tests::{failed, row};
    use crate::scores::tests::rows;

    fn some() -> Vec<Row> {
        let mut all = vec![];
        for set in ["cardio", "shuttle"] {
            for (method, auroc) in [("IF", 0.5), ("PUAE", 0.75)] {
                all.push((method, set, Setting::L10, 0, auroc));
            }
        }
        rows(&all)
    }

    fn report(rows: &[Row], first: Option<&str>) -> anyhow::Result<(String, String)> {
        let mut scores = Scores::of(rows);
        let peers = [("cardio", 0.9), ("shuttle", 0.8)];
        for (set, auroc) in peers {
            let cell = Cell {
                set: set.into(),
                setting: Setting::L10,
                seed: 0,
            };
            scores.add_peer("trees, bagged", cell, [auroc; 2]);
        }
        let report = Report::new(rows, scores, first)?;
        Ok((report.markdown(None), report.csv(None)))
    }

    #[test]
    fn a_report_has_all_sections() {
        let (text, csv) = report(&some(), Some("puae")).unwrap();
        for told in [
            "Reporting sets: cardio, shuttle. Settings: L10. Seeds: 0. 2 cells.\n",
            "Methods with * are other libraries', on the same rows.",
            "### AUROC / average precision, means over the sets",
            "| trees, bagged * | **0.850** / **0.850** |",
            "### Mean ranks",
            "### PUAE against each other method, AUROC",
            "### Losses of PUAE, average precision",
            "| cardio | L10 | 0.750 | trees, bagged * | 0.900 | -0.150 |",
            "### L10, AUROC by set",
            "### Fits",
        ] {
            assert!(text.contains(told), "{told}\n{text}");
        }
        assert!(
            csv.contains("\ncardio,L10,0,PUAE,0.750000,0.375000\n"),
            "{csv}"
        );
        assert!(
            csv.contains("\nshuttle,L10,0,\"trees, bagged *\",0.800000,0.800000\n"),
            "{csv}"
        );
        let error = report(&some(), Some("AE")).unwrap_err().to_string();
        assert_eq!(error, "--first AE: there are no rows of it");
        assert!(report(&[], None).is_err());
    }

    #[test]
    fn what_failed_and_what_is_mixed_is_told() {
        let mut all = some();
        all.push(failed(Row {
            set: "cardio".into(),
            ..row("AE", Setting::L10, 0, 0.)
        }));
        all[1].numerics += 1;
        let (text, _) = report(&all, None).unwrap();
        for told in [
            "AE failed and is in no mean: cardio, L10, seed 0.",
            "Rows of different settings or numerics versions are mixed: PUAE.",
            "### Losses of IF",
        ] {
            assert!(text.contains(told), "{text}");
        }
    }

    #[test]
    fn the_part_is_told() {
        for (sets, told) in [
            (&["mnist"][..], "Choosing sets, on"),
            (&["mnist", "cardio"], "Choosing and reporting sets"),
            (&["mnist", "own"], "Sets"),
        ] {
            let sets = sets.iter().copied().collect();
            assert!(part(&sets).starts_with(told));
        }
    }
}
