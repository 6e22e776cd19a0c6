//! Drawing one digit: a random hand, a curve through its points, and ink.

use rand::Rng;

use super::strokes::{DIGITS, Stroke};

/// Height of an upright digit as a share of the image's.
const HEIGHT: f64 = 0.7;

/// Straight pieces between two points of a stroke.
const PIECES: usize = 6;

/// A sum of three uniform draws with mean 0 and variance 1, within [-3, 3].
fn bell(rng: &mut impl Rng) -> f64 {
    let sum: f64 = (0..3).map(|_| rng.random::<f64>()).sum();
    2. * sum - 3.
}

fn between(low: f64, high: f64, rng: &mut impl Rng) -> f64 {
    low + (high - low) * rng.random::<f64>()
}

/// How one digit is written, drawn once an image.
struct Hand {
    /// Quadratic bending of the box.
    bend: [f64; 4],
    /// `[[xx, xy], [yx, yy]]`: scale, slant and rotation, into units of the image's side.
    map: [[f64; 2]; 2],
    shift: [f64; 2],
    /// Pen radius and the width of its soft edge, in pixels.
    radius: f64,
    edge: f64,
    /// Brightness of full ink, in [0, 1].
    ink: f64,
    /// Standard deviation of the noise, in [0, 1].
    noise: f64,
}

impl Hand {
    fn new(size: usize, rng: &mut impl Rng) -> Self {
        let side = size as f64;
        let bend = std::array::from_fn(|_| 0.2 * bell(rng));
        let (width, height) = (between(0.72, 1.12, rng), between(0.86, 1.08, rng));
        let slant = 0.12 + 0.17 * bell(rng);
        // Tangent of half the angle: cosine and sine without trigonometry. One standard deviation is 4 degrees.
        let t = 0.035 * bell(rng);
        let (cos, sin) = ((1. - t * t) / (1. + t * t), 2. * t / (1. + t * t));
        // Rotation * slant * scale; `y` points down, so a positive slant leans right.
        let (a, b, d) = (HEIGHT * width, -HEIGHT * slant * height, HEIGHT * height);
        Self {
            bend,
            map: [[cos * a, cos * b - sin * d], [sin * a, sin * b + cos * d]],
            shift: std::array::from_fn(|_| 0.025 * bell(rng)),
            radius: side * between(0.035, 0.07, rng),
            edge: (side * between(0.04, 0.09, rng)).max(1.),
            ink: between(0.75, 1., rng),
            noise: between(0.01, 0.05, rng),
        }
    }

    /// From the digit's box to pixels.
    fn place(&self, (x, y): (f64, f64), size: usize) -> (f64, f64) {
        let [p, q, r, s] = self.bend;
        let (x, y) = (
            x + p * (y * y - 0.12) + q * x * y,
            y + r * x * x + s * x * y,
        );
        let [[xx, xy], [yx, yy]] = self.map;
        let at = |v: f64, shift: f64| (v + shift + 0.5) * size as f64;
        (
            at(xx * x + xy * y, self.shift[0]),
            at(yx * x + yy * y, self.shift[1]),
        )
    }
}

/// Draws digit `class` into `image`, `[size, size]`. `canvas` is scratch space.
pub(super) fn draw(
    class: usize,
    size: usize,
    image: &mut [u8],
    canvas: &mut Vec<f64>,
    rng: &mut impl Rng,
) {
    let forms = DIGITS[class];
    let form = forms[rng.random_range(0..forms.len() as u32) as usize];
    let hand = Hand::new(size, rng);
    canvas.clear();
    canvas.resize(size * size, 0.);
    for stroke in form {
        let points: Vec<_> = jittered(stroke, rng)
            .into_iter()
            .map(|p| hand.place(p, size))
            .collect();
        let start = hand.radius * (1. + 0.12 * bell(rng));
        let end = hand.radius * (1. + 0.12 * bell(rng));
        ink(&curve(&points), [start, end], hand.edge, size, canvas);
    }
    for (pixel, coverage) in image.iter_mut().zip(canvas.iter()) {
        let value = hand.ink * coverage + hand.noise * bell(rng);
        *pixel = (255. * value.clamp(0., 1.) + 0.5) as u8;
    }
}

/// An unsteady hand. A closed stroke need not meet its start exactly.
fn jittered(stroke: Stroke, rng: &mut impl Rng) -> Vec<(f64, f64)> {
    let move_by = |&(x, y): &(f64, f64)| (x + 0.02 * bell(rng), y + 0.02 * bell(rng));
    stroke.iter().map(move_by).collect()
}

/// A Catmull-Rom spline through the points, as a polyline.
fn curve(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let last = points.len() - 1;
    let mut line = Vec::with_capacity(last * PIECES + 1);
    for i in 0..last {
        let (a, b, c, d) = (
            points[i.saturating_sub(1)],
            points[i],
            points[i + 1],
            points[(i + 2).min(last)],
        );
        for piece in 0..PIECES {
            let t = piece as f64 / PIECES as f64;
            let at = |a: f64, b: f64, c: f64, d: f64| {
                let cubic = 3. * (b - c) + d - a;
                let square = 2. * a - 5. * b + 4. * c - d;
                b + 0.5 * t * ((c - a) + t * (square + t * cubic))
            };
            line.push((at(a.0, b.0, c.0, d.0), at(a.1, b.1, c.1, d.1)));
        }
    }
    line.push(points[last]);
    line
}

/// Covers the pixels near the line, whose pen radius goes from the first to the second.
fn ink(line: &[(f64, f64)], radii: [f64; 2], edge: f64, size: usize, canvas: &mut [f64]) {
    let pieces = line.len() - 1;
    for (i, ends) in line.windows(2).enumerate() {
        let share = i as f64 / pieces as f64;
        let radius = radii[0] + (radii[1] - radii[0]) * share;
        let reach = radius + edge / 2.;
        let (p, q) = (ends[0], ends[1]);
        let range = |a: f64, b: f64| {
            let low = (a.min(b) - reach - 0.5).clamp(0., size as f64) as usize;
            let high = (a.max(b) + reach + 0.5).clamp(0., size as f64) as usize;
            low..high
        };
        for row in range(p.1, q.1) {
            for column in range(p.0, q.0) {
                let centre = (column as f64 + 0.5, row as f64 + 0.5);
                let depth = (reach - distance(centre, p, q)) / edge;
                let depth = depth.clamp(0., 1.);
                let coverage = depth * depth * (3. - 2. * depth);
                let pixel = &mut canvas[row * size + column];
                *pixel = pixel.max(coverage);
            }
        }
    }
}

/// Distance of `x` from the segment between `p` and `q`.
fn distance(x: (f64, f64), p: (f64, f64), q: (f64, f64)) -> f64 {
    let (dx, dy) = (q.0 - p.0, q.1 - p.1);
    let (ex, ey) = (x.0 - p.0, x.1 - p.1);
    let square = dx * dx + dy * dy;
    let t = if square > 0. {
        ((ex * dx + ey * dy) / square).clamp(0., 1.)
    } else {
        0.
    };
    let (fx, fy) = (ex - t * dx, ey - t * dy);
    (fx * fx + fy * fy).sqrt()
}
