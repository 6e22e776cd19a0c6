use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use resvg::{tiny_skia, usvg};

use crate::colour::INK;

/// Pixels of the PNG a unit of the SVG.
const SCALE: f32 = 2.;

/// A drawing of a given size; y grows downwards.
pub struct Figure {
    width: f64,
    height: f64,
    body: String,
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    /// The text begins there.
    Start,
    /// The text is centred there.
    Middle,
    /// The text ends there.
    End,
}

impl Figure {
    /// An empty drawing, in units of which the PNG has two pixels each.
    pub fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            body: String::new(),
        }
    }

    /// A line of text, `size` units high, `(x, y)` on its base line.
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

    /// A line of text that runs upwards, centred at `(x, y)`.
    pub fn turned_text(&mut self, x: f64, y: f64, size: f64, text: &str) {
        let _ = writeln!(
            self.body,
            r#"<g transform="translate({x:.1} {y:.1}) rotate(-90)">"#
        );
        self.text(0., 0., size, Anchor::Middle, text);
        let _ = writeln!(self.body, "</g>");
    }

    /// A line through points, `width` units wide.
    pub fn line(&mut self, points: &[(f64, f64)], colour: &str, width: f64, dashed: bool) {
        let dash = if dashed {
            r#" stroke-dasharray="5 3""#
        } else {
            ""
        };
        let _ = writeln!(
            self.body,
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"{dash}/>"#,
            joined(points)
        );
    }

    /// The outline of a rectangle, by its upper left corner.
    pub fn frame(&mut self, x: f64, y: f64, width: f64, height: f64) {
        let _ = writeln!(
            self.body,
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" stroke="{INK}" stroke-width="0.8"/>"#
        );
    }

    /// A closed shape that what is below it shines through: `opacity` from 0 to 1.
    pub fn area(&mut self, points: &[(f64, f64)], colour: &str, opacity: f64) {
        let _ = writeln!(
            self.body,
            r#"<polygon points="{}" fill="{colour}" fill-opacity="{opacity}"/>"#,
            joined(points)
        );
    }

    /// A closed shape with a white rim, so that it shows on any ground.
    fn shape(&mut self, points: &[(f64, f64)], colour: &str) {
        let _ = writeln!(
            self.body,
            r#"<polygon points="{}" fill="{colour}" stroke="white" stroke-width="0.7"/>"#,
            joined(points)
        );
    }

    /// A disc around a point.
    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, colour: &str) {
        let _ = writeln!(
            self.body,
            r#"<circle cx="{x:.2}" cy="{y:.2}" r="{radius}" fill="{colour}" stroke="white" stroke-width="0.4"/>"#
        );
    }

    /// A triangle around a point, its upper corner `r` above it.
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

    /// A square around a point, of side `2 r`.
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

    /// A star of five points around a point, its tips `r` from it.
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

    /// `rgb`: `[rows, columns, 3]`, each a square of side `scale`, from the upper left corner. A path a colour:
    /// for photographs and other images of many colours.
    pub fn image(&mut self, (x, y): (f64, f64), scale: f64, columns: usize, rgb: &[[u8; 3]]) {
        let mut paths: BTreeMap<[u8; 3], String> = BTreeMap::new();
        for (i, row) in rgb.chunks_exact(columns).enumerate() {
            let mut start = 0;
            for run in row.chunk_by(|a, b| a == b) {
                let n = run.len();
                let path = paths.entry(run[0]).or_default();
                let _ = write!(path, "M{start} {i}h{n}v1h-{n}z");
                start += n;
            }
        }
        let _ = writeln!(
            self.body,
            r#"<g transform="translate({x:.2} {y:.2}) scale({scale})" shape-rendering="crispEdges">"#
        );
        for ([r, g, b], path) in paths {
            let _ = writeln!(
                self.body,
                r##"<path fill="#{r:02x}{g:02x}{b:02x}" d="{path}"/>"##
            );
        }
        let _ = writeln!(self.body, "</g>");
    }

    /// Writes `stem.svg` and `stem.png`, and makes their folder.
    ///
    /// # Errors
    /// Of the file system, and of a drawing without area.
    pub fn save(&self, stem: &Path) -> Result<(), Box<dyn Error>> {
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

/// Points as SVG lists them.
fn joined(points: &[(f64, f64)]) -> String {
    let points = points.iter().map(|(x, y)| format!("{x:.2},{y:.2}"));
    points.collect::<Vec<_>>().join(" ")
}
