//! Rows of machines: measurements that depend on each other, and on a few machines not as on the others.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use puad::data::output::{Cells, Kind, TableWriter};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

pub const COLUMNS: usize = 32;

type Row = [f32; COLUMNS];

/// What the measurements depend on.
const CAUSES: usize = 4;

/// One in so many rows of the file is unusual.
const UNUSUAL: usize = 50;

fn row(rng: &mut ChaCha8Rng, unusual: bool) -> Row {
    let causes: [f32; CAUSES] = std::array::from_fn(|_| StandardNormal.sample(rng));
    // An unusual row's causes work elsewhere.
    let shift = if unusual { 5 } else { 0 };
    std::array::from_fn(|column| {
        let of = (column + shift) % COLUMNS;
        let angle = of as f32 * 0.7;
        let noise: f32 = StandardNormal.sample(rng);
        let (a, b) = (causes[of % CAUSES], causes[(of / CAUSES) % CAUSES]);
        angle.cos() * a + angle.sin() * b * b.abs() + 0.2 * noise
    })
}

fn rows(n: usize, seed: u64, unusual: bool) -> Vec<Row> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| row(&mut rng, unusual)).collect()
}

pub fn normals(n: usize, seed: u64) -> Vec<Row> {
    rows(n, seed, false)
}

pub fn anomalies(n: usize, seed: u64) -> Vec<Row> {
    rows(n, seed, true)
}

/// Writes `n` rows, some of them unusual.
pub fn write(path: &Path, n: usize) -> anyhow::Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut next = move || {
        let unusual = rng.random_range(0..UNUSUAL) == 0;
        row(&mut rng, unusual)
    };
    if path.extension().is_some_and(|ending| ending == "parquet") {
        return write_parquet(path, n, &mut next);
    }
    let header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, {COLUMNS}), }}\n");
    let partial = path.with_extension("partial");
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&partial)?);
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&u16::try_from(header.len())?.to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    for _ in 0..n {
        for value in next() {
            file.write_all(&value.to_le_bytes())?;
        }
    }
    file.into_inner()?.sync_all()?;
    Ok(std::fs::rename(partial, path)?)
}

fn write_parquet(path: &Path, n: usize, next: &mut dyn FnMut() -> Row) -> anyhow::Result<()> {
    let names: Vec<String> = (0..COLUMNS).map(|column| format!("c{column}")).collect();
    let columns: Vec<(&str, Kind)> = names
        .iter()
        .map(|name| (name.as_str(), Kind::Single))
        .collect();
    let mut writer = TableWriter::create(path, &columns)?;
    for start in (0..n).step_by(10_000) {
        let rows: Vec<Row> = (start..n.min(start + 10_000)).map(|_| next()).collect();
        let column = |column: usize| rows.iter().map(|row| row[column]).collect();
        let columns: Vec<Vec<f32>> = (0..COLUMNS).map(column).collect();
        let cells: Vec<Cells<'_>> = columns
            .iter()
            .map(|column| Cells::Singles(column))
            .collect();
        writer.write(&cells)?;
    }
    Ok(writer.finish()?)
}
