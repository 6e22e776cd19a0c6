//! Arrays as files hold them: type, order and shape known, values still bytes; needs the feature
//! `tables`.

/// Type of the values of an [`Array`].
///
/// ```
/// use puad_data::array::ElementType;
///
/// assert_eq!(ElementType::U16.size(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElementType {
    /// A byte, true if it is not 0.
    Bool,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 16 bits.
    I16,
    /// Unsigned, 16 bits.
    U16,
    /// Signed, 32 bits.
    I32,
    /// Unsigned, 32 bits.
    U32,
    /// Signed, 64 bits.
    I64,
    /// Unsigned, 64 bits.
    U64,
    /// IEEE 754, 32 bits.
    F32,
    /// IEEE 754, 64 bits.
    F64,
}

impl ElementType {
    /// Bytes of one value.
    ///
    /// ```
    /// use puad_data::array::ElementType;
    ///
    /// assert_eq!(ElementType::F64.size(), 8);
    /// ```
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// Whether f32 holds every value.
    pub(super) fn fits_f32(self) -> bool {
        use ElementType::{Bool, F32, I8, I16, U8, U16};
        matches!(self, Bool | I8 | U8 | I16 | U16 | F32)
    }

    /// One value, big endian. 64-bit integers beyond 2^53 are rounded.
    fn decode(self, bytes: [u8; 8]) -> f64 {
        let [a, b, c, d, ..] = bytes;
        match self {
            Self::Bool => f64::from(u8::from(a != 0)),
            Self::I8 => f64::from(a.cast_signed()),
            Self::U8 => f64::from(a),
            Self::I16 => f64::from(i16::from_be_bytes([a, b])),
            Self::U16 => f64::from(u16::from_be_bytes([a, b])),
            Self::I32 => f64::from(i32::from_be_bytes([a, b, c, d])),
            Self::U32 => f64::from(u32::from_be_bytes([a, b, c, d])),
            Self::F32 => f64::from(f32::from_be_bytes([a, b, c, d])),
            Self::I64 => i64::from_be_bytes(bytes) as f64,
            Self::U64 => u64::from_be_bytes(bytes) as f64,
            Self::F64 => f64::from_be_bytes(bytes),
        }
    }
}

/// What a file's header says of an array.
///
/// ```
/// use puad_data::array::{ElementType, Layout};
///
/// let layout = Layout {
///     element: ElementType::F32,
///     big_endian: false,
///     fortran_order: false,
///     shape: vec![100, 3],
/// };
/// assert_eq!(layout.len(), Some(300));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Type of the values.
    pub element: ElementType,
    /// Whether a value's highest byte comes first.
    pub big_endian: bool,
    /// Whether the first index varies fastest (column-major), not the last.
    pub fortran_order: bool,
    /// Dimensions; none for a scalar.
    pub shape: Vec<usize>,
}

impl Layout {
    /// Number of values, or `None` if it overflows.
    ///
    /// ```
    /// use puad_data::array::{ElementType, Layout};
    ///
    /// let (big_endian, fortran_order) = (false, false);
    /// let element = ElementType::F32;
    /// let layout = |shape| Layout { element, big_endian, fortran_order, shape };
    /// assert_eq!(layout(vec![2, 3, 4]).len(), Some(24));
    /// assert_eq!(layout(vec![]).len(), Some(1)); // a scalar
    /// assert_eq!(layout(vec![usize::MAX, 2]).len(), None);
    /// ```
    pub fn len(&self) -> Option<usize> {
        let mut dims = self.shape.iter();
        // A 0 anywhere makes an empty array, however large the other dimensions are.
        if self.shape.contains(&0) {
            return Some(0);
        }
        dims.try_fold(1usize, |n, &dim| n.checked_mul(dim))
    }

    /// Whether there is no value.
    ///
    /// ```
    /// use puad_data::array::{ElementType, Layout};
    ///
    /// let (big_endian, fortran_order) = (false, false);
    /// let element = ElementType::F32;
    /// let layout = |shape| Layout { element, big_endian, fortran_order, shape };
    /// assert!(layout(vec![100, 0]).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// Whether the values lie in row-major order, which both orders are where all but one dimension
    /// are 1.
    pub(super) fn is_row_major(&self) -> bool {
        !self.fortran_order || self.shape.iter().filter(|&&dim| dim != 1).count() <= 1
    }

