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
