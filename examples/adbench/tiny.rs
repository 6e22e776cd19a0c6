//! Splits of a few rows, for tests, as NumPy writes them.

use std::fs;
use std::path::Path;

use flate2::Crc;

pub const UNLABELED: usize = 200;
pub const LABELED: usize = 10;
pub const TEST: usize = 120;

/// Twenty anomalies among the unlabeled rows and twenty, the last ones, in the test, half of which do not count in the
/// settings of kinds.
pub fn write(folder: &Path, stem: &str) {
    let kinds = stem.contains("novel") || stem.contains("unseen");
    let seed = stem.bytes().fold(1u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    let mut noise = Noise(seed);
    let groups = [(180, UNLABELED - 180), (0, LABELED), (TEST - 20, 20)]
        .map(|(normals, anomalies)| noise.rows(normals, anomalies));
    let [u, a, t] = groups.map(|rows| {
        let bytes: Vec<u8> = rows.iter().flat_map(|value| value.to_le_bytes()).collect();
        npy("<f4", &[rows.len() / 3, 3], &bytes)
    });
    archive(
        &folder.join(format!("{stem}.npz")),
        &[("U", u), ("A", a), ("T", t)],
    );
    let flags = |ones: std::ops::Range<usize>, rows: usize| -> Vec<u8> {
        (0..rows).map(|row| ones.contains(&row).into()).collect()
    };
    let counted = TEST - if kinds { 10 } else { 0 };
    let arrays = [
        ("y", flags(TEST - 20..TEST, TEST)),
        ("yU", flags(180..UNLABELED, UNLABELED)),
        ("mask", flags(0..counted, TEST)),
    ];
    let arrays = arrays.map(|(key, flags)| (key, npy("|u1", &[flags.len()], &flags)));
    archive(&folder.join(format!("{stem}.y.npz")), &arrays);
}

/// Values from -1 to 1, the same ones for a seed.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.
    }

    /// Three columns; anomalies lie where normals seldom do.
    fn rows(&mut self, normals: usize, anomalies: usize) -> Vec<f32> {
        let value = |i: usize| {
            let center = if i < 3 * normals { 0. } else { 1.5 };
            center + self.next()
        };
        (0..3 * (normals + anomalies)).map(value).collect()
    }
}

/// An array as `.npy`.
pub fn npy(element: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let text = format!("{{'descr': '{element}', 'fortran_order': False, 'shape': ({shape}), }}");
    let width = (text.len() + 11).next_multiple_of(64) - 10;
    let text = format!("{text:<0$}\n", width - 1);
    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), bytes].concat()
}

/// Arrays as `.npz`: a zip file of what is not packed.
pub fn archive(path: &Path, arrays: &[(&str, Vec<u8>)]) {
    let (mut body, mut list) = (vec![], vec![]);
    for (key, bytes) in arrays {
        let name = format!("{key}.npy");
        let mut crc = Crc::new();
        crc.update(bytes);
        let size = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let sum = crc.sum().to_le_bytes();
        // Version, flags, method, time and date; then the sum, both sizes and the lengths of the name and of what is
        // behind it.
        let about = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..],
            &sum,
            &size,
            &size,
            &length,
            &[0; 2],
        ]
        .concat();
        let start = u32::try_from(body.len()).unwrap().to_le_bytes();
        list.extend(
            [
                b"PK\x01\x02\x14\x00",
                &about[..],
                &[0; 10],
                &start,
                name.as_bytes(),
            ]
            .concat(),
        );
        body.extend([b"PK\x03\x04", &about[..], name.as_bytes(), bytes].concat());
    }
    let count = u16::try_from(arrays.len()).unwrap().to_le_bytes();
    let [size, start] = [list.len(), body.len()].map(|n| u32::try_from(n).unwrap().to_le_bytes());
    let end = [
        b"PK\x05\x06\0\0\0\0",
        &count[..],
        &count,
        &size,
        &start,
        &[0; 2],
    ]
    .concat();
    fs::write(path, [body, list, end].concat()).unwrap();
}