    /// Number of bytes, or `None` if it overflows.
    ///
    /// ```
    /// use puad_data::array::{ElementType, Layout};
    ///
    /// let (big_endian, fortran_order) = (false, false);
    /// let element = ElementType::F32;
    /// let layout = |shape| Layout { element, big_endian, fortran_order, shape };
    /// assert_eq!(layout(vec![100, 3]).byte_len(), Some(1200));
    /// assert_eq!(layout(vec![usize::MAX, 3]).byte_len(), None);
    /// ```
    pub fn byte_len(&self) -> Option<u64> {
        let n = self.len()? as u64;
        n.checked_mul(self.element.size() as u64)
    }
}

/// The values of one array of a file.
///
/// ```
/// // np.save(path, np.asfortranarray(np.arange(-3, 3, dtype="<i2").reshape(2, 3)))
/// let array = puad_data::npy::read("tests/fixtures/datasets/i2_little.npy")?;
/// assert_eq!(array.shape(), [2, 3]);
/// assert_eq!(array.to_f64(), [-3., -2., -1., 0., 1., 2.]);
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    layout: Layout,
    bytes: Vec<u8>,
}

impl Array {
    /// `bytes` must have the layout's length, which the readers have made sure of.
    pub(super) fn new(layout: Layout, bytes: Vec<u8>) -> Self {
        debug_assert_eq!(layout.byte_len(), Some(bytes.len() as u64));
        Self { layout, bytes }
    }

    /// What the header says.
    ///
    /// ```
    /// use puad_data::array::ElementType;
    ///
    /// let array = puad_data::npy::read("tests/fixtures/datasets/i2_little.npy")?;
    /// assert_eq!(array.layout().element, ElementType::I16);
    /// # Ok::<(), puad_data::DataError>(())
    /// ```
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Dimensions; none for a scalar.
    ///
    /// ```
    /// let array = puad_data::npy::read("tests/fixtures/datasets/i2_little.npy")?;
    /// let [rows, columns] = array.shape() else { panic!("a table has two dimensions") };
    /// assert_eq!((*rows, *columns), (2, 3));
    /// # Ok::<(), puad_data::DataError>(())
    /// ```
    pub fn shape(&self) -> &[usize] {
        &self.layout.shape
    }

    /// Number of values.
    ///
    /// ```
    /// let array = puad_data::npy::read("tests/fixtures/datasets/i2_little.npy")?;
    /// assert_eq!(array.len(), 6);
    /// # Ok::<(), puad_data::DataError>(())
    /// ```
    pub fn len(&self) -> usize {
        self.bytes.len() / self.layout.element.size()
    }

    /// Whether there is no value.
    ///
    /// ```
    /// let array = puad_data::npy::read("tests/fixtures/datasets/i2_little.npy")?;
    /// assert!(!array.is_empty());
    /// # Ok::<(), puad_data::DataError>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes in the file's order.
    ///
    /// ```
    /// let array = puad_data::npy::read("tests/fixtures/datasets/i2_little.npy")?;
    /// // Column by column: -3, then 0.
    /// assert_eq!(array.as_bytes()[..4], [253, 255, 0, 0]);
    /// # Ok::<(), puad_data::DataError>(())
    /// ```
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All values in row-major order (the last index varies fastest). 64-bit integers beyond 2^53
    /// are rounded.
    ///
    /// ```
    /// let array = puad_data::npy::read("tests/fixtures/datasets/i2_little.npy")?;
    /// assert_eq!(array.to_f64(), [-3., -2., -1., 0., 1., 2.]);
    /// # Ok::<(), puad_data::DataError>(())
    /// ```
    pub fn to_f64(&self) -> Vec<f64> {
        let (size, n) = (self.layout.element.size(), self.len());
        let mut values = Vec::with_capacity(n);
        let value = |at: usize| {
            let stored = &self.bytes[at * size..][..size];
            let mut bytes = [0; 8];
            bytes[..size].copy_from_slice(stored);
            if !self.layout.big_endian {
                bytes[..size].reverse();
            }
            self.layout.element.decode(bytes)
        };
        self.positions(n, |at| values.push(value(at)));
        values
    }

    /// All values in row-major order, if they are bytes.
    ///
    /// ```
    /// let array = puad_data::npy::read("tests/fixtures/datasets/u1_little.npy")?;
    /// assert_eq!(array.into_u8(), Some(vec![3, 2, 1, 0, 1, 2]));
    /// # Ok::<(), puad_data::DataError>(())
    /// ```
    pub fn into_u8(self) -> Option<Vec<u8>> {
        if self.layout.element != ElementType::U8 {
            return None;
        }
        if !self.layout.fortran_order {
            return Some(self.bytes);
        }
        let mut values = Vec::with_capacity(self.bytes.len());
        self.positions(self.bytes.len(), |at| values.push(self.bytes[at]));
        Some(values)
    }

