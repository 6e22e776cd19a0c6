use crate::colour::{BLUE, FAINT, INK, ORANGE, VERMILLION};
use crate::figure::{Anchor, Figure};
use crate::runs::Point;

/// Size of a panel's frame.
const WIDTH: f64 = 172.;
const HEIGHT: f64 = 128.;
/// Around it: left, top, right, bottom.
const MARGINS: [f64; 4] = [54., 26., 10., 44.];
/// Above all panels: a row of the legend, a line's sample in it, and what a letter and the gap to the next entry take.
const ROW: f64 = 22.;
const SAMPLE: f64 = 20.;
const LETTER: f64 = 8.4;
const GAP: f64 = 13.;

/// How a curve is drawn: colour and mark, each of which tells it alone.
const STYLES: [(&str, Mark); 3] = [
    (BLUE, Mark::Dot),
    (VERMILLION, Mark::Square),
    (ORANGE, Mark::Triangle),
];

#[derive(Clone, Copy)]
enum Mark {
    Dot,
    Square,
    Triangle,
}

/// The horizontal axis, logarithmic, in common to all panels.
pub struct Axis<'a> {
    /// What it is.
    pub title: &'a str,
    /// Where numbers stand.
    pub ticks: &'a [f64],
    /// A faint line, with what it says.
    pub line: Option<(f64, &'a str)>,
}

/// A panel a data set: a method's mean AUROC as a line, its standard deviation as a band.
pub fn auroc_panels(points: &[Point], axis: &Axis<'_>) -> Figure {
    let datasets = distinct(points.iter().map(|point| point.dataset.as_str()));
    let methods = distinct(points.iter().map(|point| point.method.as_str()));
    let columns = datasets.len().clamp(1, 2);
    let rows = datasets.len().div_ceil(columns);
    let [left, top, right, bottom] = MARGINS;
    let (width, height) = (left + WIDTH + right, top + HEIGHT + bottom);
    let total = width * columns as f64;
    let line = axis.line.map(|(_, text)| text);
    let entries: Vec<&str> = methods.iter().copied().chain(line).collect();
    let places = legend_places(&entries, total);
    let legend_height = places.last().map_or(0., |(_, y)| y + ROW);
    let mut figure = Figure::new(total, legend_height + height * rows as f64);
    legend(&mut figure, &entries, &places, methods.len());
    for (i, dataset) in datasets.iter().enumerate() {
        let corner = (
            (i % columns) as f64 * width + left,
            legend_height + (i / columns) as f64 * height + top,
        );
        let here = points.iter().filter(|point| point.dataset == *dataset);
        panel(
            &mut figure,
            corner,
            dataset,
            &here.collect::<Vec<_>>(),
            &methods,
            axis,
        );
    }
    figure
}

/// In the order in which they come.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all = vec![];
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// Where each entry starts, from the left and the top: in rows that end before `width`.
fn legend_places(entries: &[&str], width: f64) -> Vec<(f64, f64)> {
    let (mut x, mut y) = (MARGINS[0], 0.);
    let place = |entry: &&str| {
        let takes = SAMPLE + 5. + LETTER * entry.chars().count() as f64;
        if x > MARGINS[0] && x + takes > width {
            (x, y) = (MARGINS[0], y + ROW);
        }
        let at = (x, y);
        x += takes + GAP;
        at
    };
    entries.iter().map(place).collect()
}

/// Curves first, then the faint line.
fn legend(figure: &mut Figure, entries: &[&str], places: &[(f64, f64)], curves: usize) {
    let styles = STYLES.into_iter().map(Some).take(curves);
    let styles = styles.chain(std::iter::repeat(None));
    for ((entry, &(x, top)), style) in entries.iter().zip(places).zip(styles) {
        let y = top + 15.;
        let sample = [(x, y), (x + SAMPLE, y)];
        match style {
            Some((colour, mark)) => {
                figure.line(&sample, colour, 2., false);
                draw_mark(figure, (x + SAMPLE / 2., y), colour, mark);
            }
            None => figure.line(&sample, FAINT, 1.2, true),
        }
        figure.text(x + SAMPLE + 5., y + 4.5, 13., Anchor::Start, entry);
    }
}

fn draw_mark(figure: &mut Figure, at: (f64, f64), colour: &str, mark: Mark) {
    match mark {
        Mark::Dot => figure.dot(at, 3.2, colour),
        Mark::Square => figure.square(at, 2.9, colour),
        Mark::Triangle => figure.triangle(at, 3.8, colour),
    }
}

