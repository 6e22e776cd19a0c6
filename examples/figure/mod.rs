//! Small pictures for the examples: a drawing in SVG, and the same as PNG.
//!
//! Colours are those of Okabe and Ito, which people with colour blindness can tell apart.
#![allow(dead_code)]

use std::fmt::Write as _;
use std::path::Path;

use puad::train::History;
use resvg::{tiny_skia, usvg};

/// Pixels of the PNG a unit of the SVG.
const SCALE: f32 = 2.;

pub const BLUE: &str = "#0072B2";
pub const SKY: &str = "#56B4E9";
pub const ORANGE: &str = "#E69F00";
pub const VERMILLION: &str = "#D55E00";
pub const INK: &str = "#222222";
pub const FAINT: &str = "#888888";

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A drawing of a given size; y grows downwards.
pub struct Figure {
    width: f64,
    height: f64,
    body: String,
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Figure {
    pub fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            body: String::new(),
        }
    }

    pub fn text(&mut self, x: f64, y: f64, size: f64, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            self.body,
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{size}" text-anchor="{anchor}" fill="{INK}">{text}</text>"#
        );
    }

    pub fn line(&mut self, points: &[(f64, f64)], colour: &str, width: f64, dashed: bool) {
        let dash = if dashed {
            r#" stroke-dasharray="5 3""#
        } else {
            ""
        };
        let path: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.2},{y:.2}"))
            .collect();
        let _ = writeln!(
            self.body,
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"{dash}/>"#,
            path.join(" ")
        );
    }

    pub fn frame(&mut self, x: f64, y: f64, width: f64, height: f64) {
        let _ = writeln!(
            self.body,
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" stroke="{INK}" stroke-width="0.8"/>"#
        );
    }

    /// A closed shape with a white rim, so that it shows on any ground.
    fn shape(&mut self, points: &[(f64, f64)], colour: &str) {
        let path: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.2},{y:.2}"))
            .collect();
        let _ = writeln!(
            self.body,
            r#"<polygon points="{}" fill="{colour}" stroke="white" stroke-width="0.7"/>"#,
            path.join(" ")
        );
    }

    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, colour: &str) {
        let _ = writeln!(
            self.body,
            r#"<circle cx="{x:.2}" cy="{y:.2}" r="{radius}" fill="{colour}" stroke="white" stroke-width="0.4"/>"#
        );
    }

    pub fn triangle(&mut self, (x, y): (f64, f64), r: f64, colour: &str) {
        self.shape(
            &[
                (x, y - r),
                (x + 0.9 * r, y + 0.6 * r),
                (x - 0.9 * r, y + 0.6 * r),
            ],
            colour,
        );
    }

    pub fn square(&mut self, (x, y): (f64, f64), r: f64, colour: &str) {
        self.shape(
            &[
                (x - r, y - r),
                (x + r, y - r),
                (x + r, y + r),
                (x - r, y + r),
            ],
            colour,
        );
    }

    pub fn star(&mut self, (x, y): (f64, f64), r: f64, colour: &str) {
        let corner = |i: u32| {
            let angle = f64::from(i) * std::f64::consts::PI / 5.;
            let r = if i.is_multiple_of(2) { r } else { 0.42 * r };
            (x + r * angle.sin(), y - r * angle.cos())
        };
        self.shape(&(0..10).map(corner).collect::<Vec<_>>(), colour);
    }

    /// `rgb`: `[rows, columns, 3]`, stretched over the rectangle `[x, y, width, height]`; equal
    /// neighbours in a row become one rectangle.
    pub fn pixels(&mut self, [x, y, width, height]: [f64; 4], columns: usize, rgb: &[[u8; 3]]) {
        let (w, h) = (
            width / columns as f64,
            height * columns as f64 / rgb.len() as f64,
        );
        // Rounded or blended edges would let the ground through between neighbours.
        const OVERLAP: f64 = 0.3;
        let _ = writeln!(self.body, r#"<g shape-rendering="crispEdges">"#);
        for (i, row) in rgb.chunks_exact(columns).enumerate() {
            let mut start = 0;
            for run in row.chunk_by(|a, b| a == b) {
                let [r, g, b] = run[0];
                let (left, top) = (x + w * start as f64, y + h * i as f64);
                let _ = writeln!(
                    self.body,
                    r##"<rect x="{left:.2}" y="{top:.2}" width="{:.2}" height="{:.2}" fill="#{r:02x}{g:02x}{b:02x}"/>"##,
                    w * run.len() as f64 + OVERLAP,
                    h + OVERLAP
                );
                start += run.len();
            }
        }
        let _ = writeln!(self.body, "</g>");
    }

    /// Writes `stem.svg` and `stem.png`.
    pub fn save(&self, stem: &Path) -> Outcome {
        let (width, height) = (self.width, self.height);
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"Ubuntu, Helvetica, Arial, sans-serif\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{}</svg>\n",
            self.body
        );
        if let Some(folder) = stem.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(stem.with_extension("svg"), &svg)?;

        let mut options = usvg::Options::default();
        let fonts = options.fontdb_mut();
        fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
        // Whatever the machine has installed, the picture has this one.
        let family = fonts
            .faces()
            .next()
            .and_then(|face| face.families.first().cloned());
        if let Some((family, _)) = family {
            fonts.set_sans_serif_family(family);
        }
        let tree = usvg::Tree::from_str(&svg, &options)?;
        let (w, h) = (SCALE * width as f32, SCALE * height as f32);
        let mut map = tiny_skia::Pixmap::new(w as u32, h as u32).ok_or("an empty figure")?;
        resvg::render(
            &tree,
            tiny_skia::Transform::from_scale(SCALE, SCALE),
            &mut map.as_mut(),
        );
        map.save_png(stem.with_extension("png"))?;
        Ok(())
    }
}

