//! A report as a picture.

use super::axis::label;
use super::canvas::{Anchor, Canvas, INK, Pen};
use super::curve::CurvePoint;
use super::estimate::percent;
use super::markdown::labeled;
use super::{AtBudget, Report};

const WIDTH: f64 = 800.;
const LEFT: f64 = 44.;
const RIGHT: f64 = 776.;
/// Of the curves alone.
const PLOT: f64 = 300.;
/// What stands above thresholds' labels.
const HEAD: f64 = 84.;
/// A line of text.
const LANE: f64 = 17.;
const SMALL: f64 = 12.5;
/// About, of a letter of [`SMALL`]'s size.
const LETTER: f64 = 6.5;

/// Okabe and Ito's colours, which people with colour blindness can tell apart; the curves differ in their dashes and
/// areas too.
const UNLABELED: Pen = Pen {
    colour: "#777777",
    width: 1.2,
    dash: "",
};
const ANOMALIES: Pen = Pen {
    colour: "#D55E00",
    width: 2.2,
    dash: "7 3",
};
const NORMAL: Pen = Pen {
    colour: "#0072B2",
    width: 2.2,
    dash: "",
};
const THRESHOLD: Pen = Pen {
    colour: INK,
    width: 1.,
    dash: "2 3",
};
const FRAME: Pen = Pen {
    colour: INK,
    width: 0.8,
    dash: "",
};

pub(super) fn of(report: &Report) -> String {
    let plot = Plot::new(report);
    let lanes = place(marks(&report.budgets, &plot));
    let rows = lanes.iter().map(|mark| mark.lane + 1).max().unwrap_or(0);
    let top = HEAD + LANE * rows as f64 + 6.;
    let plot = Plot { top, ..plot };
    let mut canvas = Canvas::new();
    head(&mut canvas, report);
    plot.curves(&mut canvas);
    plot.rug(&mut canvas);
    plot.frame(&mut canvas);
    // Labels over all strokes.
    lanes
        .iter()
        .for_each(|mark| mark.stroke(&mut canvas, &plot));
    lanes.iter().for_each(|mark| mark.label(&mut canvas, &plot));
    let height = foot(&mut canvas, report, plot.bottom() + 58.);
    canvas.finish(
        WIDTH,
        height,
        "Scores of unlabeled samples, of labeled anomalies, and of normals as estimated",
    )
}

/// Whose scores, what is estimated, and which curve is whose.
fn head(canvas: &mut Canvas, report: &Report) {
    let Report {
        unlabeled,
        anomalies,
        source,
        prior,
        ..
    } = report;
    let at = |y| (LEFT, y);
    let anomalies = labeled(*anomalies);
    let first = format!("Scores of {unlabeled} unlabeled samples and {anomalies} ({source})");
    canvas.text(at(24.), 16., Anchor::Start, &first);
    let auroc = report
        .auroc
        .map_or("no estimate".to_owned(), |auroc| auroc.to_string());
    let level = percent(report.level);
    let alpha = prior.alpha.get();
    let (low, high) = (percent(prior.low.get()), percent(prior.high.get()));
    let second = format!(
        "class prior {}% ({low} to {high}); AUROC against normals {auroc}; {level}% intervals",
        percent(alpha)
    );
    canvas.text(at(45.), SMALL, Anchor::Start, &second);
    let mut x = LEFT;
    let legend = [
        (UNLABELED, "unlabeled"),
        (NORMAL, "normal, estimated"),
        (ANOMALIES, "labeled anomalies"),
    ];
    for (pen, name) in legend {
        if pen.colour == UNLABELED.colour {
            let corners = [(x, 60.), (x + 26., 60.), (x + 26., 70.), (x, 70.)];
            canvas.area(&corners, pen.colour, 0.3);
        } else {
            canvas.line(&[(x, 65.), (x + 26., 65.)], pen);
        }
        canvas.text((x + 32., 69.5), SMALL, Anchor::Start, name);
        x += 62. + LETTER * name.len() as f64;
    }
}

/// Budgets without a threshold to draw, in lines from `y` on. Where the picture ends.
fn foot(canvas: &mut Canvas, report: &Report, mut y: f64) -> f64 {
    let beyond = report.curves.beyond;
    if beyond > 0 {
        let text = format!("{beyond} scores beyond the axis are counted where it ends");
        canvas.text((LEFT, y), SMALL, Anchor::Start, &text);
        y += LANE;
    }
    for at in report.budgets.iter().filter(|at| !at.support.is_estimate()) {
        let text = format!("{}: {}", at.budget, at.support);
        canvas.text((LEFT, y), SMALL, Anchor::Start, &text);
        y += LANE;
    }
    y
}

/// Where scores and densities lie in the picture.
struct Plot<'a> {
    report: &'a Report,
    top: f64,
    low: f64,
    width: f64,
    highest: f64,
}

impl<'a> Plot<'a> {
    fn new(report: &'a Report) -> Self {
        let points = &report.curves.points;
        let low = points.first().map_or(0., |point| point.position);
        let high = points.last().map_or(1., |point| point.position);
        let of = |p: &CurvePoint| p.unlabeled.max(p.anomalies).max(p.normal.unwrap_or(0.));
        let highest = points.iter().map(of).fold(0., f64::max);
        Self {
            report,
            top: 0.,
            low,
            width: if high > low { high - low } else { 1. },
            highest: if highest > 0. { highest } else { 1. },
        }
    }

    fn bottom(&self) -> f64 {
        self.top + PLOT
    }

    fn x(&self, position: f64) -> f64 {
        let share = ((position - self.low) / self.width).clamp(0., 1.);
        LEFT + share * (RIGHT - LEFT)
    }

