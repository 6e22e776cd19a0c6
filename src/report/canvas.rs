//! Shapes and words of an SVG file.

use std::fmt::Write;

/// Texts, frames and lines.
pub(super) const INK: &str = "#222222";

/// A drawing; y grows downwards.
pub(super) struct Canvas {
    body: String,
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// How a line is drawn.
#[derive(Clone, Copy)]
pub(super) struct Pen {
    pub(super) colour: &'static str,
    pub(super) width: f64,
    /// Lengths of dashes and gaps; empty for none.
    pub(super) dash: &'static str,
}

impl Canvas {
    pub(super) fn new() -> Self {
        Self {
            body: String::new(),
        }
    }

    /// `(x, y)` on the base line.
    pub(super) fn text(&mut self, (x, y): (f64, f64), size: f64, anchor: Anchor, text: &str) {
        let (anchor, text) = (anchor.name(), escaped(text));
        self.line_of(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{size}" text-anchor="{anchor}" fill="{INK}" stroke="white" stroke-width="3" paint-order="stroke">{text}</text>"#
        ));
    }

    /// Runs upwards, centred at the point.
    pub(super) fn turned_text(&mut self, (x, y): (f64, f64), size: f64, text: &str) {
        self.line_of(format_args!(
            r#"<g transform="translate({x:.1} {y:.1}) rotate(-90)">"#
        ));
        self.text((0., 0.), size, Anchor::Middle, text);
        self.line_of(format_args!("</g>"));
    }

    pub(super) fn line(&mut self, points: &[(f64, f64)], pen: Pen) {
        let Pen {
            colour,
            width,
            dash,
        } = pen;
        let points = joined(points);
        self.line_of(format_args!(
            r#"<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round" stroke-dasharray="{}"/>"#,
            if dash.is_empty() { "none" } else { dash }
        ));
    }

    pub(super) fn area(&mut self, points: &[(f64, f64)], colour: &str, opacity: f64) {
        let points = joined(points);
        self.line_of(format_args!(
            r#"<polygon points="{points}" fill="{colour}" fill-opacity="{opacity}"/>"#
        ));
    }

    /// The whole file.
    pub(super) fn finish(self, width: f64, height: f64, title: &str) -> String {
        let title = escaped(title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"Helvetica, Arial, sans-serif\" role=\"img\">\n<title>{title}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{}</svg>\n",
            self.body
        )
    }

    fn line_of(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.body, "{what}");
    }
}

fn joined(points: &[(f64, f64)]) -> String {
    let points = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}"));
    points.collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    let line = text.replace(char::is_control, " ");
    line.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
