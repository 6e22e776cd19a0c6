//! The picture: a row a half, the series above its scores.

use std::fmt::Write;
use std::ops::Range;

use puad::series::{Alarm, PointScores, Series};

use crate::generate::Event;

const WIDTH: f64 = 1500.;
const LEFT: f64 = 60.;
const RIGHT: f64 = 20.;
const SERIES: f64 = 150.;
const SCORES: f64 = 80.;
const ROW: f64 = SERIES + SCORES + 90.;
const TOP: f64 = 50.;

/// Safe for the colour-blind (Okabe and Ito).
const EVENT: &str = "#c8c8c8";
const LABELED: &str = "#56b4e9";
const ALARM: &str = "#d55e00";

pub struct Row {
    pub title: String,
    pub series: Series,
    pub scores: PointScores,
    pub threshold: f64,
    pub alarms: Vec<Alarm>,
    pub events: Vec<Event>,
    pub labeled: Vec<Range<usize>>,
}

pub fn picture(rows: &[Row]) -> String {
    let height = TOP + ROW * rows.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    legend(&mut svg);
    for (at, row) in rows.iter().enumerate() {
        draw(&mut svg, row, TOP + ROW * at as f64);
    }
    svg + "</svg>\n"
}

fn legend(svg: &mut String) {
    let mut x = LEFT;
    for (colour, text) in [
        (EVENT, "event without a label"),
        (LABELED, "labeled event"),
        (ALARM, "alarm"),
    ] {
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"14\" width=\"14\" height=\"14\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"26\">{text}</text>",
            x + 20.
        );
        x += 190.;
    }
}

fn draw(svg: &mut String, row: &Row, top: f64) {
    let points = row.series.len();
    let x = |point: usize| LEFT + (WIDTH - LEFT - RIGHT) * point as f64 / points as f64;
    let below = top + 24. + SERIES + 10.;
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"bold\">{}</text>",
        top + 14.,
        row.title
    );
    let bar = |svg: &mut String, range: &Range<usize>, colour: &str, y: f64, height: f64| {
        // So that a spike of one point is seen.
        let width = (x(range.end) - x(range.start)).max(3.);
        let _ = writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{colour}\"/>",
            x(range.start)
        );
    };
    for event in &row.events {
        bar(svg, &event.points, EVENT, top + 24., SERIES);
    }
    for labeled in &row.labeled {
        bar(svg, labeled, LABELED, top + 24., SERIES);
    }
    for alarm in &row.alarms {
        bar(svg, &alarm.points, ALARM, below + SCORES + 4., 8.);
    }
    let values: Vec<f64> = (0..points)
        .map(|point| row.series.at(point)[0].into())
        .collect();
    let scale = Scale::of(&values, top + 24., SERIES);
    line(svg, &values, 0, &scale, x, "#000000");
    let scores = row.scores.known();
    let scale = Scale::of(scores, below, SCORES);
    line(svg, scores, row.scores.first(), &scale, x, "#009e73");
    let y = scale.y(row.threshold);
    let _ = writeln!(
        svg,
        "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{ALARM}\" stroke-dasharray=\"5 4\"/>",
        WIDTH - RIGHT
    );
    for (text, y) in [
        ("series", top + 24. + SERIES / 2.),
        ("score", below + SCORES / 2.),
    ] {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{text}</text>",
            LEFT - 8.
        );
    }
}

/// Values as a line.
fn line(
    svg: &mut String,
    values: &[f64],
    first: usize,
    scale: &Scale,
    x: impl Fn(usize) -> f64,
    colour: &str,
) {
    let places: Vec<String> = (first..)
        .zip(values)
        .map(|(point, &value)| format!("{:.1},{:.1}", x(point), scale.y(value)))
        .collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"0.9\"/>",
        places.join(" ")
    );
}

/// Where values are drawn between the lowest and the highest.
struct Scale {
    low: f64,
    width: f64,
    top: f64,
    height: f64,
}

impl Scale {
    fn of(values: &[f64], top: f64, height: f64) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let width = if high > low { high - low } else { 1. };
        Self {
            low,
            width,
            top,
            height,
        }
    }

    fn y(&self, value: f64) -> f64 {
        self.top + self.height * (1. - (value - self.low) / self.width)
    }
}