    /// The square root of a density, as in Tukey's rootogram: tails, where thresholds lie, can be seen.
    fn y(&self, density: f64) -> f64 {
        self.bottom() - 0.95 * PLOT * (density / self.highest).clamp(0., 1.).sqrt()
    }

    fn curves(&self, canvas: &mut Canvas) {
        let points = &self.report.curves.points;
        let place = |p: &CurvePoint, density: f64| (self.x(p.position), self.y(density));
        let unlabeled: Vec<_> = points.iter().map(|p| place(p, p.unlabeled)).collect();
        let corners = [(LEFT, self.bottom()), (RIGHT, self.bottom())];
        let area = [&corners[..1], &unlabeled, &corners[1..]].concat();
        canvas.area(&area, UNLABELED.colour, 0.3);
        canvas.line(&unlabeled, UNLABELED);
        let normal: Vec<_> = points
            .iter()
            .filter_map(|p| Some(place(p, p.normal?)))
            .collect();
        if !normal.is_empty() {
            canvas.line(&normal, NORMAL);
        }
        let anomalies: Vec<_> = points.iter().map(|p| place(p, p.anomalies)).collect();
        canvas.line(&anomalies, ANOMALIES);
    }

    /// A stroke for each labeled anomaly.
    fn rug(&self, canvas: &mut Canvas) {
        let curves = &self.report.curves;
        for &score in &curves.anomalies {
            let x = self.x(curves.axis.position(score));
            let (from, to) = (self.bottom() + 2., self.bottom() + 9.);
            canvas.line(
                &[(x, from), (x, to)],
                Pen {
                    width: 1.2,
                    dash: "",
                    ..ANOMALIES
                },
            );
        }
    }

    fn frame(&self, canvas: &mut Canvas) {
        let (top, bottom) = (self.top, self.bottom());
        let corners = [
            (LEFT, top),
            (RIGHT, top),
            (RIGHT, bottom),
            (LEFT, bottom),
            (LEFT, top),
        ];
        canvas.line(&corners, FRAME);
        let axis = &self.report.curves.axis;
        for tick in axis.ticks(self.low, self.low + self.width, 8) {
            let x = self.x(axis.position(tick));
            canvas.line(&[(x, bottom), (x, bottom + 12.)], FRAME);
            canvas.text((x, bottom + 25.), SMALL, Anchor::Middle, &label(tick, 4));
        }
        let middle = 0.5 * (LEFT + RIGHT);
        let name = "score (linear in the middle, logarithmic far from it)";
        canvas.text((middle, bottom + 41.), SMALL, Anchor::Middle, name);
        let name = "density (square root)";
        canvas.turned_text((LEFT - 12., 0.5 * (top + bottom)), SMALL, name);
    }
}

/// A threshold and its label.
struct Mark {
    x: f64,
    text: String,
    /// The line of labels that it stands in, counted from the plot upwards.
    lane: usize,
}

fn marks(budgets: &[AtBudget], plot: &Plot<'_>) -> Vec<Mark> {
    let axis = &plot.report.curves.axis;
    let mark = |at: &AtBudget| {
        let precision = at
            .precision
            .map_or(String::new(), |p| format!(", precision {}", p.in_percent()));
        Some(Mark {
            x: plot.x(axis.position(at.threshold?)),
            text: format!("{}{precision}", at.budget),
            lane: 0,
        })
    };
    budgets.iter().filter_map(mark).collect()
}

/// Each label in the lowest line that has room for it above the labels before. A stroke begins at its label, so that
/// none is crossed: labels stand on the left of their strokes, the leftmost lowest; where there is no room on the left
/// they stand on the right, the rightmost lowest.
fn place(marks: Vec<Mark>) -> Vec<Mark> {
    let (mut marks, mut turned): (Vec<_>, Vec<_>) = marks
        .into_iter()
        .partition(|mark| mark.anchor() == Anchor::End);
    marks.sort_by(|a, b| a.x.total_cmp(&b.x));
    turned.sort_by(|a, b| b.x.total_cmp(&a.x));
    marks.extend(turned);
    for i in 0..marks.len() {
        let (from, to) = marks[i].span();
        let in_the_way = |other: &&Mark| {
            let (start, end) = other.span();
            from <= end && start <= to
        };
        let above = marks[..i]
            .iter()
            .filter(in_the_way)
            .map(|other| other.lane + 1)
            .max();
        marks[i].lane = above.unwrap_or(0);
    }
    marks
}

impl Mark {
    fn length(&self) -> f64 {
        LETTER * self.text.chars().count() as f64 + 10.
    }

    fn anchor(&self) -> Anchor {
        if self.x - self.length() < 4. {
            Anchor::Start
        } else {
            Anchor::End
        }
    }

    /// From where to where label and stroke reach.
    fn span(&self) -> (f64, f64) {
        match self.anchor() {
            Anchor::End => (self.x - self.length(), self.x + 2.),
            _ => (self.x - 2., self.x + self.length()),
        }
    }

    /// Of the label.
    fn base(&self, plot: &Plot<'_>) -> f64 {
        plot.top - 8. - LANE * self.lane as f64
    }

    fn stroke(&self, canvas: &mut Canvas, plot: &Plot<'_>) {
        let from = self.base(plot) - 11.;
        canvas.line(&[(self.x, from), (self.x, plot.bottom())], THRESHOLD);
    }

    fn label(&self, canvas: &mut Canvas, plot: &Plot<'_>) {
        let anchor = self.anchor();
        let aside = if anchor == Anchor::End { -5. } else { 5. };
        canvas.text((self.x + aside, self.base(plot)), SMALL, anchor, &self.text);
    }
}
