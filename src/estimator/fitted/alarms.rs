use std::cmp::Reverse;
use std::fmt::Write;

use super::{FittedDetector, Reason, ScoredRows, TableScored, TableSource};
use crate::Result;
use crate::estimator::Input;

/// A row that counts as an anomaly, and why.
///
/// ```
/// use puad::estimator::{Alarm, Column, Observed, Reason};
///
/// let column = Column { index: 1, name: Some("country".into()), channel: false };
/// let value = Observed::Word("XX".into());
/// let reasons = vec![Reason { column, value, usual: None, contribution: 4.5 }];
/// let alarm = Alarm { row: 17, id: "T-0017".into(), score: 9.5, probability: Some(0.97), reasons };
/// assert_eq!(alarm.reasons[0].to_string(), "country is XX");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// Its number in the table, counted from 0.
    pub row: u64,
    /// Its own name; empty where it has none.
    pub id: String,
    /// Larger = more anomalous.
    pub score: f64,
    /// That it is an anomaly; `None` without labeled anomalies in the fit.
    pub probability: Option<f64>,
    /// The weightiest first.
    pub reasons: Vec<Reason>,
}

/// The alarms of a table, the highest score first, from [`FittedDetector::alarms`].
///
/// ```
/// use puad::estimator::{Alarm, Alarms};
///
/// let alarm = Alarm { row: 3, id: "a|b".into(), score: 2.5, probability: None, reasons: vec![] };
/// let alarms = Alarms { alarms: vec![alarm], ..Alarms::default() };
/// assert!(alarms.to_markdown().ends_with("| 1 | a\\|b | 2.500 |  |  |\n"));
/// assert!(alarms.to_csv().ends_with("1,3,a|b,2.5,,\n"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alarms {
    /// The highest first, and of equal ones the first.
    pub alarms: Vec<Alarm>,
    /// What was scored to find them; more rows may have been flagged than were asked for.
    pub scored: TableScored,
}

impl Alarms {
    /// A table in Markdown: rank, name (or number, counted from 0), score, probability, and the reasons that weigh at
    /// least a tenth of the first.
    pub fn to_markdown(&self) -> String {
        let mut text =
            String::from("| | row | score | probability | reasons |\n|---|---|---|---|---|\n");
        for (i, alarm) in self.alarms.iter().enumerate() {
            let row = match alarm.id.as_str() {
                "" => alarm.row.to_string(),
                id => in_cell(id),
            };
            let probability = alarm
                .probability
                .map_or(String::new(), |p| format!("{p:.3}"));
            let reasons = in_cell(&told(&alarm.reasons));
            let score = alarm.score;
            // Writing to a text cannot fail.
            let _ = writeln!(
                text,
                "| {} | {row} | {score:.3} | {probability} | {reasons} |",
                i + 1
            );
        }
        text
    }

    /// A line for each, with a line of names above: rank, number counted from 0, name, score, probability, reasons.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("rank,row,id,score,probability,reasons\n");
        for (i, alarm) in self.alarms.iter().enumerate() {
            let probability = alarm.probability.map_or(String::new(), |p| p.to_string());
            let (id, reasons) = (quoted(&alarm.id), quoted(&told(&alarm.reasons)));
            let Alarm { row, score, .. } = alarm;
            let _ = writeln!(text, "{},{row},{id},{score},{probability},{reasons}", i + 1);
        }
        text
    }
}

/// Share of the first reason's contribution below which another is not worth telling.
const TOLD: f64 = 0.1;

fn told(reasons: &[Reason]) -> String {
    let first = reasons.first().map_or(0., |reason| reason.contribution);
    let reasons = reasons
        .iter()
        .filter(|reason| reason.contribution >= TOLD * first);
    let reasons: Vec<String> = reasons.map(ToString::to_string).collect();
    reasons.join("; ")
}

/// What would end a cell of Markdown is escaped.
fn in_cell(text: &str) -> String {
    let line = text.replace(char::is_control, " ");
    line.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('|', "\\|")
}

