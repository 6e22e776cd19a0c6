//! Critical-difference diagrams (Demsar, Statistical comparisons of classifiers over multiple data sets, 2006).

use crate::colour::{BLUE, INK};
use crate::figure::{Anchor, Figure};
use crate::ranks::Ranking;

/// Of the axis.
const AXIS: f64 = 260.;
/// Of a letter, at most on average.
const LETTER: f64 = 5.6;
/// Of a name, and between two bars.
const STEP: f64 = 17.;
const BAR: f64 = 7.;
/// Above the axis: title, critical difference, numbers.
const HEAD: f64 = 62.;

/// A diagram a ranking, one below the other. Mean ranks along an axis, the best on the left; a bar joins methods that do
/// not differ at 5%.
pub fn critical_differences(rankings: &[Ranking]) -> Figure {
    let heights: Vec<f64> = rankings.iter().map(height).collect();
    let names = rankings.iter().flat_map(|ranking| &ranking.methods);
    let longest = names.map(|(name, _)| name.chars().count()).max();
    // A rank stands beside a name, the title beside the critical difference.
    let margin = (60. + LETTER * longest.unwrap_or(0) as f64).max(130.);
    let mut figure = Figure::new(AXIS + 2. * margin, heights.iter().sum());
    let mut top = 0.;
    for (ranking, height) in rankings.iter().zip(heights) {
        diagram(&mut figure, (margin, top), ranking);
        top += height;
    }
    figure
}

fn height(ranking: &Ranking) -> f64 {
    let names = ranking.methods.len().div_ceil(2) as f64;
    HEAD + BAR * groups(ranking).len() as f64 + STEP * names + 24.
}

/// The longest runs of methods, by their places from the best on, of which no two differ.
fn groups(ranking: &Ranking) -> Vec<(usize, usize)> {
    let ranks: Vec<f64> = ranking.methods.iter().map(|(_, rank)| *rank).collect();
    let mut groups: Vec<(usize, usize)> = vec![];
    for (first, rank) in ranks.iter().enumerate() {
        let alike = ranks
            .iter()
            .filter(|other| **other - rank < ranking.critical_difference);
        let last = alike.count() - 1;
        if last > first && groups.last().is_none_or(|group| last > group.1) {
            groups.push((first, last));
        }
    }
    groups
}

fn diagram(figure: &mut Figure, (margin, top): (f64, f64), ranking: &Ranking) {
    let methods = &ranking.methods;
    let k = methods.len();
    let x = |rank: f64| margin + (rank - 1.) / (k.max(2) - 1) as f64 * AXIS;
    let axis = top + HEAD;
    let title = format!("{}: {} blocks", ranking.setting, ranking.blocks);
    figure.text(10., top + 20., 14., Anchor::Start, &title);
    let end = x(1. + ranking.critical_difference).min(AXIS + 2. * margin - 10.);
    figure.line(&[(x(1.), top + 30.), (end, top + 30.)], INK, 1.4, false);
    for at in [x(1.), end] {
        figure.line(&[(at, top + 26.), (at, top + 34.)], INK, 1.4, false);
    }
    let difference = format!("critical difference {:.2}", ranking.critical_difference);
    figure.text(x(1.), top + 21., 12., Anchor::Start, &difference);

    figure.line(&[(x(1.), axis), (x(k as f64), axis)], INK, 1., false);
    for rank in 1..=k {
        let at = x(rank as f64);
        figure.line(&[(at, axis - 5.), (at, axis)], INK, 0.8, false);
        figure.text(at, axis - 9., 12., Anchor::Middle, &rank.to_string());
    }
    let groups = groups(ranking);
    for (i, &(first, last)) in groups.iter().enumerate() {
        let y = axis + 6. + BAR * i as f64;
        let ends = [first, last].map(|place| methods[place].1);
        figure.line(
            &[(x(ends[0]) - 3., y), (x(ends[1]) + 3., y)],
            BLUE,
            3.2,
            false,
        );
    }
    let below = axis + 14. + BAR * groups.len() as f64;
    let half = k.div_ceil(2);
    for (place, (name, rank)) in methods.iter().enumerate() {
        let is_left = place < half;
        // The lines of the worse half end from the worst on, so that none crosses another.
        let row = if is_left { place } else { k - 1 - place };
        let y = below + STEP * row as f64;
        let (end, label, anchor, text) = if is_left {
            (
                margin - 12.,
                margin - 16.,
                Anchor::End,
                format!("{name}  {rank:.2}"),
            )
        } else {
            let end = margin + AXIS + 12.;
            (end, end + 4., Anchor::Start, format!("{rank:.2}  {name}"))
        };
        figure.line(
            &[(x(*rank), axis), (x(*rank), y), (end, y)],
            INK,
            0.8,
            false,
        );
        figure.text(label, y + 4., 11.5, anchor, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranking(ranks: &[f64], critical_difference: f64) -> Ranking {
        Ranking {
            metric: "auroc".into(),
            setting: "L10".into(),
            methods: ranks
                .iter()
                .map(|rank| (format!("at {rank}"), *rank))
                .collect(),
            blocks: 6,
            critical_difference,
        }
    }

    #[test]
    fn bars_join_the_longest_runs_that_do_not_differ() {
        assert_eq!(
            groups(&ranking(&[1.2, 1.9, 3.0, 3.9], 1.2)),
            [(0, 1), (1, 2), (2, 3)]
        );
        assert_eq!(groups(&ranking(&[1.5, 2.0, 2.5, 4.0], 1.2)), [(0, 2)]);
        assert_eq!(groups(&ranking(&[1., 2., 3.], 0.5)), []);
        assert_eq!(groups(&ranking(&[1., 2., 3.], 5.)), [(0, 2)]);
    }

    #[test]
    fn a_diagram_is_drawn_with_names_that_need_escaping() {
        let dir = std::env::temp_dir().join(format!("puad-ranks-{}", std::process::id()));
        let mut all = ranking(&[1.2, 1.9, 2.9], 1.2);
        all.methods[0].0 = "a & b < c".into();
        critical_differences(&[all.clone(), all])
            .save(&dir.join("ranks"))
            .unwrap();
        let svg = std::fs::read_to_string(dir.join("ranks.svg")).unwrap();
        assert_eq!(svg.matches("a &amp; b &lt; c  1.20").count(), 2);
        assert!(std::fs::metadata(dir.join("ranks.png")).unwrap().len() > 1000);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