fn panel(
    figure: &mut Figure,
    (left, top): (f64, f64),
    title: &str,
    points: &[&Point],
    methods: &[&str],
    axis: &Axis<'_>,
) {
    let (low, high) = range(points);
    let ends = points.iter().map(|point| point.x);
    let first = ends.clone().fold(f64::INFINITY, f64::min);
    let last = ends.fold(0., f64::max);
    let span = (last / first).ln().max(1e-9);
    let x = |v: f64| left + 8. + (v / first).ln() / span * (WIDTH - 16.);
    let y = |v: f64| top + (high - v) / (high - low) * HEIGHT;
    for tick in steps(low, high) {
        let at = y(tick);
        figure.line(&[(left, at), (left + WIDTH, at)], "#dddddd", 0.6, false);
        figure.text(left - 5., at + 4., 12., Anchor::End, &format!("{tick:.2}"));
    }
    for &tick in axis
        .ticks
        .iter()
        .filter(|&&tick| (first..=last).contains(&tick))
    {
        let bottom = top + HEIGHT;
        figure.line(
            &[(x(tick), bottom), (x(tick), bottom + 3.)],
            INK,
            0.8,
            false,
        );
        figure.text(
            x(tick),
            bottom + 15.,
            12.,
            Anchor::Middle,
            &format!("{tick}"),
        );
    }
    if let Some((at, _)) = axis.line.filter(|(at, _)| (first..=last).contains(at)) {
        figure.line(&[(x(at), top), (x(at), top + HEIGHT)], FAINT, 1., true);
    }
    let curves = methods.iter().zip(STYLES).map(|(method, style)| {
        let mut own: Vec<&Point> = points
            .iter()
            .copied()
            .filter(|p| p.method == *method)
            .collect();
        own.sort_by(|a, b| a.x.total_cmp(&b.x));
        (own, style)
    });
    let curves: Vec<_> = curves.collect();
    // Bands below all lines.
    for (own, (colour, _)) in &curves {
        let edge = |sign: f64| {
            own.iter()
                .map(move |p| (p.x, (p.mean + sign * p.deviation)))
        };
        let place = |(at, v): (f64, f64)| (x(at), y(v.clamp(low, high)));
        let upper = edge(1.).map(place);
        let lower: Vec<_> = edge(-1.).map(place).collect();
        figure.area(
            &upper.chain(lower.into_iter().rev()).collect::<Vec<_>>(),
            colour,
            0.2,
        );
    }
    for (own, (colour, mark)) in &curves {
        let line: Vec<_> = own.iter().map(|p| (x(p.x), y(p.mean))).collect();
        figure.line(&line, colour, 1.8, false);
        line.into_iter()
            .for_each(|at| draw_mark(figure, at, colour, *mark));
    }
    figure.frame(left, top, WIDTH, HEIGHT);
    figure.text(left + WIDTH / 2., top - 7., 14., Anchor::Middle, title);
    let below = top + HEIGHT + 32.;
    figure.text(left + WIDTH / 2., below, 13., Anchor::Middle, axis.title);
    figure.turned_text(left - 38., top + HEIGHT / 2., 13., "AUROC");
}

/// Lowest and highest value of the vertical axis, around all bands and within what AUROC can be.
fn range(points: &[&Point]) -> (f64, f64) {
    let low = points.iter().map(|p| p.mean - p.deviation);
    let high = points.iter().map(|p| p.mean + p.deviation);
    let low = low.fold(f64::INFINITY, f64::min).max(0.);
    let high = high.fold(0., f64::max).min(1.);
    let pad = (0.06 * (high - low)).max(0.005);
    (low - pad, (high + pad).min(1. + pad / 2.))
}

/// Three to seven round numbers within the range.
fn steps(low: f64, high: f64) -> Vec<f64> {
    let fits = |step: &f64| (high - low) / step <= 6.;
    let step = [0.01, 0.02, 0.05, 0.1, 0.2].into_iter().find(fits);
    let step = step.unwrap_or(0.5);
    let first = (low / step).ceil() as i64;
    let last = (high.min(1.) / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legend_stays_within_the_picture() {
        let entries = ["SOEL", "PUSVDD", "true share, 0.053"];
        for (width, rows) in [(236., 2), (472., 1)] {
            let places = legend_places(&entries, width);
            for (entry, (x, _)) in entries.iter().zip(&places) {
                assert!(
                    x + 25. + LETTER * entry.len() as f64 <= width,
                    "{entry} {places:?}"
                );
            }
            let tops: Vec<_> = places.iter().map(|(_, y)| (y / ROW) as usize + 1).collect();
            assert_eq!(tops.iter().max(), Some(&rows), "{places:?}");
        }
    }

    #[test]
    fn axes_hold_the_bands_and_stay_below_one() {
        let point = |mean, deviation| Point {
            dataset: "MNIST".into(),
            method: "PUSVDD".into(),
            x: 0.1,
            mean,
            deviation,
            runs: 3,
        };
        let (first, second) = (point(0.9, 0.05), point(0.99, 0.05));
        let (low, high) = range(&[&first, &second]);
        assert!(low < 0.85 && (1. ..1.01).contains(&high), "{low} {high}");
        let ticks = steps(low, high);
        assert!((3..=7).contains(&ticks.len()), "{ticks:?}");
        assert!(
            ticks.iter().all(|tick| (low..=1.).contains(tick)),
            "{ticks:?}"
        );
    }
}
