//! Other libraries' numbers, a file of `set,setting,seed,method,auroc,average_precision` and further columns.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;

use crate::cell::{Cell, Setting};
use crate::scores::{Measured, Scores};

const COLUMNS: [&str; 6] = [
    "set",
    "setting",
    "seed",
    "method",
    "auroc",
    "average_precision",
];

/// Adds the numbers of a file on the cells that there are rows of.
pub fn add(path: &Path, scores: &mut Scores) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = (1..).zip(text.lines());
    let (_, head) = lines.next().unwrap_or((1, ""));
    ensure!(
        fields(head).is_some_and(|names| names.len() >= 6 && names[..6] == COLUMNS),
        "{}, line 1: the columns {} are wanted first, got {head:?}",
        path.display(),
        COLUMNS.join(",")
    );
    let mut seen = HashSet::new();
    for (number, line) in lines {
        let place = || format!("{}, line {number}", path.display());
        let (method, cell, measured) = parse(line).with_context(place)?;
        let told = format!("{}: a second line of {method} on {cell}", place());
        ensure!(seen.insert((method.clone(), cell.clone())), told);
        scores.add_peer(&method, cell, measured);
    }
    Ok(())
}

fn parse(line: &str) -> anyhow::Result<(String, Cell, Measured)> {
    let fields = fields(line).context("a quote that does not end")?;
    let [set, setting, seed, method, measured @ ..] = &fields[..] else {
        bail!("{} columns are wanted, got {}", COLUMNS.len(), fields.len());
    };
    let number = |i: usize| -> anyhow::Result<f64> {
        let text = measured.get(i).map_or("", String::as_str);
        let value = text.parse().ok().filter(|value| (0. ..=1.).contains(value));
        value.with_context(|| format!("{} must lie in [0, 1], got {text:?}", COLUMNS[4 + i]))
    };
    let setting = Setting::from_str(setting, true);
    let cell = Cell {
        set: set.clone(),
        setting: setting.map_err(|error| anyhow::anyhow!("setting: {error}"))?,
        seed: seed.parse().with_context(|| format!("seed {seed:?}"))?,
    };
    Ok((method.clone(), cell, [number(0)?, number(1)?]))
}

/// The fields of a line, quoted where they have commas; `None` for a quote that does not end.
fn fields(line: &str) -> Option<Vec<String>> {
    let (mut all, mut quoted) = (vec![String::new()], false);
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        let field = all.last_mut()?;
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(String::new()),
            c => field.push(c),
        }
    }
    (!quoted).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;
    use crate::scores::tests::rows;

    fn of(lines: &str) -> anyhow::Result<Scores> {
        let mut scores = Scores::of(&rows(&[("PUAE", "one", Setting::Novel, 1, 0.5)]));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("peers.csv");
        std::fs::write(&path, lines).unwrap();
        add(&path, &mut scores).map(|()| scores)
    }

    const HEAD: &str = "set,setting,seed,method,auroc,average_precision,by\n";

    #[test]
    fn lines_become_numbers_of_their_method() {
        let text = HEAD.to_string()
            + "one,novel,1,\"trees, \"\"bagged\"\"\",0.9,0.25,script\none,novel,2,forest,0.1,0.1,\n";
        let scores = of(&text).unwrap();
        assert_eq!(scores.entries.len(), 2);
        let peer = &scores.entries[1];
        assert_eq!(peer.name, "trees, \"bagged\"");
        let mean = peer.mean(Metric::AveragePrecision, Setting::Novel);
        assert_eq!(mean.unwrap().value, 0.25);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (lines, told) in [
            ("set,method\n".to_string(), "line 1: the columns"),
            (HEAD.to_string() + "one,novel,1\n", "line 2"),
            (HEAD.to_string() + "one,news,1,a,0.5,0.5\n", "setting"),
            (HEAD.to_string() + "one,novel,x,a,0.5,0.5\n", "seed \"x\""),
            (
                HEAD.to_string() + "one,novel,1,a,1.5,0.5\n",
                "auroc must lie in [0, 1], got \"1.5\"",
            ),
            (
                HEAD.to_string() + "one,novel,1,a,0.5\n",
                "average_precision must lie in [0, 1], got \"\"",
            ),
            (HEAD.to_string() + "one,novel,1,\"a,0.5,0.5\n", "a quote"),
            (
                HEAD.to_string() + &"one,novel,1,a,0.5,0.5\n".repeat(2),
                "line 3: a second line",
            ),
        ] {
            let error = format!("{:#}", of(&lines).unwrap_err());
            assert!(error.contains(told), "{error}");
        }
    }
}