/// From white over blue-grey to near black: its lightness falls evenly.
pub fn shade(t: f64) -> [u8; 3] {
    const STOPS: [[f64; 3]; 5] = [
        [255., 255., 255.],
        [214., 220., 232.],
        [160., 172., 200.],
        [104., 118., 156.],
        [56., 66., 104.],
    ];
    let position = t.clamp(0., 1.) * (STOPS.len() - 1) as f64;
    let i = (position as usize).min(STOPS.len() - 2);
    let share = position - i as f64;
    std::array::from_fn(|c| (STOPS[i][c] + share * (STOPS[i + 1][c] - STOPS[i][c])) as u8)
}

/// From black over violet and orange to pale yellow, for errors: its lightness rises evenly.
pub fn heat(t: f64) -> [u8; 3] {
    const STOPS: [[f64; 3]; 5] = [
        [0., 0., 4.],
        [87., 16., 110.],
        [188., 55., 84.],
        [249., 142., 9.],
        [252., 255., 164.],
    ];
    let position = t.clamp(0., 1.) * (STOPS.len() - 1) as f64;
    let i = (position as usize).min(STOPS.len() - 2);
    let share = position - i as f64;
    std::array::from_fn(|c| (STOPS[i][c] + share * (STOPS[i + 1][c] - STOPS[i][c])) as u8)
}

/// The segments along which a field on a grid, `[rows, columns]`, crosses `level`, in grid units.
pub fn contour(field: &[f64], columns: usize, level: f64) -> Vec<[(f64, f64); 2]> {
    let rows = field.len() / columns;
    let at = |i: usize, j: usize| field[i * columns + j] - level;
    let mut segments = Vec::new();
    for i in 0..rows - 1 {
        for j in 0..columns - 1 {
            // The corners in turn, each with its position.
            let corners = [(i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j)];
            let mut crossings = Vec::new();
            for k in 0..4 {
                let ((i0, j0), (i1, j1)) = (corners[k], corners[(k + 1) % 4]);
                let (a, b) = (at(i0, j0), at(i1, j1));
                if (a < 0.) != (b < 0.) {
                    let t = a / (a - b);
                    let mix = |p: usize, q: usize| p as f64 + t * (q as f64 - p as f64);
                    crossings.push((mix(j0, j1), mix(i0, i1)));
                }
            }
            for pair in crossings.chunks_exact(2) {
                segments.push([pair[0], pair[1]]);
            }
        }
    }
    segments
}

/// Training and validation risk over the epochs, with the epoch that was kept.
pub fn training_curves(title: &str, history: &History) -> Figure {
    const SIDES: [f64; 4] = [56., 34., 440., 220.];
    let mut figure = Figure::new(520., 300.);
    let epochs = &history.epochs;
    let values = epochs.iter().flat_map(|e| [e.risk, e.validation_risk]);
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    let pad = 0.05 * (high - low).max(1e-12);
    let (low, high) = (low - pad, high + pad);
    let [left, top, width, height] = SIDES;
    let last = epochs.len().max(2) as f64;
    let x = |epoch: f64| left + (epoch - 1.) / (last - 1.) * width;
    let y = |risk: f64| top + (high - risk) / (high - low) * height;
    for i in 0..=4 {
        let risk = low + (high - low) * f64::from(i) / 4.;
        figure.line(
            &[(left, y(risk)), (left + width, y(risk))],
            "#dddddd",
            0.6,
            false,
        );
        figure.text(
            left - 6.,
            y(risk) + 4.,
            11.,
            Anchor::End,
            &format!("{risk:.3}"),
        );
        let epoch = (1. + (last - 1.) * f64::from(i) / 4.).round();
        figure.text(
            x(epoch),
            top + height + 16.,
            11.,
            Anchor::Middle,
            &format!("{epoch}"),
        );
    }
    figure.frame(left, top, width, height);
    let best = history.best_epoch as f64;
    figure.line(&[(x(best), top), (x(best), top + height)], FAINT, 1., true);
    type Risk = fn(&puad::train::EpochReport) -> f64;
    let curves: [(Risk, &str, &str); 2] = [
        (|e| e.risk, BLUE, "training risk"),
        (|e| e.validation_risk, VERMILLION, "validation risk"),
    ];
    for (i, (risk, colour, name)) in curves.into_iter().enumerate() {
        let points: Vec<_> = epochs
            .iter()
            .map(|e| (x(e.epoch as f64), y(risk(e))))
            .collect();
        figure.line(&points, colour, 1.8, false);
        // Above the plot, not on it.
        let at = left + 150. + 118. * i as f64;
        figure.line(&[(at, 22.), (at + 18., 22.)], colour, 2.4, false);
        figure.text(at + 23., 26., 12., Anchor::Start, name);
    }
    figure.line(&[(left + 392., 22.), (left + 408., 22.)], FAINT, 1.2, true);
    figure.text(left + 412., 26., 12., Anchor::Start, "kept");
    figure.text(left, 26., 13., Anchor::Start, title);
    figure.text(
        left + width / 2.,
        top + height + 34.,
        12.,
        Anchor::Middle,
        "epoch",
    );
    figure
}
