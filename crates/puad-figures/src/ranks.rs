//! Mean ranks of methods, of `examples/adbench`.

use std::error::Error;
use std::ffi::OsString;

use crate::runs::output;

/// Methods that were compared on the same blocks, each a set under a setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// What ranks are by.
    pub metric: String,
    /// The setting, or `all`.
    pub setting: String,
    /// Methods and their mean ranks, the best first.
    pub methods: Vec<(String, f64)>,
    /// Number of blocks.
    pub blocks: usize,
    /// By how much mean ranks must differ for two methods to differ at 5%.
    pub critical_difference: f64,
}

/// The rankings of `adbench` with these arguments, one a metric and setting.
///
/// # Errors
/// If `adbench` ends with one; it says why itself.
pub fn rankings(arguments: Vec<OsString>) -> Result<Vec<Ranking>, Box<dyn Error>> {
    let mut all = vec![
        OsString::from("--table"),
        "ranks".into(),
        "--format".into(),
        "csv".into(),
    ];
    all.extend(arguments);
    parse(&output("adbench", all)?)
}

/// Lines `metric,setting,method,mean_rank,blocks,critical_difference,p_value` under a title, and comments above it. A
/// method's name may be in quotes and have commas.
fn parse(text: &str) -> Result<Vec<Ranking>, Box<dyn Error>> {
    let mut rankings: Vec<Ranking> = vec![];
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let wrong = || format!("not a line of ranks: {line:?}");
        let (metric, rest) = line.split_once(',').ok_or_else(wrong)?;
        if metric == "metric" {
            continue;
        }
        let (setting, rest) = rest.split_once(',').ok_or_else(wrong)?;
        let numbers: Vec<&str> = rest.rsplitn(5, ',').collect();
        let [_, difference, blocks, rank, name] = numbers[..] else {
            return Err(wrong().into());
        };
        let name = name.trim_matches('"').replace("\"\"", "\"");
        let is_last = |last: &&mut Ranking| last.metric == metric && last.setting == setting;
        let method = (name, rank.parse()?);
        match rankings.last_mut().filter(is_last) {
            Some(last) => last.methods.push(method),
            None => rankings.push(Ranking {
                metric: metric.into(),
                setting: setting.into(),
                methods: vec![method],
                blocks: blocks.parse()?,
                critical_difference: difference.parse()?,
            }),
        }
    }
    for ranking in &mut rankings {
        ranking.methods.sort_by(|a, b| a.1.total_cmp(&b.1));
    }
    Ok(rankings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_rankings() {
        let text = "# Sets.\nmetric,setting,method,mean_rank,blocks,critical_difference,p_value\n\
                    auroc,L10,PUAE,1.75,6,1.9,1e-3\nauroc,L10,\"trees, bagged *\",1.25,6,1.9,1e-3\n\
                    auroc,all,PUAE,1.5,24,0.9,1e-3\n";
        let rankings = parse(text).unwrap();
        assert_eq!(rankings.len(), 2);
        let methods = [
            ("trees, bagged *".to_string(), 1.25),
            ("PUAE".to_string(), 1.75),
        ];
        assert_eq!(rankings[0].methods, methods);
        assert_eq!(
            (rankings[1].blocks, rankings[1].critical_difference),
            (24, 0.9)
        );
        assert!(parse("auroc,L10\n").is_err() && parse("auroc,L10,PUAE,x,6,1,1\n").is_err());
    }
}