    /// Where each of the `n` values is stored, in row-major order.
    fn positions(&self, n: usize, mut visit: impl FnMut(usize)) {
        if !self.layout.fortran_order {
            return (0..n).for_each(visit);
        }
        let shape = &self.layout.shape;
        let mut index = vec![0; shape.len()];
        let mut at = 0;
        for _ in 0..n {
            visit(at);
            // The last index moves first; its stride is the product of all dimensions before it.
            let mut stride = n;
            for (i, &dim) in index.iter_mut().zip(shape).rev() {
                stride /= dim;
                *i += 1;
                at += stride;
                if *i < dim {
                    break;
                }
                *i = 0;
                at -= stride * dim;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn array(element: ElementType, big_endian: bool, shape: &[usize], bytes: Vec<u8>) -> Array {
        let layout = Layout {
            element,
            big_endian,
            fortran_order: false,
            shape: shape.to_vec(),
        };
        Array::new(layout, bytes)
    }

    #[test]
    fn every_type_in_both_byte_orders() {
        use ElementType::*;
        type Case = (ElementType, Vec<u8>, f64);
        let cases: [Case; 11] = [
            (Bool, vec![2], 1.),
            (I8, vec![0xfe], -2.),
            (U8, vec![0xfe], 254.),
            (I16, (-300i16).to_be_bytes().into(), -300.),
            (U16, 65_000u16.to_be_bytes().into(), 65_000.),
            (I32, (-70_000i32).to_be_bytes().into(), -70_000.),
            (U32, 4_000_000_000u32.to_be_bytes().into(), 4e9),
            (
                I64,
                (-(1i64 << 53)).to_be_bytes().into(),
                -9_007_199_254_740_992.,
            ),
            (
                U64,
                (1u64 << 63).to_be_bytes().into(),
                9_223_372_036_854_775_808.,
            ),
            (F32, 0.1f32.to_be_bytes().into(), 0.1f32.into()),
            (F64, (-1e300f64).to_be_bytes().into(), -1e300),
        ];
        for (element, big, value) in cases {
            assert_eq!(big.len(), element.size());
            let little: Vec<u8> = big.iter().rev().copied().collect();
            assert_eq!(
                array(element, true, &[], big).to_f64(),
                [value],
                "{element:?}"
            );
            assert_eq!(
                array(element, false, &[1], little).to_f64(),
                [value],
                "{element:?}"
            );
        }
    }

    #[test]
    fn sizes_that_overflow_are_none_and_zeros_win() {
        let layout = |shape: &[usize]| Layout {
            element: ElementType::F64,
            big_endian: false,
            fortran_order: false,
            shape: shape.to_vec(),
        };
        assert_eq!(layout(&[]).len(), Some(1));
        assert_eq!(layout(&[usize::MAX, 2]).len(), None);
        assert_eq!(layout(&[usize::MAX, 2, 0]).len(), Some(0));
        assert_eq!(layout(&[4]).byte_len(), Some(32));
        for shape in [&[usize::MAX][..], &[1 << 61], &[usize::MAX, usize::MAX]] {
            assert_eq!(layout(shape).byte_len(), None, "{shape:?}");
        }
    }

    proptest! {
        /// The value at an index does not depend on the order in which the file holds it.
        #[test]
        fn both_orders_give_the_same_values(shape in proptest::collection::vec(1usize..5, 0..5)) {
            let n: usize = shape.iter().product();
            let values: Vec<u8> = (0..n).map(|i| (i % 251) as u8).collect();
            let c = array(ElementType::U8, false, &shape, values.clone());
            // Put by the definition: index i_k has the stride prod_{j < k} dim_j.
            let mut bytes = vec![0; n];
            for (flat, &value) in values.iter().enumerate() {
                let (mut rest, mut index) = (flat, vec![]);
                for &dim in shape.iter().rev() {
                    index.push(rest % dim);
                    rest /= dim;
                }
                index.reverse();
                let strides = shape.iter().scan(1, |s, &dim| { let now = *s; *s *= dim; Some(now) });
                let at: usize = index.iter().zip(strides).map(|(i, s)| i * s).sum();
                bytes[at] = value;
            }
            let mut fortran = array(ElementType::U8, false, &shape, bytes);
            fortran.layout.fortran_order = true;
            prop_assert_eq!(fortran.to_f64(), c.to_f64());
            prop_assert_eq!(fortran.into_u8(), Some(values));
        }
    }
}