/// As CSV asks for, and with a quote before what a spreadsheet would take for a formula.
fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '@', '\t', '\r'])
        || (text.starts_with('-') && text.parse::<f64>().is_err());
    let text = if formula {
        format!("'{text}")
    } else {
        text.into()
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// The rows that score highest, with themselves, so that no file needs a second read.
struct Highest {
    most: usize,
    /// In order behind [`cut`](Self::cut) alone.
    kept: Vec<(Alarm, Input)>,
    /// The score that one more row must exceed, once there are as many as are asked for.
    least: Option<f64>,
}

impl Highest {
    fn of(most: usize) -> Self {
        Self {
            most,
            kept: vec![],
            least: None,
        }
    }

    fn add(&mut self, rows: &ScoredRows) -> Result<()> {
        for i in rows.flagged() {
            let score = rows.found.scores[i];
            if self.least.is_some_and(|least| score <= least) {
                continue;
            }
            let alarm = Alarm {
                row: rows.first + i as u64,
                id: rows.ids.get(i).cloned().unwrap_or_default(),
                score,
                probability: rows.found.probabilities.as_ref().map(|p| p[i]),
                reasons: vec![],
            };
            self.kept.push((alarm, rows.input.one(i)?));
            if self.kept.len() >= self.most.saturating_mul(2).max(1) {
                self.cut();
            }
        }
        self.cut();
        Ok(())
    }

    fn cut(&mut self) {
        let key = |(alarm, _): &(Alarm, Input)| (Reverse(Ordered(alarm.score)), alarm.row);
        self.kept.sort_by_key(key);
        self.kept.truncate(self.most);
        if self.kept.len() == self.most {
            let last = self.kept.last();
            self.least = Some(last.map_or(f64::INFINITY, |(alarm, _)| alarm.score));
        }
    }
}

/// Scores are finite.
#[derive(PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl FittedDetector {
    /// Scores a table in one pass and in constant memory, and gives the `most` flagged rows of the highest scores,
    /// each with up to `reasons` reasons.
    ///
    /// ```
    /// use puad::data::stream::TableReader;
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::method::Method;
    /// use puad::{Estimator, FitConfig};
    ///
    /// let mut config = FitConfig { method: Some(Method::PUAE), ..FitConfig::default() };
    /// config.train.epochs = 20;
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
    /// let path = std::env::temp_dir().join(format!("puad-alarms-{}.csv", std::process::id()));
    /// std::fs::write(&path, ",a,b\nMonday,0,1\nTuesday,0,90\nFriday,60,0\n")?;
    ///
    /// let found = detector.alarms(TableReader::open(&path)?, 10, 1)?;
    /// assert_eq!(found.alarms[0].id, "Friday");
    /// println!("{}", found.to_markdown()); // a line a flagged row, with its reason
    /// std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`score_table`](Self::score_table) and [`reasons`](Self::reasons).
    pub fn alarms(&self, table: impl TableSource, most: usize, reasons: usize) -> Result<Alarms> {
        let mut highest = Highest::of(most);
        let scored = self.try_score_table(table, |rows| highest.add(rows))?;
        let alarms = highest.kept.into_iter().map(|(alarm, input)| {
            let reasons = match reasons {
                0 => vec![],
                // Rows were taken when they were scored.
                most => self.told(input, most)?.pop().unwrap_or_default(),
            };
            Ok(Alarm { reasons, ..alarm })
        });
        Ok(Alarms {
            alarms: alarms.collect::<Result<_>>()?,
            scored,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_holds_is_text_in_the_lists() {
        assert_eq!(in_cell("a|<b>\r\nc\u{1b}[2J"), "a\\|&lt;b>  c [2J");
        for text in ["=1+1", "+49", "@x", "\tx", "-1+cmd"] {
            assert!(quoted(text).starts_with('\''), "{text}");
        }
        assert_eq!(quoted("\r=1"), "\"'\r=1\"");
        assert_eq!(
            (quoted("-12"), quoted("a,b")),
            ("-12".into(), "\"a,b\"".into())
        );
    }
}
