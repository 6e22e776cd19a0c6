//! Colours that people with colour blindness can tell apart: Okabe and Ito's, and scales whose lightness
//! alone says where on them a value is.

/// Okabe and Ito's blue.
pub const BLUE: &str = "#0072B2";
/// Okabe and Ito's orange.
pub const ORANGE: &str = "#E69F00";
/// Okabe and Ito's vermillion.
pub const VERMILLION: &str = "#D55E00";
/// Texts, frames and lines.
pub const INK: &str = "#222222";
/// What is not to stand out.
pub const FAINT: &str = "#888888";

/// From white over blue-grey to near black, for `t` from 0 to 1: its lightness falls evenly.
pub fn shade(t: f64) -> [u8; 3] {
    between(
        [
            [255., 255., 255.],
            [214., 220., 232.],
            [160., 172., 200.],
            [104., 118., 156.],
            [56., 66., 104.],
        ],
        t,
    )
}

/// From black over violet and orange to pale yellow, for errors `t` from 0 to 1: its lightness rises
/// evenly.
pub fn heat(t: f64) -> [u8; 3] {
    between(
        [
            [0., 0., 4.],
            [87., 16., 110.],
            [188., 55., 84.],
            [249., 142., 9.],
            [252., 255., 164.],
        ],
        t,
    )
}

/// The colour at `t` of the way from the first stop to the last.
fn between(stops: [[f64; 3]; 5], t: f64) -> [u8; 3] {
    let position = t.clamp(0., 1.) * (stops.len() - 1) as f64;
    let i = (position as usize).min(stops.len() - 2);
    let share = position - i as f64;
    std::array::from_fn(|c| (stops[i][c] + share * (stops[i + 1][c] - stops[i][c])) as u8)
}
